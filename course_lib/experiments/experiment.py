"""What an experiment is: a pure function of a setting and a seed, and the settings it is run with."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch

from course_lib.training import History, fit

Setting = Mapping[str, object]
Number = float | int
Metrics = dict[str, Number | list[Number]]


@dataclass(frozen=True)
class Experiment:
    """A question, the function that measures, and the settings to compare.

    ``run(setting, seed)`` gives named numbers, or lists of numbers with one entry a layer; equal arguments give
    equal numbers. A setting is a flat dictionary of words and numbers, so that it can be stored and looked up.
    ``tolerance`` says how nearly, relative, another machine gives the same numbers: 1e-6 where the run computes in
    float64, more after a short training in float32. ``run_seeds(setting, seeds)``, where several seeds are faster
    together, gives what ``run`` gives for each, to that tolerance.
    Errors: ValueError for a setting that appears twice, or that is no flat dictionary of words and numbers.
    """

    name: str
    question: str
    run: Callable[[Setting, int], Metrics]
    settings: tuple[Setting, ...]
    tolerance: float = 1e-6
    run_seeds: Callable[[Setting, Sequence[int]], list[Metrics]] | None = None

    def __post_init__(self):
        for index, setting in enumerate(self.settings):
            if setting in self.settings[:index]:
                raise ValueError(f"experiment {self.name}: the setting {dict(setting)} appears twice")
            for name, value in setting.items():
                if not isinstance(name, str) or not isinstance(value, str | int | float):
                    raise ValueError(
                        f"experiment {self.name}: a setting maps words to words and numbers, got {name!r}: {value!r}"
                    )


def fit_whole(*arguments: object) -> History:
    """``training.fit``, except that Ctrl-C ends the run: half a training is no result. Errors: KeyboardInterrupt."""
    history = fit(*arguments)
    if history.stopped == "interrupted":
        raise KeyboardInterrupt
    return history


@contextlib.contextmanager
def exactly(seed: int, dtype: torch.dtype = torch.float64) -> Iterator[None]:
    """One dtype, one thread and one seed inside; the caller's own settings again outside.

    Float64 on one thread repeats to about 1e-11 from machine to machine, also after hundreds of training steps.
    Float32 repeats on one kind of machine; elsewhere a long training ends within the spread of the seeds.
    """
    before, threads = torch.get_default_dtype(), torch.get_num_threads()
    with torch.random.fork_rng(devices=[]):
        try:
            torch.set_default_dtype(dtype)
            torch.set_num_threads(1)
            torch.manual_seed(seed)
            yield
        finally:
            torch.set_default_dtype(before)
            torch.set_num_threads(threads)
