"""Checks of a stack as one wide layer."""

from collections.abc import Iterator

import torch
from torch import Tensor

from course_lib.cells import RNNCell
from course_lib.checks.exercise import Wrong, ask, exercise, expect_tensor, got, same
from course_lib.relatives.pipeline import pipeline as reference_pipeline
from course_lib.stack import Stack


@exercise(
    "02.5",
    hints=(
        "Write the equation of block l at step t. Which block's *previous* value does it read, and with which matrix?",
        "W_hh of layer l stands on the diagonal, W_ih of layer l left of it. Only block 1 reads x.",
        "weight_hh[l*h:(l+1)*h, (l-1)*h:l*h] = stack.cells[l].weight_ih for l >= 1; stack the biases likewise.",
    ),
)
def pipeline(answer: object, seed: int) -> str:
    """``pipeline(stack)`` gives (weight_ih, weight_hh, bias) of the wide layer; three and four layers."""
    for d, width, num_layers in ((3, 4, 3), (2, 2, 4)):
        stack = Stack.uniform(RNNCell, d, width, num_layers).to(torch.float64)
        total = width * num_layers
        given = ask(answer, stack)
        if not isinstance(given, tuple | list) or len(given) != 3:
            raise Wrong(f"give back three tensors (weight_ih, weight_hh, bias), {got(given)}")
        names, shapes = ("weight_ih", "weight_hh", "bias"), ((total, d), (total, total), (total,))
        parts = [expect_tensor(*each).detach().double() for each in zip(given, shapes, names)]
        _judge_pipeline(parts, stack, width)
    return "one wide layer gives the stack's output, L - 1 steps later"


def _judge_pipeline(parts: list[Tensor], stack: Stack, width: int) -> None:
    right = reference_pipeline(stack)
    wanted = [right.weight_ih.detach(), right.weight_hh.detach(), (right.bias_ih + right.bias_hh).detach()]
    weight_ih, weight_hh, bias = parts
    if not same(weight_ih, wanted[0]):
        if weight_ih[width:].any():
            raise Wrong("x enters a block above the first: only layer 1 reads the input, the other rows are zero")
        raise Wrong("the first block of weight_ih is not the W_ih of layer 1")
    if same(weight_hh.T, wanted[1]):
        raise Wrong("weight_hh is transposed: rows are what is computed, columns what is read")
    for name, rows, cols in _blocks(stack.num_layers):
        mine, mirrored, other = (
            matrix[i * width : (i + 1) * width, j * width : (j + 1) * width]
            for matrix, i, j in ((weight_hh, rows, cols), (weight_hh, cols, rows), (wanted[1], rows, cols))
        )
        if not same(mine, other):
            raise Wrong(f"block ({rows + 1}, {cols + 1}) of weight_hh {name}" + _name_block(mine, mirrored, other))
    if not same(bias, wanted[2]):
        raise Wrong("the bias is not b_ih + b_hh of each layer, one under the other: torch has two biases, add both")


def _name_block(mine: Tensor, mirrored: Tensor, wanted: Tensor) -> str:
    if not wanted.any():
        return ""
    if same(mine.T, wanted):
        return "; yours is its transpose"
    if same(mirrored, wanted):
        return "; yours stands on the other side of the diagonal: rows are what is computed, columns what is read"
    return ""


def _blocks(num_layers: int) -> Iterator[tuple[str, int, int]]:
    for l in range(num_layers):
        yield f"must be the W_hh of layer {l + 1}, its recurrence", l, l
        if l:
            yield f"must be the W_ih of layer {l + 1}: it reads the block below, one step late", l, l - 1
    for rows in range(num_layers):
        for cols in range(num_layers):
            if cols not in (rows, rows - 1):
                yield "must be zero: a layer reads itself and the layer below, nothing else", rows, cols
