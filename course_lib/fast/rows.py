"""A cell over a whole sequence: in one call where that computes the same, else by the plain loop.

The rule: a cell whose type is exactly RNNCell, LSTMCell or GRUCell, in float32 or float64, on CPU or CUDA, goes through
one call, see engines.py. A cell around such a cell may bring a ``quick_row(below, state)``, which computes what the
loop would, or gives None. Everything else takes the plain loop: other cells, cells with hooks, autocast, and the
transforms of torch.func and forward-mode differentiation, for which the fused calls have no rule.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.autograd import forward_ad

from course_lib.cells import Cell, State
from course_lib.fast.engines import KINDS
from course_lib.fast.fused import fused_row
from course_lib.fast.kernel import DTYPES


def row(
    cell: Cell,
    below: Float[Tensor, "time batch input_size"],
    state: State,
    ended: Bool[Tensor, "time batch"] | None = None,
) -> tuple[Float[Tensor, "time batch hidden_size"], State]:
    """h of one layer at every time, and its last state; both repeat from a sequence's end on.

    Equation: h_t = cell(below_t, h_{t-1}); where ended[t], h_t = h_{t-1}. ``below`` must be finite past the end.
    """
    h, last = open_row(cell, below, state, ended)
    return repeat_last(h, last, ended), last


def open_row(cell: Cell, below: Tensor, state: State, ended: Tensor | None = None) -> tuple[Tensor, State]:
    """The same as ``row``, except that h past an end is finite and otherwise open: for whoever drops it anyway."""
    if not is_fusable(cell, below):
        brings_one = brings_a_row(cell) and not is_changed(cell) and not is_transformed()
        quick = cell.quick_row(below, state) if brings_one and (ended is None or not ended.any()) else None
        return looped_row(cell, below, state, ended) if quick is None else quick
    fused = fused_row
    if torch.compiler.is_compiling():
        # torch.compile cannot trace a fused call; it leaves torch.nn's layers out of its graphs in the same way.
        fused = torch.compiler.disable(fused_row)
    return fused(cell, below, state, ended)


def is_fusable(cell: Cell, below: Tensor) -> bool:
    """Whether the fused call computes exactly what the cell's own ``forward`` would."""
    return (
        type(cell) in KINDS
        and not is_changed(cell)
        and below.dtype in DTYPES
        and below.device.type in ("cpu", "cuda")
        and not torch.is_autocast_enabled(below.device.type)
        and (torch.compiler.is_compiling() or not is_transformed())
    )


def brings_a_row(cell: Cell) -> bool:
    """Whether the cell has a ``quick_row`` that belongs to its ``forward``: a subclass may have changed one of them."""
    owners = [
        next((kind for kind in type(cell).__mro__ if name in vars(kind)), None) for name in ("quick_row", "forward")
    ]
    return owners[0] is not None and owners[0] is owners[1]


def is_changed(cell: Cell) -> bool:
    """Whether hooks or a ``forward`` of its own make the object compute something else than its class says."""
    hooked = cell._forward_hooks or cell._forward_pre_hooks or cell._backward_hooks or cell._backward_pre_hooks
    return bool(hooked) or "forward" in vars(cell)


def is_transformed() -> bool:
    """Whether torch.func or forward-mode differentiation is at work. Batched and second gradients need no loop."""
    return torch._C._are_functorch_transforms_active() or forward_ad._current_level >= 0


def looped_row(cell: Cell, below: Tensor, state: State, ended: Tensor | None = None) -> tuple[Tensor, State]:
    """The same as ``row`` by one call of the cell a step."""
    hs = []
    for time, below_t in enumerate(below):
        state = freeze(cell(below_t, state), state, None if ended is None else ended[time])
        hs.append(state.h)
    return torch.stack(hs), state


def repeat_last(h: Tensor, last: State, ended: Tensor | None) -> Tensor:
    """h with the last state's in place of what stands past an end."""
    return h if ended is None else torch.where(ended[..., None], last.h, h)


def freeze(new: State, old: State, ended: Bool[Tensor, " batch"] | None) -> State:
    """``old`` for the sequences that have ended, ``new`` for the others."""
    if ended is None:
        return new
    pairs = zip(new, old, strict=True)
    return type(new)(*(torch.where(ended.view(-1, *[1] * (n.dim() - 1)), o, n) for n, o in pairs))


def silence(up: Float[Tensor, "*time batch width"], ended: Bool[Tensor, "*time batch"] | None) -> Tensor:
    """Zero for what goes up past a sequence's end."""
    return up if ended is None else up.masked_fill(ended[..., None], 0)
