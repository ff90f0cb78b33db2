"""The sum over paths: against autograd, and against paths that are listed and multiplied one by one."""

import itertools
import math

import pytest
import torch

from course_lib import GRUCell, LSTMCell, RNNCell, Stack, gradients, init, plain, residual
from course_lib.gradients import paths
from course_lib.relatives.clocked import ClockedStack
from course_lib.relatives.dilated import DilatedStack
from tests.worlds import CELLS, close, random_states

STACKS = {
    "vanilla": lambda **how: Stack.uniform(RNNCell, 3, 4, 3, **how),
    "GRU": lambda **how: Stack.uniform(GRUCell, 3, 4, 3, **how),
    "LSTM": lambda **how: Stack.uniform(LSTMCell, 4, 4, 4, **how),
    "mixed": lambda **how: Stack([GRUCell(3, 4), LSTMCell(4, 4), RNNCell(4, 4), LSTMCell(4, 4)], **how),
}
EVERY_STACK = pytest.mark.parametrize("name", STACKS)


def relative_error(stack, grid):
    whole = gradients.jacobian(grid.h(grid.num_layers, grid.num_steps), grid.h(0, 1))
    return float((gradients.path_sum(stack, grid) - whole).abs().max() / whole.abs().max())


@EVERY_STACK
@pytest.mark.parametrize("connection", [plain, residual])
@pytest.mark.parametrize("num_steps", [1, 2, 7])
def test_equals_autograd(name, connection, num_steps):
    stack = STACKS[name](connection=connection)
    grid = stack.grid(torch.randn(num_steps, 2, stack.input_size), random_states(stack, 2))
    assert gradients.path_sum(stack, grid).shape == (2, 4, stack.input_size)
    assert relative_error(stack, grid) < 1e-12


@pytest.mark.parametrize("cell", CELLS)
def test_equals_autograd_for_one_layer_unequal_widths_and_many_paths(cell):
    for stack, num_steps in (
        (Stack([cell(3, 4)]), 9),
        (Stack([cell(3, 6), cell(6, 2), cell(2, 5)]), 5),
        (Stack.uniform(cell, 3, 4, 8), 8),  # 3,432 paths
    ):
        assert relative_error(stack, stack.grid(torch.randn(num_steps, 2, 3))) < 1e-12


def test_equals_autograd_for_connections_of_ones_own():
    def gated(below, h):
        return torch.cat([below.tanh() * h, h * 0.3], dim=-1)

    cells = [LSTMCell(3, 4), RNNCell(4, 4), LSTMCell(8, 8), GRUCell(16, 5)]
    stack = Stack(cells, connection=[plain, gated, gated, plain])
    assert relative_error(stack, stack.grid(torch.randn(5, 2, 3))) < 1e-12


def test_equals_autograd_for_clocks_and_longer_memories():
    for stack, num_steps in (
        (ClockedStack.uniform(LSTMCell, 3, 4, 3, connection=residual), 8),
        (DilatedStack.uniform(LSTMCell, 3, 4, 3, dilations=(1, 2, 3)), 7),
    ):
        assert relative_error(stack, stack.grid(torch.randn(num_steps, 2, 3))) < 1e-12


def listed_products(stack, grid):
    """Every path by itself: its climbs listed, one matrix a step, the whole state throughout.

    Climbing out of an LSTM takes h alone: the columns of its c are zero.
    """
    num_moves, products = grid.num_steps + grid.num_layers - 2, []
    for ups in itertools.combinations(range(num_moves), grid.num_layers - 1):
        layer = time = 1
        product = gradients.edge_jacobians(stack, grid, 1, 1)[1]
        for move in range(num_moves):
            layer, time = (layer + 1, time) if move in ups else (layer, time + 1)
            by_time, by_depth = gradients.edge_jacobians(stack, grid, layer, time)
            if move in ups:
                missing = product.shape[1] - by_depth.shape[2]
                by_depth = torch.cat([by_depth, by_depth.new_zeros(*by_depth.shape[:2], missing)], dim=2)
            product = (by_depth if move in ups else by_time) @ product
        products.append(product[:, : stack.hidden_sizes[-1]])
    return torch.stack(products)


