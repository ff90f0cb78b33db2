"""Where a rule makes no sense: each function says why a cell is refused, or nothing."""

import torch
from torch import Tensor

from course_lib import fast
from course_lib.cells import Cell, GRUCell, LSTMCell
from course_lib.dropout.steps import with_past


@torch.no_grad()
def needs_from_past(cell: Cell) -> str:
    """A trial step tells whether the cell reads its past where the mask would stand."""
    reads, below = [], next(cell.parameters(), torch.empty(0)).new_zeros(1, cell.input_size)

    def from_past(h: Tensor) -> Tensor:
        reads.append(h)
        return cell.from_past(h)

    if cell.gates:
        with_past(cell, from_past)(below, cell.initial_state(1))
    if reads:
        return ""
    return (
        f"masks what a cell's from_past reads, which {type(cell).__name__} never calls; mask the cell inside it, or "
        "take fresh_state, which masks the state itself"
    )


def needs_weight_hh(cell: Cell) -> str:
    """The weights that are dropped must be those that the cell multiplies its past by."""
    if reason := needs_from_past(cell):
        return reason
    if type(cell).from_past is Cell.from_past:
        return ""
    return f"masks the weight_hh of Cell.from_past, which {type(cell).__name__} replaces by one of its own"


def needs_c(cell: Cell) -> str:
    """A cell with a line of its own for the memory."""
    fields = cell.state_type._fields
    if "c" in fields:
        return ""
    return (
        f"masks the carried c, but the state of {type(cell).__name__} has {', '.join(fields)}; fresh_h masks what the "
        "gates read, fresh_state the whole state"
    )


def needs_plain_fields(cell: Cell) -> str:
    """Nothing but real numbers, one a unit: no clock and no seed."""
    state = cell.initial_state(1)
    if all(field.shape == state.h.shape and field.is_floating_point() for field in state):
        return ""
    return (
        f"masks fields (batch, hidden_size) of real numbers, but {type(cell).__name__} keeps more in its state; mask "
        "the cell inside it"
    )


def needs_candidate(cell: Cell) -> str:
    """The equations of LSTMCell or GRUCell, in which the candidate is known."""
    if type(cell).forward in (LSTMCell.forward, GRUCell.forward) and not fast.is_changed(cell):
        return ""
    return (
        f"masks the candidate g of an LSTMCell or n of a GRUCell, and {type(cell).__name__} is neither; what a "
        "vanilla cell writes is its whole new state"
    )
