"""The broken stacks: each fault shows in one measurement, and in no other."""

import pytest
import torch

from course_lib import GRUCell, RNNState, Stack
from course_lib.checks import broken, stacking
from tests.worlds import close, random_states


@pytest.mark.parametrize("seed", range(4))
def test_each_clue_finds_its_fault_and_no_other(seed):
    """So the message about a wrong name is true: the stack passes the test for the fault that was claimed."""

    def shows(clue, stack):
        x, states = torch.randn(5, 2, 4), stack.initial_states(2)
        if clue == "raw input":
            grid = stack.grid(x)
            (path,) = torch.autograd.grad(grid.h(2, 3).sum(), grid.h(1, 3), allow_unused=True)
            return path is None
        if clue == "shared cell":
            return sum(each.numel() for each in stack.parameters()) != 360
        if clue == "shared state":
            changed = [states[0], RNNState(torch.ones(2, 4)), states[2]]
            return torch.equal(stack.rows(x, states)[1], stack.rows(x, changed)[1])
        if clue == "unused dropout":
            stack.train()
            return torch.equal(stack(x)[0], stack(x)[0])
        return not torch.equal(stack(x)[1][0].h, stack.rows(x)[0][-1])

    assert set(stacking.CLUES) == set(broken.FAULTS) - {"none"}
    for letter, fault in broken.truth(seed).items():
        found = [clue for clue in stacking.CLUES if shows(clue, broken.stacks(seed)[letter])]
        assert found == [fault], letter
    assert not any(shows(clue, broken.make("none")) for clue in stacking.CLUES)


def test_broken_stacks_are_five_and_repeat_by_seed():
    assert sorted(broken.stacks(3)) == list("ABCDE")
    assert broken.truth() == broken.truth(2) != broken.truth(3)
    before = torch.get_rng_state()
    ours = [list(stack.parameters()) for stack in broken.stacks(2).values()]
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(1)
    theirs = [list(stack.parameters()) for stack in broken.stacks(2).values()]
    assert all(torch.equal(a, b) for one, other in zip(ours, theirs) for a, b in zip(one, other))
    with pytest.raises(KeyError, match=r"fault must be one of raw input, .*, none, got 'other'"):
        broken.make("other")


KINDS = [broken.RawInput, broken.SharedState, broken.UnusedDropout, broken.ReversedStates]


@pytest.mark.parametrize("kind", KINDS)
def test_no_test_with_one_layer_finds_the_fault(kind):
    one = kind.uniform(GRUCell, 4, 4, 1, dropout=0.5)
    plain = Stack(list(one.cells), dropout=0.5)
    x, states = torch.randn(6, 2, 4), random_states(plain, 2)
    for call in ((x, states), (x, None, [6, 3])):
        close(one(*call), plain(*call), 0)
        close(one.rows(*call), plain.rows(*call), 0)


@pytest.mark.parametrize("fault", broken.FAULTS)
@pytest.mark.parametrize("lengths", [None, [6, 3]])
def test_the_fault_is_the_same_in_every_view(fault, lengths):
    stack, x = broken.make(fault).train(), torch.randn(6, 2, 4)
    views = []
    for view in (stack, stack.rows, stack.grid):
        torch.manual_seed(3)
        views.append(view(x, random_states(stack, 2), lengths))
    (output, _), rows, grid = views
    close(output, torch.stack([grid.up(3, time) for time in range(1, 7)]))
    close(list(rows), [grid.row(layer) for layer in (1, 2, 3)])
