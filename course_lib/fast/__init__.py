"""One row at full speed: a cell over a whole sequence. It knows cells and rows, no Stack.

rows.py        which way a row goes: one call, or the plain loop
fused.py       the one call, watched by autograd
engines.py     which engine makes it, and why: the compiled kernel, Python by hand, torch's own call
gradient.py    an engine's two passes as one operation of autograd
kernel.cpp     the compiled kernel; kernel.py calls it, compiler.py builds it
by_hand.py     vanilla and GRU in torch's operations, with backward passes written by hand; products.py multiplies
torch_calls.py torch's own call
"""

from course_lib.fast.engines import name, python_only
from course_lib.fast.fused import fused_row
from course_lib.fast.rows import (
    freeze,
    is_changed,
    is_fusable,
    is_transformed,
    looped_row,
    open_row,
    repeat_last,
    row,
    silence,
)

__all__ = [
    "freeze",
    "fused_row",
    "is_changed",
    "is_fusable",
    "is_transformed",
    "looped_row",
    "name",
    "open_row",
    "python_only",
    "repeat_last",
    "row",
    "silence",
]
