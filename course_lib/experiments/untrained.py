"""Stacks that nobody has trained, by name, and the loss at their last output."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from course_lib import init
from course_lib.cells import GRUCell, LSTMCell, RNNCell
from course_lib.grid import Grid
from course_lib.stack import Stack, residual

Maker = Callable[[int, int], Stack]  # (width, num_layers)


def uniform(cell: type, **options: object) -> Maker:
    """Equal widths throughout, the input's included, at torch's default start."""
    return lambda width, num_layers: Stack.uniform(cell, width, width, num_layers, **options)


def started(make: Maker, start: Callable[..., Stack], *factors: float) -> Maker:
    """The same stack from another start: ``start(stack, *factors)``."""
    return lambda width, num_layers: start(make(width, num_layers), *factors)


@torch.no_grad()
def orthogonal_edges(stack: Stack, a: float, b: float) -> Stack:
    """Orthogonal weights of norm a by time and b by depth, layer 1 included: a vanilla stack's edges at zero input."""
    init.orthogonal(stack, a, b)
    stack.cells[0].weight_ih.mul_(b)
    return stack


STACKS: Mapping[str, Maker] = {
    "vanilla": uniform(RNNCell),
    "vanilla, residual": uniform(RNNCell, connection=residual),
    "GRU": uniform(GRUCell),
    "GRU, residual": uniform(GRUCell, connection=residual),
    "LSTM": uniform(LSTMCell),
    "LSTM, residual": uniform(LSTMCell, connection=residual),
    "LSTM, forget bias 2": started(uniform(LSTMCell), init.forget_bias, 2.0),
    "LSTM, residual, forget bias 2": started(uniform(LSTMCell, connection=residual), init.forget_bias, 2.0),
    "vanilla, orthogonal .707": started(uniform(RNNCell), init.orthogonal, 0.5**0.5, 0.5**0.5),
}


def last_output_loss(grid: Grid) -> Tensor:
    """v · up_T^(L), v a random vector of length about 1, summed over the batch."""
    output = grid.up(grid.num_layers, grid.num_steps)
    return (output @ torch.randn(output.shape[-1]) / output.shape[-1] ** 0.5).sum()
