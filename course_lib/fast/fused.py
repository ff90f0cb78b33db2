"""One layer over all steps in one call: the engine's, watched by autograd where that is wanted."""

import torch
from torch import Tensor, nn

from course_lib.cells import Cell, LSTMCell, State
from course_lib.fast.engines import engine
from course_lib.fast.gradient import Row
from course_lib.fast.torch_calls import torch_row

PLAIN = {Tensor, nn.Parameter}


def fused_row(
    cell: Cell, below: Tensor, state: State, ended: Tensor | None = None, weight_hh: Tensor | None = None
) -> tuple[Tensor, State]:
    """h at every time, open past an end, and the last state; with the cell's own recurrent weights, or others."""
    kind, weight_hh = type(cell), cell.weight_hh if weight_hh is None else weight_hh
    tensors = [below, *state, cell.weight_ih, weight_hh, cell.bias_ih, cell.bias_hh]
    differentiated = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)
    is_usual = _are_plain(tensors) and _fit(tensors, len(cell.gates))
    chosen = engine(kind, below, cell.hidden_size, differentiated, ended is not None) if is_usual else None
    lengths = None if ended is None or kind is not LSTMCell else (~ended).sum(0)
    if chosen is None:
        h, *last = torch_row(kind, tensors, ended)
    elif differentiated:
        h, *last = Row.apply(chosen, lengths, *tensors)
    else:
        h, last, _ = chosen.forward(tensors, lengths, keep=False)
    last = cell.state_type(*last)
    return h, last if ended is None else last._replace(h=_at_end(h, ended))


def _at_end(h: Tensor, ended: Tensor) -> Tensor:
    """h at each sequence's last step."""
    return h[(~ended).sum(0) - 1, torch.arange(h.shape[1], device=h.device)]


def _are_plain(tensors: list[Tensor]) -> bool:
    """Whether the numbers lie in memory: no subclass of Tensor, no mode that looks at each operation."""
    return not torch._C._len_torch_dispatch_stack() and all(type(each) in PLAIN for each in tensors)


def _fit(tensors: list[Tensor], gates: int) -> bool:
    """Whether kinds and sizes are what an engine takes on trust; torch's call says what is wrong with others."""
    x, *state, weight_ih, weight_hh, bias_ih, bias_hh = tensors
    width = weight_hh.shape[-1]
    rows = gates * width
    return (
        x.numel() > 0
        and weight_ih.shape == (rows, x.shape[2])
        and weight_hh.shape == (rows, width)
        and bias_ih.shape == bias_hh.shape == (rows,)
        and all(field.shape == (x.shape[1], width) for field in state)
        and all(each.dtype is x.dtype and each.is_cpu for each in tensors)
    )
