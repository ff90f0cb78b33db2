"""Dilated stacks against cells called by hand on their state of d steps ago."""

import pytest
import torch
from torch import nn

from course_lib import GRUCell, LSTMCell, RNNCell, Stack, fast, residual
from course_lib.relatives.clocked import Clocked, ClockedStack
from course_lib.relatives.dilated import Dilated, DilatedStack
from tests.relatives.worlds import mixed, started
from tests.worlds import CELLS, LeakyCell, close, gradients_of, leaves


def by_hand(cell, dilation, below, history):
    """All states, s_t = cell(below_t, s_{t-d}); ``history`` are the d states before the first step, oldest first."""
    states = list(history)
    for below_t in below:
        states.append(cell(below_t, states[len(states) - dilation]))
    return states


def history_of(dilated, state):
    """The cell's last d states as a list, oldest first."""
    names = dilated.cell.state_type._fields
    past = [[getattr(state, f"past_{name}")[:, k] for name in names] for k in range(dilated.dilation - 1)]
    return [dilated.cell.state_type(*fields) for fields in [*past, [getattr(state, name) for name in names]]]


@pytest.mark.parametrize("dilations", [(1, 2, 4, 8), (3, 1, 2, 5), (2, 2, 20, 1)])
def test_a_layer_continues_from_its_state_of_d_steps_ago(dilations):
    stack = DilatedStack(mixed(), dilations=dilations)
    x, states = torch.randn(13, 3, 5), started(stack, 3)
    rows, (_, last), below = stack.rows(x, states), stack(x, states), x
    for cell, state, end, row in zip(stack.cells, states, last, rows):
        expected = by_hand(cell.cell, cell.dilation, below, history_of(cell, state))
        below = torch.stack([each.h for each in expected[cell.dilation :]])
        close(row, below)
        close(history_of(cell, end), expected[-cell.dilation :])


@pytest.mark.parametrize("cell", CELLS)
def test_before_the_first_step_all_states_are_the_initial_one(cell):
    stack, x = DilatedStack.uniform(cell, 4, 4, 3, connection=residual), torch.randn(10, 2, 4)
    assert stack.dilations == (1, 2, 4)
    below = x
    for layer, (each, row) in enumerate(zip(stack.cells, stack.rows(x))):
        states = by_hand(each.cell, each.dilation, below, [each.cell.initial_state(2)] * each.dilation)
        h = torch.stack([state.h for state in states[each.dilation :]])
        close(row, h)
        below = below + h if layer else h
    close(stack(x)[0], below)


def test_dilations_of_1_are_the_plain_stack():
    stack, x = DilatedStack.uniform(LSTMCell, 4, 4, 3, dilations=(1, 1, 1)), torch.randn(9, 3, 4)
    plain = Stack([cell.cell for cell in stack.cells])
    close(stack(x)[0], plain(x)[0], 0)
    close(gradients_of(stack(x)[0], list(stack.parameters())), gradients_of(plain(x)[0], list(plain.parameters())), 0)


@pytest.mark.parametrize("cell", [RNNCell, GRUCell, LSTMCell])
@pytest.mark.parametrize(("dilation", "num_steps"), [(1, 7), (2, 7), (3, 6), (3, 7), (3, 8), (4, 4), (5, 9)])
def test_the_quick_row_is_the_loop(cell, dilation, num_steps):
    dilated, below = Dilated(cell(5, 4), dilation), torch.randn(num_steps, 3, 5, requires_grad=True)
    (state,) = started(Stack([dilated]), 3)
    quick, looped = dilated.quick_row(below, state), fast.looped_row(dilated, below, state)
    close(quick, looped)
    wrt, joined = [below, *dilated.parameters()], []
    for row, last in (quick, looped):
        joined.append(torch.cat([row.flatten(), *(field.flatten() for field in last)]))
    close(gradients_of(joined[0], wrt), gradients_of(joined[1], wrt))


def test_the_quick_row_is_taken_where_it_holds(monkeypatch):
    def refuse(*_):
        raise AssertionError("the loop ran")

    monkeypatch.setattr(fast.rows, "looped_row", refuse)
    stack, x = DilatedStack.uniform(GRUCell, 5, 4, 3), torch.randn(6, 2, 5)
    stack(x)
    for call in (lambda: stack(x[:3]), lambda: stack(x, lengths=[3, 6])):
        with pytest.raises(AssertionError, match="the loop ran"):
            call()
    assert Dilated(LeakyCell(5, 4), 2).quick_row(x, Dilated(LeakyCell(5, 4), 2).initial_state(2)) is None


