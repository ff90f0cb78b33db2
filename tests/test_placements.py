"""The places for a dropout: where their masks stand, and that all of them are one network without masks."""

import pytest
import torch

from course_lib import LSTMCell, RNNCell, Stack
from course_lib.dropout import Around, Locked, Masked
from course_lib.experiments.dropout_placement import PLACES, Watch
from course_lib.experiments.placements import placed
from tests.worlds import close


@pytest.mark.parametrize("place", [*PLACES, "locked", "fresh_state"])
def test_every_place_is_the_same_network_in_eval_mode_and_another_in_training(place):
    stack, x = Stack.uniform(LSTMCell, 5, 4, 3), torch.randn(6, 2, 5)
    expected, _ = stack(x)
    net = placed(stack, place, 0.4)
    assert torch.allclose(net(x)[0], expected) == (place == "none")
    close(net.eval()(x)[0], expected, 0)
    close(list(net.parameters()), list(stack.parameters()), 0)


@pytest.mark.parametrize(("place", "lasting"), [("between", False), ("gal", True)])
def test_two_places_mask_every_layers_input_and_the_output(place, lasting):
    """Half of the output is silent, always the same half or another one at each step."""
    net = placed(Stack.uniform(LSTMCell, 50, 50, 2), place, 0.5)
    assert type(net) is Around
    kinds = [type(module) for module in (net.dropout, net.stack.dropout)]
    assert kinds == ([Locked] * 2 if lasting else [torch.nn.Dropout] * 2)
    assert all(isinstance(cell, Masked) == lasting for cell in net.stack.cells)
    silent = net(torch.randn(6, 2, 50))[0] == 0
    assert abs(silent.double().mean() - 0.5) < 0.15
    assert torch.equal(silent[0], silent[5]) == lasting


def test_a_place_without_sense_for_the_cell_is_refused():
    with pytest.raises(TypeError, match="masks the carried c"):
        placed(Stack.uniform(RNNCell, 5, 4, 2), "fresh_c", 0.4)
    with pytest.raises(KeyError, match="elsewhere"):
        placed(Stack.uniform(RNNCell, 5, 4, 2), "elsewhere", 0.4)


def test_the_watch_keeps_the_weights_of_the_lowest_loss(monkeypatch):
    losses = iter([3.0, 2.0, 2.5])
    monkeypatch.setattr("course_lib.experiments.dropout_placement.nats", lambda model, split: next(losses))
    model, watch = torch.nn.Linear(1, 1), Watch()
    kept = []
    for _ in range(3):
        with torch.no_grad():
            model.weight += 1
        watch(model)
        kept.append(model.weight.item())
    assert watch.curve == [3.0, 2.0, 2.5]
    assert watch.weights["weight"].item() == kept[1]
