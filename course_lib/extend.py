"""A cell around a cell: the state of the inner one, and what the outer one has to remember besides."""

import copyreg
from collections import namedtuple
from functools import cache

import torch

from course_lib.cells import Cell, State


@torch.compiler.disable  # whose tracing passes by the cache and makes the type anew
@cache
def extended(inner: type, name: str, extra: tuple[str, ...]) -> type:
    """The named tuple of ``inner``'s fields followed by ``extra``; the same type for the same arguments.

    Errors: ValueError for a field that ``inner`` has already.
    """
    twice = sorted(set(inner._fields) & set(extra))
    if twice:
        raise ValueError(
            f"{name} adds the fields {list(extra)} to a state, but {inner.__name__} has {twice} already; "
            f"wrap a cell whose state does not"
        )
    made = namedtuple(f"{name}{inner.__name__}", (*inner._fields, *extra))
    # A type made at run time has no address in a module, by which pickle would find it.
    copyreg.pickle(made, lambda state: (_rebuild, (inner, name, extra, tuple(state))))
    return made


def inner_state(cell: Cell, state: State) -> State:
    """The fields that belong to the inner cell, as its own state."""
    return cell.state_type(*state[: len(cell.state_type._fields)])


def check_cell(owner: str, cell: object) -> Cell:
    """Refuse what is no instance of Cell: TypeError."""
    if not isinstance(cell, Cell):
        what = cell.__name__ if isinstance(cell, type) else type(cell).__name__
        raise TypeError(f"{owner}: cell is {what}, which is no instance of course_lib.Cell")
    return cell


def _rebuild(inner: type, name: str, extra: tuple[str, ...], values: tuple) -> State:
    return extended(inner, name, extra)(*values)