@pytest.mark.parametrize("cell", CELLS)
def test_where_all_clocks_tick_a_clocked_stack_says_what_the_dilated_one_does(cell):
    """A layer that updates at t = d, 2d, ... reads its state of d steps ago: one of the dilated layer's d threads."""
    dilated, x = DilatedStack.uniform(cell, 5, 4, 3), torch.randn(12, 2, 5)
    clocked = ClockedStack([each.cell for each in dilated.cells])
    for layer, period in enumerate(clocked.periods):
        ticks = slice(period - 1, None, period)
        close(clocked.rows(x)[layer][ticks], dilated.rows(x)[layer][ticks])
    assert not torch.allclose(clocked(x)[0], dilated(x)[0])


def test_every_step_moves_every_layer_but_threads_never_meet_in_one_layer():
    stack, x = DilatedStack([GRUCell(5, 4)], dilations=(3,)), torch.randn(9, 1, 5)
    grid = stack.grid(x)
    influence = gradients_of(grid.h(1, 9), [grid.h(0, time) for time in range(1, 10)])
    reached = [time for time, gradient in enumerate(influence, start=1) if gradient.any()]
    assert reached == [3, 6, 9]


@pytest.mark.parametrize("module", [nn.LSTM(5, 4, 3), nn.GRU(5, 4, 3, dropout=0.3).eval()])
def test_torchs_weights_are_taken(module):
    module.to(torch.float64)
    stack = DilatedStack.from_torch(module, dilations=(1, 1, 1))
    assert stack.training == module.training
    close(stack.eval()(torch.ones(6, 2, 5))[0], module.eval()(torch.ones(6, 2, 5))[0])
    assert DilatedStack.from_torch(module).dilations == (1, 2, 4)


def test_a_clock_inside_counts_its_own_thread():
    dilated, x = Dilated(Clocked(GRUCell(5, 4), 2), 3), torch.randn(10, 2, 5)
    states = by_hand(dilated.cell, 3, x, [dilated.cell.initial_state(2)] * 3)
    rows, (last,) = Stack([dilated]).rows(x)[0], Stack([dilated])(x)[1]
    close(rows, torch.stack([state.h for state in states[3:]]))
    assert last.clock.tolist() == [4, 4]
    assert last.past_clock.tolist() == [[3, 3], [3, 3]]


def test_gradients_are_those_of_finite_differences():
    stack, x = DilatedStack.uniform(LSTMCell, 2, 2, 3), torch.randn(6, 2, 2, requires_grad=True)
    states = started(stack, 2)
    smooth = [field.requires_grad_() for field in leaves(states)]
    assert torch.autograd.gradcheck(lambda *_: stack(x, states)[0], (x, *[f for f in smooth if f.numel()]))


def test_names_and_repr():
    stack = DilatedStack.uniform(LSTMCell, 5, 4, 3)
    assert [tuple(field.shape) for field in stack.initial_states(2)[2]] == [(2, 4), (2, 4), (2, 3, 4), (2, 3, 4)]
    assert stack.initial_states(2)[2]._fields == ("h", "c", "past_h", "past_c")
    assert "dilation=4" in repr(stack)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: DilatedStack([RNNCell(3, 4)], dilations=(1, 2)), ValueError, "dilations lists 2 entries for 1 layers"),
        (lambda: DilatedStack([RNNCell(3, 4)], dilations=(0,)), ValueError, "dilation must be at least 1, got 0"),
        (lambda: DilatedStack([RNNCell(3, 4)], dilations=("2",)), TypeError, "dilation must be an int, got '2'"),
        (lambda: DilatedStack([RNNCell(3, 4)], dilations=2), TypeError, "dilations must be a list of whole numbers"),
        (lambda: DilatedStack(RNNCell(3, 4)), TypeError, r"cells must be a list of cells"),
        (lambda: Dilated(nn.GRU(3, 4), 2), TypeError, "cell is GRU, which is no instance of"),
        (lambda: Dilated(Dilated(GRUCell(3, 4), 2), 2), ValueError, r"adds the fields \['past_h', 'past_past_h'\]"),
    ],
)
def test_mistakes_at_construction_are_named(make, error, words):
    with pytest.raises(error, match=words):
        make()


@pytest.mark.parametrize("wrap", [Clocked, Dilated])
def test_a_subclass_with_a_step_of_its_own_takes_that_step_in_rows_too(wrap):
    """The quick row belongs to the forward that it was written for."""

    class Negative(wrap):
        def forward(self, below, state):
            state = super().forward(below, state)
            return state._replace(h=-state.h)

    stack, x = Stack([Negative(RNNCell(2, 3), 1), RNNCell(3, 3), RNNCell(3, 3)]), torch.randn(6, 2, 2)
    close(stack.rows(x)[0], stack.grid(x).row(1))


@pytest.mark.parametrize("make", [ClockedStack, DilatedStack])
def test_powers_of_two_end_before_the_memory_does(make):
    with pytest.raises(ValueError, match="must be at most 1,000,000 steps, got 1048576; give shorter ones"):
        make.uniform(RNNCell, 2, 2, 21)
