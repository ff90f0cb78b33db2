"""How fast could it be? Multiply-adds and reading of one core, measured, and the time that they set for a pass."""

import ctypes
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from course_lib.bench.shapes import GATES, Shape, flops, recurrent_bytes
from course_lib.fast.compiler import CompilerError, load_library

SOURCE = Path(__file__).with_name("floor.cpp")
WHY_NOT = "no floor: no C++ compiler was found, or it refused floor.cpp"
TRIES, SECONDS = 9, 0.02  # the best of so many samples of this length: a ceiling is not to be disturbed


@dataclass(frozen=True)
class Floor:
    """The best that was seen: multiply-adds in FLOP/s, and bytes/s read from an array of so many bytes."""

    multiply_adds: float
    reads: dict[int, float]

    def seconds(self, cell: str, shape: Shape, mode: str) -> float:
        """The shortest time of a pass on this core.

        Equation: L (P / peak + T max(R / peak, bytes of W_hh / reading)), P the operations of the inputs' products,
        R those of one step's recurrent product; training three times that. For a small batch reading counts.
        """
        size = recurrent_bytes(cell, shape)
        half = flops(cell, shape, "forward") / 2 / shape.num_layers  # the inputs are as wide as the layer
        step = max(half / shape.steps / self.multiply_adds, size / self.reads[size])
        forward = shape.num_layers * (half / self.multiply_adds + shape.steps * step)
        return forward if mode == "forward" else 3 * forward

    def share_of_peak(self, cell: str, shape: Shape, mode: str, seconds: float) -> float:
        """FLOPs of the matrix products / time / peak."""
        return flops(cell, shape, mode) / seconds / self.multiply_adds


def measure(shapes: Iterable[Shape], cells: Iterable[str] = tuple(GATES)) -> Floor | None:
    """The floor of this core, reading at the sizes of these shapes' W_hh; None without a compiler."""
    try:
        library = load_library(SOURCE)
    except CompilerError:
        return None
    library.floor_multiply_add.restype = library.floor_read.restype = ctypes.c_double
    library.floor_array.restype = ctypes.POINTER(ctypes.c_float)
    cells = tuple(cells)
    sizes = sorted({recurrent_bytes(cell, shape) for shape in shapes for cell in cells})
    return Floor(multiply_adds(library), {size: reading(library, size) for size in sizes})


def multiply_adds(library: ctypes.CDLL) -> float:
    """FLOP/s of independent chains of multiply-adds on the widest vectors."""
    sink = ctypes.c_float(0)
    return _best(lambda times: library.floor_multiply_add(ctypes.c_long(times), ctypes.byref(sink)))


def reading(library: ctypes.CDLL, size: int) -> float:
    """Bytes/s of an array of ``size`` bytes that is read again and again. Errors: MemoryError."""
    array, sink = library.floor_array(ctypes.c_size_t(size)), ctypes.c_float(0)
    if not array:
        raise MemoryError(f"no room for an array of {size} bytes")
    try:
        read = library.floor_read
        return _best(lambda times: read(array, ctypes.c_size_t(size), ctypes.c_long(times), ctypes.byref(sink)))
    finally:
        library.floor_free(array)


def _best(work: Callable[[int], float], clock: Callable[[], float] = time.process_time) -> float:
    """The highest rate of ``work(times)``, which returns how much it did."""
    times = 1
    while _timed(work, times, clock)[1] < SECONDS:
        times *= 2
    return max(amount / seconds for amount, seconds in (_timed(work, times, clock) for _ in range(TRIES)))


def _timed(work: Callable[[int], float], times: int, clock: Callable[[], float]) -> tuple[float, float]:
    start = clock()
    amount = work(times)
    return amount, max(clock() - start, 1e-9)
