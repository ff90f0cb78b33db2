"""A vanilla stack as one wide layer: the pipeline of a stack."""

import torch
from jaxtyping import Float
from torch import Tensor

from course_lib.cells import RNNCell, RNNState
from course_lib.stack import Stack, plain


@torch.no_grad()
def pipeline(stack: Stack) -> RNNCell:
    """One vanilla cell of width h_1 + ... + h_L that computes what the stack computes, L - 1 steps later.

    Equation: H_t^(l) = h_{t-l+1}^(l). Block l of the recurrent matrix holds W_hh^(l) on the diagonal and W_ih^(l) left
    of it; only block 1 reads x. The stack is taken in eval mode, without its dropout.
    Errors: TypeError for cells that are not vanilla, or connections that are not plain.
    """
    if any(type(cell) is not RNNCell for cell in stack.cells):
        raise TypeError(f"pipeline needs RNNCell in every layer, got {[type(cell).__name__ for cell in stack.cells]}")
    if any(connection is not plain for connection in stack.connections):
        raise TypeError(f"pipeline needs plain connections, got {stack.extra_repr()}")
    wide = RNNCell(stack.input_size, sum(stack.hidden_sizes)).to(stack.cells[0].weight_hh)
    for parameter in wide.parameters():
        parameter.zero_()
    wide.weight_ih[: stack.hidden_sizes[0]] = stack.cells[0].weight_ih
    row = 0
    for cell in stack.cells:
        block = slice(row, row + cell.hidden_size)
        wide.weight_hh[block, block] = cell.weight_hh
        if row:
            wide.weight_hh[block, row - cell.input_size : row] = cell.weight_ih
        wide.bias_ih[block], wide.bias_hh[block] = cell.bias_ih, cell.bias_hh
        row += cell.hidden_size
    return wide


def run_pipeline(
    wide: RNNCell, x: Float[Tensor, "time batch input_size"], widths: tuple[int, ...], hold: bool = True
) -> Float[Tensor, "time batch top"]:
    """The top block of the wide layer, read L - 1 steps late: what the stack's top layer says at each step of x.

    Block l has nothing to read before step l. ``hold`` keeps it at zero until then; without it, it runs on its bias
    and the first outputs differ. Errors: ValueError if the widths are not those of the layer, or x has no steps.
    """
    if not widths or min(widths) < 1 or sum(widths) != wide.hidden_size:
        raise ValueError(f"widths must be at least 1 and add up to hidden_size={wide.hidden_size}, got {widths}")
    if not len(x):
        raise ValueError(f"x must have time >= 1, got shape {tuple(x.shape)}")
    num_layers, state = len(widths), wide.initial_state(x.shape[1])
    born = torch.repeat_interleave(torch.arange(num_layers), torch.tensor(widths)).to(x.device)
    outputs = []
    for time in range(len(x) + num_layers - 1):
        x_t = x[time] if time < len(x) else torch.zeros_like(x[0])
        state = wide(x_t, state)
        if hold:
            state = RNNState(torch.where(born <= time, state.h, 0.0))
        outputs.append(state.h[:, -widths[-1] :])
    return torch.stack(outputs[num_layers - 1 :])
