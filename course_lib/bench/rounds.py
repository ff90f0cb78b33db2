"""The clock: all candidates in turn, round by round, so that what disturbs one disturbs the others too."""

import contextlib
import gc
import math
import statistics
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

SMALLEST = 0.004  # s: a sample is at least this long, by repeating short calls
LONGEST = 0.15  # s: a candidate that takes longer sits out rounds, unless it is one of ``always``
FEWEST = 5  # but it is never in fewer rounds than this

Samples = dict[int, float]  # round: seconds a call


class Spread(NamedTuple):
    """The median of the rounds, between the lower and the upper quartile, and how many rounds there were."""

    median: float
    low: float
    high: float
    rounds: int


def spread(values: Sequence[float]) -> Spread:
    """Median and quartiles, by linear interpolation between the values."""
    if len(values) == 1:
        return Spread(values[0], values[0], values[0], 1)
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return Spread(median, low, high, len(values))


def ratio(base: Samples, other: Samples) -> Spread:
    """How many times as fast as ``base`` the other is: base / other in each round that has both, then the median."""
    return spread([base[number] / other[number] for number in base if number in other])


def interleave(
    jobs: Mapping[str, Callable[[], object]],
    rounds: int,
    always: Collection[str] = (),
    clock: Callable[[], float] = time.process_time,
) -> dict[str, Samples]:
    """Time every job once a round, in their order: A B C, A B C, ...; a call before the first round warms up.

    A short job is repeated within its sample, a long one that is not in ``always`` sits out some rounds.
    """
    plans = {name: _plan(run, rounds, name in always, clock) for name, run in jobs.items()}
    samples: dict[str, Samples] = {name: {} for name in jobs}
    with _no_garbage():
        for number in range(rounds):
            gc.collect()
            for name, run in jobs.items():
                repeats, every = plans[name]
                if number % every == 0:
                    samples[name][number] = _sample(run, repeats, clock)
    return samples


def _plan(run: Callable[[], object], rounds: int, always: bool, clock: Callable[[], float]) -> tuple[int, int]:
    """How often to repeat a job within a sample, and every how many rounds to take one."""
    run()
    seconds = max(_sample(run, 1, clock), 1e-7)
    every = 1 if always else min(math.ceil(seconds / LONGEST), max(1, rounds // FEWEST))
    return math.ceil(SMALLEST / seconds), every


def _sample(run: Callable[[], object], repeats: int, clock: Callable[[], float]) -> float:
    start = clock()
    for _ in range(repeats):
        run()
    return (clock() - start) / repeats


@contextlib.contextmanager
def _no_garbage() -> Iterator[None]:
    """Python collects its garbage between the rounds, not within somebody's sample."""
    was_on = gc.isenabled()
    gc.collect()
    gc.freeze()  # so that the collections between the rounds are short
    gc.disable()
    try:
        yield
    finally:
        gc.unfreeze()
        if was_on:
            gc.enable()
