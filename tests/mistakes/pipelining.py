"""A stack as one wide layer: right and wrong answers."""

import math

import torch

from course_lib import checks


def pipeline(stack):
    h, cells = stack.hidden_sizes[0], stack.cells
    weight_ih = torch.zeros(h * len(cells), stack.input_size)
    weight_hh = torch.zeros(h * len(cells), h * len(cells))
    weight_ih[:h] = cells[0].weight_ih
    for l, cell in enumerate(cells):
        weight_hh[l * h : (l + 1) * h, l * h : (l + 1) * h] = cell.weight_hh
        if l:
            weight_hh[l * h : (l + 1) * h, (l - 1) * h : l * h] = cell.weight_ih
    return weight_ih, weight_hh, torch.cat([cell.bias_ih + cell.bias_hh for cell in cells])


def wide(change):
    """The pipelined layer of the right answer, changed: ``change(weight_ih, weight_hh, bias, stack, h)``."""

    @torch.no_grad()
    def answer(stack):
        parts = pipeline(stack)
        changed = change(*parts, stack, stack.hidden_sizes[0])
        return parts if changed is None else changed

    return answer


def put(rows, cols, value):
    """A change of one block of weight_hh."""

    def change(weight_ih, weight_hh, bias, stack, h):
        weight_hh[rows * h : (rows + 1) * h, cols * h : (cols + 1) * h] = value(stack)

    return wide(change)


def up_to_layer_3(matrix, h):
    return matrix.index_fill(0, torch.arange(3 * h, len(matrix)), 0)


def above_the_diagonal(weight_ih, weight_hh, bias, stack, h):
    weight_hh[h : 2 * h, 2 * h : 3 * h] = stack.cells[2].weight_ih
    weight_hh[2 * h : 3 * h, h : 2 * h] = 0


PIPELINE = {
    "x enters a block above the first": wide(lambda ih, hh, b, stack, h: (ih + 0.1, hh, b)),
    "the first block of weight_ih is not": wide(lambda ih, hh, b, stack, h: (ih * 0, hh, b)),
    "weight_hh is transposed": wide(lambda ih, hh, b, stack, h: (ih, hh.T, b)),
    "block (1, 1) of weight_hh must be the W_hh of layer 1": put(0, 0, lambda stack: 0),
    "block (3, 3) of weight_hh must be the W_hh of layer 3": put(2, 2, lambda stack: stack.cells[1].weight_hh),
    "block (2, 1) of weight_hh must be the W_ih of layer 2": put(1, 0, lambda stack: stack.cells[1].weight_hh),
    "one step late; yours is its transpose": put(2, 1, lambda stack: stack.cells[2].weight_ih.T),
    "one step late; yours stands on the other side of the diagonal": wide(above_the_diagonal),
    "block (1, 2) of weight_hh must be zero": put(0, 1, lambda stack: stack.cells[1].weight_ih),
    "block (3, 1) of weight_hh must be zero": put(2, 0, lambda stack: stack.cells[2].weight_ih),
    "block (4, 4) of weight_hh must be the W_hh of layer 4": wide(
        lambda ih, hh, b, s, h: (ih, up_to_layer_3(hh, h), b)
    ),
    "the bias is not b_ih + b_hh": wide(lambda ih, hh, b, s, h: (ih, hh, torch.cat([c.bias_ih for c in s.cells]))),
    "give back three tensors (weight_ih, weight_hh, bias), got tuple": wide(lambda ih, hh, b, stack, h: (ih, hh)),
    "weight_ih must have shape (12, 3), got (4, 3)": wide(lambda ih, hh, b, stack, h: (ih[:h], hh, b)),
    "bias must be a tensor, got None": wide(lambda ih, hh, b, stack, h: (ih, hh, None)),
    "weight_hh holds numbers that are NaN": wide(lambda ih, hh, b, stack, h: (ih, hh * math.nan, b)),
}
RIGHT = {"02.5": (checks.pipelining.pipeline, pipeline)}
MISTAKES = {"02.5": PIPELINE}
