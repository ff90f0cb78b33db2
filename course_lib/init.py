"""Starts: where the weights of a stack begin, set in place before training."""

import math
from collections.abc import Iterable

import torch
from torch import nn

from course_lib.cells import Cell, LSTMCell, RNNCell
from course_lib.stack import Stack


@torch.no_grad()
def forget_bias(stack: Stack, b: float) -> Stack:
    """Set the forget gate's bias of every layer that has one: the *sum* of torch's two biases becomes b.

    Equation: f_t = sigmoid(... + b), so a fresh cell keeps about sigmoid(b) of c a step.
    Errors: TypeError if no layer has a forget gate. Returns the same stack.
    Source: Gers, Schmidhuber and Cummins 2000; Jozefowicz, Zaremba and Sutskever 2015, section 2.1.
    """
    cells = [cell for cell in stack.cells if "f" in cell.gates]
    if not cells:
        raise TypeError(f"forget_bias needs a layer with a forget gate, got {_kinds(stack)}")
    _check_own_weights("forget_bias", cells)
    for cell in cells:
        start = cell.gates.index("f") * cell.hidden_size
        cell.bias_ih[start : start + cell.hidden_size] = b
        cell.bias_hh[start : start + cell.hidden_size] = 0
    return stack


@torch.no_grad()
def orthogonal(stack: Stack, time: float = 1.0, depth: float = 1.0) -> Stack:
    """Orthogonal blocks, gate by gate: recurrent weights times ``time``, upward weights of layers 2..L times ``depth``.

    Equation: W_hh W_hh^T = time^2 I for every gate. Layer 1's input weights are orthogonal with factor 1; biases are 0.
    Errors: TypeError for a cell without torch's weights. Returns the same stack. Source: Saxe 2014, section 3.
    """
    _check_torch_weights("orthogonal", stack)
    _check_own_weights("orthogonal", stack.cells)
    for layer, cell in enumerate(stack.cells, start=1):
        for weight, gain in ((cell.weight_hh, time), (cell.weight_ih, depth if layer > 1 else 1.0)):
            for block in weight.split(cell.hidden_size):
                nn.init.orthogonal_(block, gain)
        cell.bias_ih.zero_()
        cell.bias_hh.zero_()
    return stack


@torch.no_grad()
def aligned(stack: Stack, time: float = 1.0, depth: float = 1.0) -> Stack:
    """Vanilla weights that all push the same way: every path through the grid adds to every other.

    Equation: W_hh = time / h and W_ih = depth / sqrt(h d) in every entry, so that their largest singular values are
    ``time`` and ``depth``, layer 1 included; biases are 0. At zero input each arrow of the grid has exactly these
    norms, and the gradient is C(T + L - 2, L - 1) time^(T-1) depth^L.
    Errors: TypeError if a layer is no RNNCell, ValueError for a negative size. Returns the same stack.
    """
    _check_vanilla("aligned", stack)
    for name, value in (("time", time), ("depth", depth)):
        if not value >= 0:
            raise ValueError(f"aligned: {name} must be at least 0, got {value}")
    for cell in stack.cells:
        cell.weight_hh.fill_(time / cell.hidden_size)
        cell.weight_ih.fill_(depth / math.sqrt(cell.hidden_size * cell.input_size))
        cell.bias_ih.zero_()
        cell.bias_hh.zero_()
    return stack


@torch.no_grad()
def identity(stack: Stack, scale: float = 1.0) -> Stack:
    """Recurrent weights of vanilla layers become scale * I, their biases 0; input weights stay as they are.

    Errors: TypeError if a layer is no RNNCell. Returns the same stack. Source: Le, Jaitly and Hinton 2015, section 2.
    """
    _check_vanilla("identity", stack)
    for cell in stack.cells:
        nn.init.eye_(cell.weight_hh).mul_(scale)
        cell.bias_ih.zero_()
        cell.bias_hh.zero_()
    return stack


def _check_torch_weights(name: str, stack: Stack) -> None:
    if not all(cell.gates for cell in stack.cells):
        raise TypeError(f"{name} needs cells with torch's weights, such as {LSTMCell.__name__}, got {_kinds(stack)}")


def _check_vanilla(name: str, stack: Stack) -> None:
    if not all(isinstance(cell, RNNCell) for cell in stack.cells):
        raise TypeError(f"{name} is for vanilla layers (RNNCell) only, got {_kinds(stack)}")
    _check_own_weights(name, stack.cells)


def _check_own_weights(name: str, cells: Iterable[Cell]) -> None:
    """Weights that are computed from others, by weight norm or pruning, would silently stay what they are."""
    for cell in cells:
        computed = [each for each in ("weight_ih", "weight_hh", "bias_ih", "bias_hh") if each not in cell._parameters]
        if computed:
            raise TypeError(
                f"{name}: {computed[0]} of {type(cell).__name__} is computed from other parameters; set the start "
                "first, then parametrize or prune"
            )


def _kinds(stack: Stack) -> list[str]:
    return [type(cell).__name__ for cell in stack.cells]
