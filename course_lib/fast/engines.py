"""Which engine computes a row: the rule, with what it was measured on.

One layer on the CPU in float32 or float64:

1. the compiled kernel, for all three cells. Against torch's own call, one thread, B = 1 to 64 and H = 64 to 512, it
   took less time in every cell and shape measured, forwards and in training; the LSTM's lead in float32 is the least.
2. without a compiler, or with COURSE_ENGINE=python: vanilla and GRU by hand where gradients are wanted, or where a step
   multiplies enough to outweigh Python; else torch's call. The LSTM takes torch's call, which in float32 is oneDNN's.

Elsewhere, on a GPU: torch's call. `course bench` measures all of this again.
"""

import functools
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from course_lib.cells import Cell, GRUCell, LSTMCell, RNNCell
from course_lib.fast.by_hand import ByHand, GRUByHand, VanillaByHand
from course_lib.fast.compiler import CompilerError, load_library
from course_lib.fast.kernel import DTYPES, SOURCE, Kernel

KINDS = (RNNCell, LSTMCell, GRUCell)
BY_HAND = {RNNCell: VanillaByHand(), GRUCell: GRUByHand()}
ENOUGH = 1 << 19  # B H^2 from which the loop in Python is faster than torch's call where no gradients are wanted


def engine(kind: type[Cell], x: Tensor, differentiated: bool, hidden_size: int) -> Kernel | ByHand | None:
    """The engine for a row that reads ``x``, (time, batch, input_size); None is torch's own call."""
    if x.device.type != "cpu":
        return None
    if kernels := _kernels():
        return kernels[kind, x.dtype]
    by_hand = BY_HAND.get(kind)
    is_small = x.shape[1] * hidden_size**2 < ENOUGH
    return None if is_small and not differentiated else by_hand


def name() -> str:
    """What computes on the CPU: "compiled" or "python"."""
    return "compiled" if _kernels() else "python"


@contextmanager
def python_only() -> Iterator[None]:
    """Within it, what COURSE_ENGINE=python does: no compiled kernel."""
    global _kernels
    before, _kernels = _kernels, dict
    try:
        yield
    finally:
        _kernels = before


@functools.cache
def _kernels() -> dict[tuple[type[Cell], torch.dtype], Kernel]:
    """The compiled kernels, built on first use; none where they are refused or cannot be built, which is said once."""
    chosen = os.environ.get("COURSE_ENGINE") or "compiled"
    if chosen not in ("compiled", "python"):
        raise ValueError(f"COURSE_ENGINE is {chosen!r}; it must be 'python', or unset for the compiled kernel")
    if chosen == "python":
        return {}
    try:
        library = load_library(SOURCE)
    except CompilerError as error:
        warnings.warn(
            f"stacks run without their compiled kernel, and train at about half its speed: {error}. "
            "The numbers are the same. Setting COURSE_ENGINE=python says that this is meant",
            RuntimeWarning,
            stacklevel=2,
        )
        return {}
    return {(kind, dtype): Kernel(library, kind, dtype) for kind in KINDS for dtype in DTYPES}