@EVERY_STACK
def test_each_product_is_that_of_a_path_listed_by_itself(name):
    stack = STACKS[name]()
    grid = stack.grid(torch.randn(4, 2, stack.input_size))
    listed, products = listed_products(stack, grid), gradients.path_products(stack, grid)
    assert len(products) == len(listed) == gradients.path_count(4, stack.num_layers)
    found = [min(range(len(listed)), key=lambda k: float((listed[k] - each).abs().max())) for each in products]
    assert sorted(found) == list(range(len(listed)))
    close(products, listed[found], 1e-14)
    close(gradients.path_sum(stack, grid), listed.sum(0), 1e-14)


def test_few_columns_at_a_time_give_the_same_sum(monkeypatch):
    stack = Stack.uniform(LSTMCell, 5, 4, 3, connection=residual)
    grid = stack.grid(torch.randn(6, 2, 5))
    whole, walk, widths = gradients.path_sum(stack, grid), paths._walk, []
    monkeypatch.setattr(paths, "_walk", lambda *args: widths.append(args[-1].shape[1]) or walk(*args))
    for chunk, expected in ((1, [1] * 5), (2 * 12 * 21 * 2, [2, 2, 1])):
        monkeypatch.setattr(paths, "CHUNK", chunk)
        widths.clear()
        close(gradients.path_sum(stack, grid), whole, 1e-14)
        assert widths == expected


def test_paths_are_counted_as_a_walk_through_the_grid_counts_them():
    ways = {(t, 1): 1 for t in range(1, 13)} | {(1, l): 1 for l in range(1, 13)}
    for t, l in itertools.product(range(2, 13), range(2, 13)):
        ways[t, l] = ways[t - 1, l] + ways[t, l - 1]
    assert {place: gradients.path_count(*place) for place in ways} == ways
    assert gradients.path_count(12, 12) == 705432
    assert gradients.path_count(500, 500) == math.comb(998, 499)


def test_where_every_edge_is_1_the_sum_is_the_number_of_paths():
    stack = Stack([RNNCell(1, 1) for _ in range(4)])
    for parameter in stack.parameters():
        torch.nn.init.constant_(parameter, float(parameter.dim() == 2))
    close(gradients.path_sum(stack, stack.grid(torch.zeros(10, 1, 1))), torch.full((1, 1, 1), 220.0), 0)


def test_too_many_paths_are_refused_before_anything_is_computed():
    grid = Stack.uniform(RNNCell, 2, 2, 12).grid(torch.randn(12, 1, 2))
    for function in (gradients.path_sum, gradients.path_products):
        with pytest.raises(
            ValueError, match=r"12 steps and 12 layers have 705432 paths .* at most 10000; gradients.jac"
        ):
            function(Stack.uniform(RNNCell, 2, 2, 12), grid)
    assert gradients.path_count(140, 3) == 9870
    stack = init.orthogonal(Stack.uniform(RNNCell, 2, 2, 3))
    assert relative_error(stack, stack.grid(0.1 * torch.randn(140, 1, 2))) < 1e-11


def test_a_pass_that_the_edges_refuse_is_refused():
    stack = Stack.uniform(GRUCell, 3, 4, 3, dropout=0.5)
    with pytest.raises(ValueError, match="training mode with dropout"):
        gradients.path_sum(stack, stack.grid(torch.randn(4, 2, 3)))
    with pytest.raises(ValueError, match=r"layer 1 at time 3, sequence 0, .* ended"):
        gradients.path_sum(stack.eval(), stack.grid(torch.randn(4, 2, 3), lengths=[2, 4]))


@pytest.mark.parametrize(("sizes", "kind"), [((0, 3), ValueError), ((3, 0), ValueError), ((2.5, 3), TypeError)])
@pytest.mark.usefixtures("unchecked")
def test_sizes_that_are_none_are_refused(sizes, kind):
    with pytest.raises(kind, match="path_count: num_"):
        gradients.path_count(*sizes)
