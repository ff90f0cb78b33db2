"""torch's own call for one layer over all steps: on a GPU, and where a gradient has to be differentiated again."""

import torch
from torch import Tensor

from course_lib.cells import Cell, GRUCell, LSTMCell, RNNCell

FUSED = {RNNCell: torch.rnn_tanh, LSTMCell: torch.lstm, GRUCell: torch.gru}


def torch_row(kind: type[Cell], tensors: list[Tensor], ended: Tensor | None) -> list[Tensor]:
    """[h, the last state's fields] of one layer; ``tensors`` are x, the initial state's fields and the four weights.

    Past an end h is open; the last h is then the one of the last step, the last c the one at the end.
    """
    x, *state, weight_ih, weight_hh, bias_ih, bias_hh = tensors
    if kind is LSTMCell and ended is not None:
        x, weight_ih = _close_input_gate(x, weight_ih, ended)
    initial = [field[None] for field in state]
    # cuDNN differentiates only what ran in training mode; with one layer and no dropout the numbers are the same.
    options = (True, 1, 0.0, torch.is_grad_enabled(), False, False)
    weights = [weight_ih, weight_hh, bias_ih, bias_hh]
    h, *last = FUSED[kind](x, initial if len(initial) > 1 else initial[0], weights, *options)
    return [h, *(field[0] for field in last)]


def _close_input_gate(x: Tensor, weight_ih: Tensor, ended: Tensor) -> tuple[Tensor, Tensor]:
    """One more input feature, 1 past the end, and its weights, which set i to exactly 0 and f to exactly 1: c repeats.

    torch.lstm gives back c of the last step only, so c has to stay what it was at the end. Saturated gates
    pass no gradient either.
    """
    certain = 1e30  # sigmoid(-1e30) is 0 and sigmoid(1e30) is 1 in float32 and float64
    column = weight_ih.new_zeros(4, len(weight_ih) // 4)
    column[0], column[1] = -certain, certain
    marked = torch.cat([x, ended[..., None].to(x.dtype)], dim=-1)
    return marked, torch.cat([weight_ih, column.reshape(-1, 1)], dim=1)
