"""All paths from the first input to the top right node: how many there are, what each carries, and their sum."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from course_lib.cells import check_size
from course_lib.gradients.edges import numbers, row_edges
from course_lib.grid import Grid
from course_lib.stack import Stack, plain

MAX_PATHS = 10_000
CHUNK = 2**22  # numbers held at once for the products of all paths to a node: 32 MB in float64


def path_count(num_steps: int, num_layers: int) -> int:
    """How many paths lead from x_1 to h_T^(L), each step one to the right or one up; exact.

    Equation: C(T + L - 2, L - 1): after the step into layer 1, T - 1 steps right and L - 1 steps up in any order.
    Errors: TypeError or ValueError for sizes that are no whole numbers of at least 1.
    """
    check_size("path_count", "num_steps", num_steps)
    check_size("path_count", "num_layers", num_layers)
    return math.comb(num_steps + num_layers - 2, num_layers - 1)


def path_sum(stack: Stack, grid: Grid) -> Float[Tensor, "batch top input_size"]:
    """d h_T^(L) / d x_1 as a sum over all paths, each a product of the Jacobians of its edges.

    Equation: sum over paths of E_K ... E_2 E_1. E_1 is D at (1, 1); a step right multiplies by A of the node that it
    enters, a step up by D. With LSTM layers a path carries [h, c] in time and h alone upwards. Where more than h goes
    up, as with ``residual``, a node hands on two vectors, its state and ``up``: each edge has rows for both, a step
    right starts from the state, a step up from ``up``.

    The sum is that of ``path_products``, made for a few columns at a time where memory asks for it.
    Errors: ValueError above 10,000 paths, and those of ``edge_jacobians``.
    """
    edges = _edges(stack, grid)
    largest = max(by_depth[0].shape[:2].numel() for _, by_depth in edges)
    columns = max(1, CHUNK // (largest * _count(grid)))
    return torch.cat([_walk(stack, grid, edges, part).sum(0) for part in _entry(edges).split(columns, dim=1)], dim=-1)


def path_products(stack: Stack, grid: Grid) -> Float[Tensor, "paths batch top input_size"]:
    """What each path from x_1 to h_T^(L) carries, the terms of ``path_sum``; the last edge by time comes first.

    Errors: those of ``path_sum``.
    """
    edges = _edges(stack, grid)
    return _walk(stack, grid, edges, _entry(edges))


def _count(grid: Grid) -> int:
    return path_count(grid.num_steps, grid.num_layers)


def _edges(stack: Stack, grid: Grid) -> list[tuple[Tensor, Tensor]]:
    """(by time, by depth) of every layer, bottom to top."""
    if _count(grid) > MAX_PATHS:
        raise ValueError(
            f"{grid.num_steps} steps and {grid.num_layers} layers have {_count(grid)} paths and path_sum adds at most "
            f"{MAX_PATHS}; gradients.jacobian(grid.h({grid.num_layers}, {grid.num_steps}), grid.h(0, 1)) is the same "
            "matrix by autograd"
        )
    return [row_edges(stack, grid, layer) for layer in range(1, grid.num_layers + 1)]


def _entry(edges: list[tuple[Tensor, Tensor]]) -> Float[Tensor, "input_size input_size"]:
    """∂x_1/∂x_1, where every path begins."""
    first = edges[0][1]
    return torch.eye(first.shape[-1], dtype=first.dtype, device=first.device)


def _walk(
    stack: Stack, grid: Grid, edges: list[tuple[Tensor, Tensor]], entry: Float[Tensor, "input_size columns"]
) -> Float[Tensor, "paths batch top columns"]:
    """The product along every path, column by column of the grid.

    Paths with a common beginning share its product. The products of all paths to a node stand side by side in one
    matrix, (batch, n, paths * columns): the edge that they take next is one multiplication.
    """
    sent = [_rows_sent(stack, grid, layer) for layer in range(1, grid.num_layers + 1)]
    arrived: list[Tensor | None] = [None] * grid.num_layers
    for time in range(grid.num_steps):
        below = entry if time == 0 else None  # every path enters at x_1
        for layer, (by_time, by_depth) in enumerate(edges):
            left, steps = arrived[layer], []
            if left is not None:
                steps.append(by_time[time] @ left[:, : by_time.shape[-1]])
            if below is not None:
                steps.append(by_depth[time] @ below)
            arrived[layer] = torch.cat(steps, dim=-1)
            below = arrived[layer][:, sent[layer]]
    top = arrived[-1][:, : grid.h(grid.num_layers, 1).shape[-1]]
    return top.unflatten(-1, (-1, entry.shape[-1])).permute(2, 0, 1, 3)


def _rows_sent(stack: Stack, grid: Grid, layer: int) -> slice:
    """Which rows of what a node hands on go up: those of h, or those of ``up`` behind the whole state."""
    state = numbers(grid.state(layer, 1))
    if stack.connections[layer - 1] is plain:
        return slice(0, state["h"].shape[-1])
    return slice(sum(field.shape[-1] for field in state.values()), None)
