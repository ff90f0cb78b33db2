"""Clocked stacks against cells called by hand at the steps at which they are due."""

import pytest
import torch
from torch import nn

from course_lib import GRUCell, LSTMCell, RNNCell, Stack, fast, residual
from course_lib.relatives.clocked import Clocked, ClockedStack, powers_of_two
from course_lib.relatives.clockwork import ClockworkCell
from tests.relatives.worlds import mixed, started
from tests.worlds import CELLS, close, gradients_of, leaves


def by_hand(cells, periods, x, states, clock, connection=None):
    """h of every layer at every time: a layer is asked only if t is a multiple of its period."""
    states, rows = list(states), [[] for _ in cells]
    for time, below in enumerate(x, start=clock + 1):
        for layer, (cell, period) in enumerate(zip(cells, periods)):
            if time % period == 0:
                states[layer] = cell(below, states[layer])
            up = states[layer].h
            below = below + up if connection is residual and layer else up
            rows[layer].append(states[layer].h)
    return [torch.stack(row) for row in rows]


def inner(stack, states):
    return [cell.cell.state_type(*state[:-1]) for cell, state in zip(stack.cells, states)]


@pytest.mark.parametrize("clock", [0, -1, 1, 6])
@pytest.mark.parametrize("periods", [(1, 2, 4, 8), (3, 1, 2, 5), (2, 2, 20, 1)])
def test_a_layer_is_called_when_it_is_due(clock, periods):
    stack = ClockedStack(mixed(), periods=periods)
    x, states = torch.randn(13, 3, 5), started(stack, 3, clock)
    expected = by_hand([cell.cell for cell in stack.cells], periods, x, inner(stack, states), clock)
    close(list(stack.rows(x, states)), expected)
    _, last = stack(x, states)
    close([state.clock for state in last], [torch.full((3,), clock + 13)] * 4, 0)


@pytest.mark.parametrize("cell", CELLS)
def test_equal_layers_with_residuals(cell):
    stack = ClockedStack.uniform(cell, 4, 4, 3, connection=residual)
    assert stack.periods == (1, 2, 4)
    x, states = torch.randn(10, 2, 4), started(stack, 2)
    expected = by_hand([c.cell for c in stack.cells], (1, 2, 4), x, inner(stack, states), 0, residual)
    close(list(stack.rows(x, states)), expected)
    close(stack(x, states)[0], sum(expected))


@pytest.mark.parametrize("connection", [residual, None])
def test_periods_of_1_are_the_plain_stack(connection):
    options = {} if connection is None else {"connection": connection}
    stack = ClockedStack.uniform(LSTMCell, 4, 4, 3, periods=(1, 1, 1), **options)
    plain, x = Stack([cell.cell for cell in stack.cells], **options), torch.randn(9, 3, 4)
    close(stack(x)[0], plain(x)[0], 0)
    close(gradients_of(stack(x)[0], list(stack.parameters())), gradients_of(plain(x)[0], list(plain.parameters())), 0)


@pytest.mark.parametrize("cell", [RNNCell, GRUCell, LSTMCell])
@pytest.mark.parametrize(("period", "clock", "num_steps"), [(1, 0, 7), (3, 0, 7), (3, 4, 7), (4, -1, 1), (5, 0, 4)])
def test_the_quick_row_is_the_loop(cell, period, clock, num_steps):
    clocked, below = Clocked(cell(5, 4), period), torch.randn(num_steps, 3, 5, requires_grad=True)
    (state,) = started(Stack([clocked]), 3, clock)
    quick, looped = clocked.quick_row(below, state), fast.looped_row(clocked, below, state)
    close(quick, looped)
    wrt = [below, state.h.requires_grad_(), *clocked.parameters()]
    quick, looped = clocked.quick_row(below, state), fast.looped_row(clocked, below, state)
    close(gradients_of(quick[0], wrt), gradients_of(looped[0], wrt))


