"""How much gradient each node gets: against node by node, against finite differences, and what is refused."""

import itertools

import pytest
import torch

from course_lib import GRUCell, LSTMCell, LSTMState, RNNCell, Stack, gradients, plain, residual
from tests.worlds import close


@pytest.mark.parametrize("connection", [plain, residual])
def test_equals_one_backward_pass_a_node(connection):
    stack = Stack([GRUCell(3, 4), LSTMCell(4, 4), RNNCell(4, 4)], connection=connection)
    grid = stack.grid(torch.randn(5, 3, 3))
    loss = (grid.up(3, 5) ** 2).sum() + grid.h(1, 4).sin().sum()
    found = gradients.gradient_map(loss, grid)
    assert found.shape == (3, 5)
    assert not found.requires_grad
    for l, t in itertools.product(range(1, 4), range(1, 6)):
        (slope,) = torch.autograd.grad(loss, grid.h(l, t), retain_graph=True, materialize_grads=True, allow_unused=True)
        lengths = [sum(float(each) ** 2 for each in row) ** 0.5 for row in slope]
        assert float(found[l - 1, t - 1]) == pytest.approx(sum(lengths) / 3, rel=1e-13)


def test_nodes_without_a_path_have_zero():
    grid = Stack.uniform(GRUCell, 3, 4, 3).grid(torch.randn(5, 2, 3))
    found = gradients.gradient_map(grid.h(2, 3).sum(), grid)
    assert torch.equal(found > 0, torch.tensor([[l <= 2 and t <= 3 for t in range(1, 6)] for l in range(1, 4)]))


def test_the_cell_line_is_the_total_derivative_by_c():
    """c_2 reaches the loss through h_2 and through c_3: a small change of it, run on by hand, shows both."""
    stack, x = Stack([LSTMCell(2, 3)]), torch.randn(4, 1, 2)
    grid, weight = stack.grid(x), torch.randn(3)
    loss, cell, before = (grid.h(1, 4) * weight).sum(), stack.cells[0], grid.state(1, 1)
    o = (cell.from_below(x[1]) + cell.from_past(before.h)).chunk(4, dim=-1)[3].sigmoid()

    def run_on(h, c):
        state = LSTMState(h, c)
        for x_t in x[2:]:
            state = cell(x_t, state)
        return float((state.h * weight).sum())

    with torch.no_grad():
        (h, c), steps = grid.state(1, 2), 1e-6 * torch.eye(3)
        by_c = [run_on(o * (c + e).tanh(), c + e) - run_on(o * (c - e).tanh(), c - e) for e in steps]
        by_h = [run_on(h + e, c) - run_on(h - e, c) for e in steps]
    for of, change in (("c", by_c), ("h", by_h)):
        found = gradients.gradient_map(loss, grid, of=of)[0, 1]
        assert float(found) == pytest.approx(float(torch.tensor(change).norm()) / 2e-6, rel=1e-6)


def test_layers_without_c_have_zero_along_the_cell_line():
    grid = Stack([GRUCell(3, 4), LSTMCell(4, 4), RNNCell(4, 4)]).grid(torch.randn(4, 2, 3))
    found = gradients.gradient_map(grid.h(3, 4).sum(), grid, of="c")
    assert [bool(row.any()) for row in found] == [False, True, False]


def test_the_map_leaves_the_graph_to_be_used_again():
    grid = Stack.uniform(LSTMCell, 3, 4, 3).grid(torch.randn(4, 2, 3))
    loss = grid.h(3, 4).sum()
    close(gradients.gradient_map(loss, grid), gradients.gradient_map(loss, grid), 0)
    assert loss.backward() is None


def test_the_loss_may_be_built_from_rows_ups_and_states():
    stack = Stack.uniform(LSTMCell, 3, 4, 3, connection=residual)
    grid = stack.grid(torch.randn(4, 2, 3))
    for loss in (grid.row(3).sum(), grid.up(3, 4).sum(), grid.state(2, 2).c.sum()):
        assert gradients.gradient_map(loss, grid)[0, 0] > 0


@pytest.fixture
def grid():
    return Stack.uniform(GRUCell, 3, 4, 2).grid(torch.randn(4, 2, 3))


@pytest.mark.usefixtures("unchecked")
def test_a_loss_of_several_numbers_is_refused(grid):
    with pytest.raises(ValueError, match=r"loss must be one number, summed over the batch, got shape \(2, 4\)"):
        gradients.gradient_map(grid.h(2, 4), grid)


def test_a_loss_that_does_not_depend_on_the_grid_is_refused(grid):
    other = Stack.uniform(GRUCell, 3, 4, 2)
    with torch.no_grad():
        unattached = other.grid(torch.randn(4, 2, 3))
    for loss in (torch.tensor(1.0), grid.h(2, 4).detach().sum()):
        with pytest.raises(ValueError, match="loss is not attached to anything; build the loss from this grid's own"):
            gradients.gradient_map(loss, grid)
    loss = other(torch.randn(4, 2, 3))[0].sum()
    for place in (grid, unattached):
        with pytest.raises(ValueError, match=r"loss depends on no node of this grid; .* with gradients enabled"):
            gradients.gradient_map(loss, place)


def test_a_field_that_no_layer_has_is_refused(grid):
    with pytest.raises(ValueError, match="of='c': no layer's state has that field, got RNNState; c is in LSTM layers"):
        gradients.gradient_map(grid.h(2, 4).sum(), grid, of="c")


@pytest.mark.usefixtures("unchecked")
def test_what_is_no_field_of_a_gradient_and_no_loss_is_refused(grid):
    loss = grid.h(2, 4).sum()
    for of in ("clock", "count", "x"):
        with pytest.raises(ValueError, match=f"of must be 'h' or 'c', got '{of}'"):
            gradients.gradient_map(loss, grid, of=of)
    with pytest.raises(TypeError, match="loss must be a tensor, computed from this grid's nodes, got float"):
        gradients.gradient_map(1.0, grid)


def test_one_backward_pass_serves_all_nodes(monkeypatch):
    """8 layers, 32 steps, width 32: one call of autograd."""
    grid, calls, real = Stack.uniform(LSTMCell, 32, 32, 8).grid(torch.randn(32, 2, 32)), [], torch.autograd.grad
    monkeypatch.setattr(torch.autograd, "grad", lambda *args, **more: calls.append(1) or real(*args, **more))
    assert (gradients.gradient_map(grid.up(8, 32).sum(), grid) > 0).all()
    assert len(calls) == 1
