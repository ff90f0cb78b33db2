"""What a mask refuses, and in which words."""

import pytest
import torch
from torch import nn

from course_lib import GRUCell, LSTMCell, RNNCell, Stack
from course_lib.dropout import (
    RULES,
    Around,
    Locked,
    Masked,
    candidate,
    fresh_c,
    fresh_h,
    fresh_state,
    locked,
    weight_drop,
)
from course_lib.relatives.clocked import Clocked
from course_lib.relatives.clockwork import ClockworkCell
from tests.dropout.worlds import KINDS, REFUSED, stack_of
from tests.worlds import LeakyCell


@pytest.mark.parametrize(("rule", "kind"), sorted(REFUSED))
def test_a_rule_without_sense_is_refused(rule, kind):
    with pytest.raises(TypeError, match=rf"Masked: {rule}\(0.4\) masks the (carried c|candidate g)"):
        Masked(KINDS[kind](3, 4), RULES[rule](0.4))


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: Masked(LeakyCell(3, 4), fresh_h(0.1)), TypeError, "which LeakyCell never calls; mask the cell inside"),
        (lambda: Masked(Clocked(GRUCell(3, 4), 2), locked(0.1)), TypeError, "which Clocked never calls"),
        (lambda: Masked(LeakyCell(3, 4), weight_drop(0.1)), TypeError, "which LeakyCell never calls"),
        (lambda: Masked(ClockworkCell(3, 4), weight_drop(0.1)), TypeError, "which ClockworkCell replaces"),
        (lambda: Masked(LeakyCell(3, 4), candidate(0.1)), TypeError, "and LeakyCell is neither"),
        (lambda: Masked(Clocked(GRUCell(3, 4), 2), fresh_state(0.1)), TypeError, "Clocked keeps more in its state"),
        (lambda: Masked(GRUCell(3, 4), fresh_c(0.1)), TypeError, "the state of GRUCell has h; fresh_h masks what"),
        (lambda: Masked(Masked(LSTMCell(3, 4), locked(0.1)), fresh_c(0.1)), ValueError, r"has \['seed'\] already"),
        (lambda: Masked(nn.GRUCell(3, 4), locked(0.1)), TypeError, "cell is GRUCell, which is no instance"),
        (
            lambda: Masked(RNNCell(3, 4), 0.1),
            TypeError,
            r"rule must be made by dropout.locked\(p\) and the like, got 0.1",
        ),
        (lambda: Masked(RNNCell(3, 4), locked), TypeError, "rule must be made by"),
        (lambda: locked(1), ValueError, "locked: p must be at least 0 and below 1, where nothing would be left, got 1"),
        (lambda: fresh_h(-0.1), ValueError, "fresh_h: p must be at least 0"),
        (lambda: fresh_h(float("nan")), ValueError, "fresh_h: p must be at least 0"),
        (lambda: weight_drop("0.5"), TypeError, "weight_drop: p must be a probability, got '0.5' of type str"),
        (lambda: Around(Stack([RNNCell(3, 4)]), 2), ValueError, "dropout is a probability and must be in 0..1, got 2"),
        (lambda: Around(RNNCell(3, 4), 0.2), TypeError, "Around: stack must be a Stack, or a module called like one"),
        (lambda: Locked(2), ValueError, "Locked: p is a probability and must be in 0..1, got 2"),
        (
            lambda: stack_of("locked", "lstm")(
                torch.randn(6, 2, 5), Stack.uniform(LSTMCell, 5, 4, 3).initial_states(2)
            ),
            TypeError,
            "the state of layer 1 must be MaskedLSTMState, got LSTMState",
        ),
    ],
)
def test_mistakes_are_named(make, error, words):
    with pytest.raises(error, match=words):
        make()