def test_the_quick_row_is_taken_where_it_holds(monkeypatch):
    def refuse(*_):
        raise AssertionError("the loop ran")

    monkeypatch.setattr(fast.rows, "looped_row", refuse)
    stack, x = ClockedStack.uniform(GRUCell, 5, 4, 3), torch.randn(6, 2, 5)
    stack(x)
    uneven = [state._replace(clock=torch.tensor([0, 1])) for state in stack.initial_states(2)]
    for call in (lambda: stack(x, uneven), lambda: stack(x, lengths=[3, 6])):
        with pytest.raises(AssertionError, match="the loop ran"):
            call()
    stack.cells[1].register_forward_hook(lambda *_: None)
    with pytest.raises(AssertionError, match="the loop ran"):
        stack(x)


def test_sequences_of_a_batch_have_their_own_clocks():
    stack, x = ClockedStack(mixed()), torch.randn(9, 2, 5)
    states = [state._replace(clock=torch.tensor([0, 3])) for state in started(stack, 2)]
    rows = stack.rows(x, states)
    cells = [cell.cell for cell in stack.cells]
    for place, clock in enumerate((0, 3)):
        alone = [type(s)(*(f[place : place + 1] for f in s)) for s in inner(stack, states)]
        expected = by_hand(cells, (1, 2, 4, 8), x[:, place : place + 1], alone, clock)
        close([row[:, place : place + 1] for row in rows], expected)


def test_dropout_masks_rows_and_grid_alike():
    stack, x = ClockedStack.uniform(GRUCell, 5, 4, 3, dropout=0.5), torch.randn(6, 2, 5)
    torch.manual_seed(1)
    output, _ = stack(x)
    torch.manual_seed(1)
    close(stack.grid(x).row(3), output)


@pytest.mark.parametrize("module", [nn.LSTM(5, 4, 3), nn.GRU(5, 4, 3, dropout=0.3).eval()])
def test_torchs_weights_are_taken(module):
    module.to(torch.float64)
    stack = ClockedStack.from_torch(module, periods=(1, 1, 1))
    assert stack.training == module.training
    close(stack.eval()(torch.ones(6, 2, 5))[0], module.eval()(torch.ones(6, 2, 5))[0])
    assert ClockedStack.from_torch(module).periods == (1, 2, 4)


def test_gradients_are_those_of_finite_differences():
    stack, x = ClockedStack.uniform(LSTMCell, 2, 2, 3), torch.randn(6, 2, 2, requires_grad=True)
    states = started(stack, 2)
    smooth = [field.requires_grad_() for field in leaves(states) if field.is_floating_point()]
    assert torch.autograd.gradcheck(lambda *_: stack(x, states)[0], (x, *smooth))


def test_names_and_repr():
    stack = ClockedStack.uniform(LSTMCell, 5, 4, 2)
    state = stack.initial_states(2)[0]
    assert state._fields == ("h", "c", "clock")
    assert type(state) is type(stack.initial_states(3)[1])
    assert "period=2" in repr(stack)
    assert powers_of_two(5) == (1, 2, 4, 8, 16)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: ClockedStack([RNNCell(3, 4)], periods=(1, 2)), ValueError, "periods lists 2 entries for 1 layers"),
        (lambda: ClockedStack([RNNCell(3, 4)], periods=(0,)), ValueError, "period must be at least 1, got 0"),
        (lambda: ClockedStack([RNNCell(3, 4)], periods=(1.5,)), TypeError, r"period must be an int, got 1\.5"),
        (lambda: ClockedStack([RNNCell(3, 4)], periods=1), TypeError, "periods must be a list of whole numbers"),
        (lambda: ClockedStack([nn.LSTM(3, 4)]), TypeError, "layer 1 is LSTM, which is no instance"),
        (lambda: ClockedStack([]), ValueError, "cells is empty"),
        (lambda: ClockedStack([RNNCell(3, 4), RNNCell(5, 4)]), ValueError, "layer 1 has hidden_size=4 but layer 2"),
        (lambda: Clocked(GRUCell, 2), TypeError, "cell is GRUCell, which is no instance of"),
        (lambda: Clocked(ClockworkCell(3, 4), 2), ValueError, r"ClockworkState has \['clock'\] already"),
        (lambda: Clocked(Clocked(GRUCell(3, 4), 2), 2), ValueError, r"has \['clock'\] already"),
        (lambda: powers_of_two(0), ValueError, "count must be at least 1"),
    ],
)
def test_mistakes_at_construction_are_named(make, error, words):
    with pytest.raises(error, match=words):
        make()
