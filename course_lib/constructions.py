"""Hand-set weights: what a cell or a stack can do, shown by doing it; nothing is trained.

The parity machines start from zero states, read bits as (time, batch, 1) and answer 1 where their output is above
1/2. Steep tanh and sigmoid units serve as steps.
"""

import math

import torch
from torch import nn

from course_lib.cells import GRUCell, LSTMCell, RNNCell
from course_lib.stack import Stack

STEEP = 40.0  # tanh(STEEP / 4) is 1 - 4e-9
SLOPE, CENTRE = 2.4, 1 / 3  # of the units that fold


@torch.no_grad()
def vanilla_parity() -> tuple[Stack, nn.Linear]:
    """Parity of all bits so far, by one vanilla layer of width 2 and a linear read-out.

    Equation: a_t = [x_t + p_{t-1} > 1/2], b_t = [x_t + p_{t-1} > 3/2], as units of -1 and 1; p_t = (a_t - b_t) / 2 is
    linear in the state, so the recurrence may use it. The read-out is p_t.
    """
    cell, read_out = RNNCell(1, 2), nn.Linear(2, 1)
    cell.weight_ih.fill_(STEEP)
    cell.weight_hh.copy_(STEEP / 2 * torch.tensor([[1.0, -1.0], [1.0, -1.0]]))
    cell.bias_ih.copy_(-STEEP * torch.tensor([0.5, 1.5]))
    cell.bias_hh.zero_()
    read_out.weight.copy_(torch.tensor([[0.5, -0.5]]))
    read_out.bias.zero_()
    return Stack([cell]), read_out


@torch.no_grad()
def stacked_parity() -> Stack:
    """Parity as one coordinate of a vanilla stack: the unit of layer 2 is tanh(STEEP (p_t - 1/2)), in the same step.

    Layer 1 is that of ``vanilla_parity``.
    """
    below, read_out = vanilla_parity()
    top = RNNCell(2, 1)
    top.weight_ih.copy_(STEEP * read_out.weight)
    top.bias_ih.fill_(-STEEP / 2)
    top.weight_hh.zero_()
    top.bias_hh.zero_()
    return Stack([below.cells[0], top])


@torch.no_grad()
def gru_parity() -> Stack:
    """Parity as the one coordinate of a GRU of width 1.

    Equation: x_t = 0 opens the gate z, which keeps h; x_t = 1 closes it and h becomes n = tanh(STEEP (1/2 - h)), which
    is 1 after 0 or -1 and -1 after 1.
    """
    cell = GRUCell(1, 1)
    _set(cell.weight_ih, r=0, z=-2 * STEEP, n=0)
    _set(cell.weight_hh, r=0, z=0, n=-STEEP)
    _set(cell.bias_ih, r=STEEP, z=STEEP, n=STEEP / 2)
    cell.bias_hh.zero_()
    return Stack([cell])


@torch.no_grad()
def lstm_parity() -> Stack:
    """Parity as the one coordinate of an LSTM of width 1, whose h is 0, tanh(1) or -tanh(1).

    Equation: f = 1 - i, both steps of x_t; o = 1; g = tanh(STEEP (1/2 - h_{t-1})), so c flips where x_t = 1.
    """
    cell = LSTMCell(1, 1)
    _set(cell.weight_ih, i=2 * STEEP, f=-2 * STEEP, g=0, o=0)
    _set(cell.weight_hh, i=0, f=0, g=-STEEP, o=0)
    _set(cell.bias_ih, i=-STEEP, f=STEEP, g=STEEP / 2, o=STEEP)
    cell.bias_hh.zero_()
    return Stack([cell])


@torch.no_grad()
def folding_stack(num_layers: int) -> Stack:
    """A vanilla stack of width 2 whose layer l has 2^(l-1) monotone pieces over one input x in [-1, 1], in one step.

    Equation: both units of a layer are tanh(SLOPE (z + CENTRE)) and tanh(SLOPE (z - CENTRE)); their difference is a
    bump over z, which the next layer stretches to [-1, 1] as its own z. So z <- bump(z) folds [-1, 1] onto itself once
    a layer, with its peak at 0 and both ends at -1. Recurrent weights are zero.
    Source: after Montufar et al. 2014, section 3, with tanh for their rectifiers.
    """
    stack = Stack.uniform(RNNCell, 1, 2, num_layers)
    ends = math.tanh(SLOPE * (1 + CENTRE)) - math.tanh(SLOPE * (1 - CENTRE))
    stretch = 2 / (2 * math.tanh(SLOPE * CENTRE) - ends)
    for layer, cell in enumerate(stack.cells, start=1):
        bump = torch.tensor([[stretch, -stretch]]) if layer > 1 else torch.ones(1, 1)
        shift = -1 - stretch * ends if layer > 1 else 0.0
        cell.weight_ih.copy_(SLOPE * bump.expand(2, -1))
        cell.bias_ih.copy_(SLOPE * (shift + torch.tensor([CENTRE, -CENTRE])))
        cell.weight_hh.zero_()
        cell.bias_hh.zero_()
    return stack


def _set(parameter: nn.Parameter, **gates: float | int) -> None:
    """The rows of a cell of width 1, gate by gate in torch's order."""
    parameter.copy_(torch.tensor(list(gates.values())).reshape(parameter.shape))
