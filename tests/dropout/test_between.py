"""Masks between the layers and around a stack: locked over a sequence, at L + 1 places."""

import torch

from course_lib import GRUCell, LSTMCell, Stack
from course_lib.dropout import (
    Around,
    Locked,
)
from course_lib.models import Tagger
from tests.dropout.worlds import stack_of
from tests.worlds import Recorded, close, leaves


def test_locked_between_layers_is_one_mask_a_sequence():
    mask = Locked(0.4)(torch.ones(6, 3, 50))
    close(mask, mask[:1].expand(6, 3, 50), 0)
    close(mask.unique(), torch.tensor([0.0, 1 / 0.6]))
    assert not torch.equal(mask[0, 0], mask[0, 1])
    assert abs((Locked(0.4)(torch.ones(2, 100, 100)) == 0).double().mean() - 0.4) < 0.02
    close(Locked(0.4).eval()(torch.ones(6, 3, 50)), torch.ones(6, 3, 50), 0)


def test_locked_on_both_axes_agrees_in_all_walks():
    stack, x = stack_of("locked", "lstm", dropout=Locked(0.4)), torch.randn(6, 3, 5)
    results = []
    for view in (lambda: stack(x)[0], lambda: stack.rows(x)[2], lambda: stack.grid(x).row(3)):
        torch.manual_seed(3)
        results.append(view())
    close(results[1:], results[:1] * 2)
    assert "p=0.4" in repr(stack)


def test_around_a_stack_the_input_and_the_output_are_masked():
    """With the L - 1 places inside, Zaremba's L + 1; the masks are told from the ones that are asked for."""

    stack, dropout = Stack([LSTMCell(5, 4), GRUCell(4, 3)]), Recorded()
    net, x, states = Around(stack, dropout), torch.randn(6, 2, 5), stack.initial_states(2)
    output, last = net(x, states, lengths=[6, 3])
    into, out = dropout.given
    expected, end = stack(x * into, states, [6, 3])
    close(output, expected * out)
    close(leaves(last), leaves(end))
    assert (net.input_size, net.output_size) == (5, 3)
    assert Tagger(Around(stack, 0.4), 7, 5)(torch.randint(7, (6, 2))).shape == (6, 2, 5)


def test_around_in_eval_mode_is_the_stack():
    stack, x = stack_of("locked", "lstm", dropout=Locked(0.4)), torch.randn(6, 3, 5)
    net = Around(stack, Locked(0.4))
    assert not torch.equal(net(x)[0], net(x)[0])
    close(net.eval()(x)[0], stack(x)[0], 0)
