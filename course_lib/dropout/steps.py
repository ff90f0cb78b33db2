"""The masked steps: what each rule multiplies by its mask, and how many entries that mask has."""

import copy
from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor

from course_lib.cells import Cell, LSTMCell, RNNState, State


def into_gates(cell: Cell, below: Tensor, state: State, mask: Tensor) -> State:
    """W_hh (m * h_{t-1}) in every gate; what carries h or c past the gates is left whole."""
    return with_past(cell, lambda h: cell.from_past(h * mask))(below, state)


def carried(cell: Cell, below: Tensor, state: State, mask: Tensor) -> State:
    """The cell reads m * c_{t-1} instead of c_{t-1}."""
    return cell(below, state._replace(c=state.c * mask))


def whole(cell: Cell, below: Tensor, state: State, mask: Tensor) -> State:
    """The cell reads m * s_{t-1}, for every field of its state another part of the mask."""
    masks = mask.chunk(len(state), dim=-1)
    return cell(below, type(state)(*(field * each for field, each in zip(state, masks))))


def new_content(cell: Cell, below: Tensor, state: State, mask: Tensor) -> State:
    """m * g, or m * n: the equations of the cell, as its candidate is nowhere else to be had."""
    if isinstance(cell, LSTMCell):
        i, f, g, o = (cell.from_below(below) + cell.from_past(state.h)).chunk(4, dim=-1)
        c = f.sigmoid() * state.c + i.sigmoid() * (mask * g.tanh())
        return type(state)(h=o.sigmoid() * c.tanh(), c=c)
    r_x, z_x, n_x = cell.from_below(below).chunk(3, dim=-1)
    r_h, z_h, n_h = cell.from_past(state.h).chunk(3, dim=-1)
    r, z = (r_x + r_h).sigmoid(), (z_x + z_h).sigmoid()
    return RNNState((1 - z) * (mask * (n_x + r * n_h).tanh()) + z * state.h)


def through_fewer_weights(cell: Cell, below: Tensor, state: State, mask: Tensor) -> State:
    """(M * W_hh) h_{t-1}, with one M for the batch or one a sequence."""
    weights = dropped(cell, mask)

    def from_past(h: Tensor) -> Tensor:
        if len(weights) == 1:
            return h @ weights[0].T + cell.bias_hh
        return (weights @ h[..., None])[..., 0] + cell.bias_hh

    return with_past(cell, from_past)(below, state)


def dropped(cell: Cell, mask: Float[Tensor, "masks size"]) -> Float[Tensor, "masks rows hidden_size"]:
    """M * W_hh, from the weights as they are now."""
    return cell.weight_hh * mask.unflatten(-1, cell.weight_hh.shape)


def with_past(cell: Cell, from_past: Callable[[Tensor], Tensor]) -> Cell:
    """The same cell, weights and all, that reads its past in another way."""
    other = copy.copy(cell)
    other.from_past = from_past
    return other


def one_a_unit(cell: Cell) -> int:
    """As many entries as the layer has units."""
    return cell.hidden_size


def one_a_field(cell: Cell) -> int:
    """As many entries as the whole state has."""
    return cell.hidden_size * len(cell.state_type._fields)


def one_a_weight(cell: Cell) -> int:
    """As many entries as W_hh has."""
    return cell.weight_hh.numel()
