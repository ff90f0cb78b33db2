"""Which engine computes a row: the rule, with what it was measured on.

One layer on the CPU in float32 or float64. Speeds are relative to torch's own call, in float32, over 64 or more steps,
for B = 1 to 64 and H = 64 to 512, with one thread unless it is said otherwise:

1. the compiled kernel, except for large LSTMs in float32. Vanilla and GRU: 2.2 to 28. The LSTM, whose call in torch is
   oneDNN's: 1.0 to 1.9 up to H = 128. From H = 256 on, where W_hh outgrows the nearest caches, the kernel has 0.91 to
   1.7 with one thread and 0.64 to 1.04 with two, so oneDNN computes there, unless it trains on 32 sequences or more
   (kernel: 0.99 to 1.45). Without gradients oneDNN also takes H = 128 at 32 sequences with one thread (kernel: 0.96).
2. without a compiler, or with COURSE_ENGINE=python: vanilla and GRU by hand where gradients are wanted (1.2 to 3.0 in
   training), or where a step multiplies enough to outweigh Python; else torch's call.

A vanilla or GRU row of one step costs more than torch's call does. Elsewhere, on a GPU: torch's call. `course bench`
measures what the rule gives.
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
SLOWER = "stacks run without their compiled kernel, and training takes longer"
MEANT = "The numbers are the same. Setting COURSE_ENGINE=python says that this is meant"
LARGE, MANY = 256, 32  # hidden_size and batch of the LSTM's rule
ENOUGH = 1 << 19  # B H^2 from which the loop in Python is faster than torch's call where no gradients are wanted


def engine(
    kind: type[Cell], x: Tensor, hidden_size: int, differentiated: bool, has_ends: bool
) -> Kernel | ByHand | None:
    """The engine for a row on the CPU that reads ``x``, (time, batch, input_size); None is torch's own call.

    ``has_ends``: sequences end before the last step, which costs torch's LSTM one more input.
    """
    if kernels := _kernels():
        is_onednns = kind is LSTMCell and x.dtype == torch.float32 and not has_ends
        return None if is_onednns and _is_large(x.shape[1], hidden_size, differentiated) else kernels[kind, x.dtype]
    is_small = x.shape[1] * hidden_size**2 < ENOUGH
    return None if is_small and not differentiated else BY_HAND.get(kind)


def _is_large(batch_size: int, hidden_size: int, differentiated: bool) -> bool:
    """Whether oneDNN's LSTM is there and at least as fast as the kernel's."""
    many = batch_size >= MANY
    if differentiated:
        found = hidden_size >= LARGE and not many
    else:
        found = hidden_size >= (LARGE // 2 if many and torch.get_num_threads() == 1 else LARGE)
    return found and torch.backends.mkldnn.is_available()


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
        if not os.environ.get("COURSE_BUILD"):  # a notebook that is built says nothing of the machine
            warnings.warn(f"{SLOWER}: {error}. {MEANT}", RuntimeWarning, stacklevel=2)
        return {}
    return {(kind, dtype): Kernel(library, kind, dtype) for kind in KINDS for dtype in DTYPES}
