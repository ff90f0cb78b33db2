"""All nodes: indices, autograd, the cone of dependence."""

import itertools

import pytest
import torch
from torch.autograd import forward_ad

from course_lib import GRUCell, LSTMCell, LSTMState, RNNCell, Stack, gradients, residual
from tests.worlds import CELLS, close, random_states


@pytest.fixture
def stack():
    return Stack([RNNCell(5, 6), LSTMCell(6, 4), GRUCell(4, 7)])


def test_indices_are_the_mathematics(stack):
    x, states = torch.randn(6, 3, 5), random_states(stack, 3)
    grid = stack.grid(x, states)
    assert (grid.num_layers, grid.num_steps, len(grid)) == (3, 6, 6)
    close([grid.h(0, t) for t in range(1, 7)], list(x), 0)
    close(grid.row(0), x, 0)
    close([grid.h(layer, 0) for layer in (1, 2, 3)], [state.h for state in states], 0)
    assert isinstance(grid.state(2, 3), LSTMState)
    assert grid.column(3)[1] is grid.state(2, 3)
    assert grid.h(2, 3) is grid.state(2, 3).h
    assert grid.up(0, 3) is grid.h(0, 3)
    assert grid.row(3).shape == (6, 3, 7)
    assert repr(grid) == "Grid(3 layers x 6 steps, batch 3, widths [5, 6, 4, 7])"


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("method", "node", "words"),
    [
        ("h", (4, 1), r"layer must be in 0..3, got 4"),
        ("h", (-1, 1), r"layer must be in 0..3, got -1"),
        ("h", (1, 7), r"time must be in 0..6 at layer 1, got 7"),
        ("h", (1, -1), r"time must be in 0..6 at layer 1, got -1"),
        ("h", (0, 0), r"time must be in 1..6 at layer 0, got 0"),
        ("state", (0, 1), r"layer must be in 1..3, got 0"),
        ("up", (2, 0), r"time must be in 1..6 at layer 2, got 0"),
        ("up", (4, 1), r"layer must be in 0..3, got 4"),
        ("row", (4,), r"layer must be in 0..3, got 4"),
        ("row", (-1,), r"layer must be in 0..3, got -1"),
        ("column", (7,), r"time must be in 0..6"),
        ("column", (-1,), r"time must be in 0..6"),
    ],
)
def test_nodes_outside_are_refused(stack, method, node, words):
    grid = stack.grid(torch.randn(6, 3, 5))
    with pytest.raises(IndexError, match=words):
        getattr(grid, method)(*node)


@pytest.mark.usefixtures("unchecked")
def test_an_index_must_be_whole(stack):
    with pytest.raises(TypeError):
        stack.grid(torch.randn(6, 3, 5)).h(1.0, 2)


def test_cone(stack):
    """h_t^(l) depends on h_s^(m) exactly if m <= l and s <= t."""
    grid = stack.grid(torch.randn(4, 2, 5))
    nodes = list(itertools.product(range(1, 4), range(5)))
    for (l, t), (m, s) in itertools.product(nodes, nodes):
        reaches = gradients.jacobian(grid.h(l, t), grid.h(m, s)).abs().max() > 0
        # Initial states of one column know nothing of each other.
        expected = (m <= l and s <= t) if t > 0 else (m, s) == (l, t)
        assert bool(reaches) == expected, ((m, s), (l, t))


def test_only_h_goes_up():
    """A layer computed again from h below and its own past is the same; c below has no arrow of its own."""
    stack = Stack([LSTMCell(5, 6), LSTMCell(6, 4), GRUCell(4, 4)])
    grid = stack.grid(torch.randn(4, 2, 5))
    for layer, time in itertools.product((2, 3), range(1, 5)):
        again = stack.cells[layer - 1](grid.h(layer - 1, time), grid.state(layer, time - 1))
        assert torch.equal(again.h, grid.h(layer, time))
        own = torch.autograd.grad(again.h.sum(), grid.state(layer - 1, time).c, retain_graph=True)[0]
        through_h = torch.autograd.grad(again.h.sum(), grid.h(layer - 1, time), retain_graph=True)[0]
        (lifted,) = torch.autograd.grad(
            grid.h(layer - 1, time), grid.state(layer - 1, time).c, through_h, retain_graph=True
        )
        close(own, lifted)


@pytest.mark.parametrize("lengths", [None, [4, 2]])
@pytest.mark.parametrize("cell", CELLS)
def test_every_node_is_on_the_way_to_the_loss(cell, lengths):
    """Where a node lies before its sequence's end, the loss sees it; gradients at the node equal finite differences."""
    stack = Stack.uniform(cell, 3, 3, 3, connection=residual)
    x = torch.randn(4, 2, 3)
    grid = stack.grid(x, lengths=lengths)
    loss = sum(grid.up(3, t).pow(2).sum() for t in range(1, 5))
    for layer, time in itertools.product(range(4), range(1, 5)):
        (gradient,) = torch.autograd.grad(loss, grid.h(layer, time), retain_graph=True)
        assert (gradient[0] != 0).any(), (layer, time)
    (at_input,) = torch.autograd.grad(loss, grid.h(0, 2), retain_graph=True)
    nudge = torch.zeros_like(x)
    nudge[1, 0, 1] = 1e-6
    up, down = (stack(x + sign * nudge, lengths=lengths)[0].pow(2).sum() for sign in (1, -1))
    assert abs((up - down) / 2e-6 - at_input[0, 1]) < 1e-7


def test_input_and_initial_nodes_require_grad(stack):
    grid = stack.grid(torch.randn(4, 2, 5), random_states(stack, 2))
    assert all(grid.h(0, t).requires_grad for t in range(1, 5))
    assert all(field.requires_grad for state in grid.column(0) for field in state)


def test_an_attached_input_stays_attached(stack):
    x = torch.randn(4, 2, 5, requires_grad=True)
    grid = stack.grid(2 * x)
    grid.h(3, 4).sum().backward()
    assert (x.grad.abs().sum((1, 2)) > 0).all()


def test_a_row_is_a_copy_and_no_node():
    stack = Stack.uniform(RNNCell, 3, 3, 3)
    grid = stack.grid(torch.randn(4, 2, 3))
    with pytest.raises(RuntimeError, match="not have been used in the graph"):
        torch.autograd.grad(grid.h(3, 4).sum(), grid.row(1))


@pytest.mark.parametrize("cell", CELLS)
def test_jacobian_equals_finite_differences(cell):
    node = cell(3, 4)
    x, state = torch.randn(2, 3, requires_grad=True), node.initial_state(2)
    jacobian = gradients.jacobian(node(x, state).h, x)
    assert jacobian.shape == (2, 4, 3)
    for j in range(3):
        nudge = torch.zeros(2, 3)
        nudge[:, j] = 1e-6
        slope = (node(x + nudge, state).h - node(x - nudge, state).h) / 2e-6
        close(jacobian[:, :, j], slope, 1e-8)


@pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")
def test_the_grid_carries_tangents_and_works_under_torch_func():
    stack, x, v = Stack.uniform(RNNCell, 3, 4, 2), torch.randn(4, 2, 3), torch.randn(4, 2, 3)
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(x, v)
        through_rows = forward_ad.unpack_dual(stack(dual)[0][-1]).tangent
        through_grid = forward_ad.unpack_dual(stack.grid(dual).h(2, 4)).tangent
    close(through_grid, through_rows)
    close(torch.func.jacrev(lambda x: stack.grid(x).h(2, 4))(x), torch.func.jacrev(lambda x: stack(x)[0][-1])(x))
