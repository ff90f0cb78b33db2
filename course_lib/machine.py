"""Is this machine ready for the lessons? Versions, device and one second of training."""

import platform
import time
from dataclasses import dataclass

import matplotlib
import numpy
import torch

from course_lib import fast
from course_lib.cells import GRUCell
from course_lib.device import default_device
from course_lib.stack import Stack, residual

PATIENCE = 60.0  # seconds a lesson may take
LESSON_STEPS = 2000  # steps of the network below that take as long as all training of lesson 02, with either engine

ENGINES = {"compiled": "compiled kernel", "python": "no compiled kernel"}


@dataclass(frozen=True)
class Report:
    """What was found; it displays itself. ``milliseconds`` is one training step of lesson 02's largest network."""

    python: str
    torch: str
    numpy: str
    matplotlib: str
    device: str
    threads: int
    engine: str
    milliseconds: float

    @property
    def lesson_seconds(self) -> float:
        """How long the training of lesson 02 will take here, about."""
        return self.milliseconds * LESSON_STEPS / 1000

    @property
    def ready(self) -> bool:
        """Whether that stays below a minute."""
        return self.lesson_seconds <= PATIENCE

    def __repr__(self) -> str:
        training = f"the longest training, in lesson 02, will take about {self.lesson_seconds:.0f} s here."
        slow = f"It works, but slowly: {training} Close other programs, or run that cell with fewer steps."
        verdict = f"Ready: {training}" if self.ready else slow
        return (
            f"Python {self.python}, torch {self.torch}, numpy {self.numpy}, matplotlib {self.matplotlib}\n"
            f"device {self.device}, {self.threads} threads, {ENGINES[self.engine]}, "
            f"{self.milliseconds:.0f} ms a training step\n{verdict}"
        )


def check(seconds: float = 1.0) -> Report:
    """Train a three-layer GRU stack, 20 steps of 64 words, for about ``seconds`` on the CPU, as lesson 02 does."""
    with torch.random.fork_rng():  # the caller's random numbers stay as they were
        stack = Stack.uniform(GRUCell, 48, 48, 3, connection=residual).double()
    x = torch.zeros(20, 64, 48, dtype=torch.float64)
    _train(stack, x)  # the first call is slower
    times, end = [], time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        times.append(_train(stack, x))
    median = sorted(times)[len(times) // 2]
    versions = (platform.python_version(), torch.__version__, numpy.__version__, matplotlib.__version__)
    return Report(*versions, str(default_device()), torch.get_num_threads(), fast.name(), 1000 * median)


def _train(stack: Stack, x: torch.Tensor) -> float:
    start = time.perf_counter()
    stack(x)[0].sum().backward()
    return time.perf_counter() - start
