"""How far do the seeds differ? Their median and range, and where the median of all seeds lies."""

import math
import statistics
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy


class Interval(NamedTuple):
    """The ends of an interval."""

    low: float
    high: float


@cache
def _resamples(n: int) -> numpy.ndarray:
    """Which of n values each resample takes: one row a resample, the same in every process."""
    return numpy.random.default_rng(0).integers(n, size=(10_000, n))


@dataclass(frozen=True)
class Spread:
    """Numbers of several seeds, shown as median and range: ``f"{spread:.2f}"`` is "1.56 (1.52 to 1.60, 5 seeds)"."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle value."""
        return statistics.median(self.values)

    @property
    def low(self) -> float:
        """The lowest value."""
        return min(self.values)

    @property
    def high(self) -> float:
        """The highest value."""
        return max(self.values)

    def interval(self, level: float = 0.9) -> Interval:
        """Where the median of all seeds lies: the percentile bootstrap of the median, with 10,000 resamples.

        Draw as many values as there are, with replacement, and take their median; between ``low`` and ``high`` lies the
        middle share ``level`` of such medians. Of five values that is the whole range: the lowest of five is the median
        of 5.8 % of the resamples. The same values give the same interval.
        Errors: ValueError for a level outside 0 to 1, for no value, or for one that is not a number.
        Source: Efron and Tibshirani 1993, section 13.3.
        """
        if not 0 < level < 1:
            raise ValueError(f"level must lie between 0 and 1, got {level}")
        if not self.values or any(map(math.isnan, self.values)):
            raise ValueError(f"an interval needs numbers, got {self.values}; say of failed runs how many there are")
        medians = numpy.median(numpy.sort(numpy.array(self.values, dtype=float))[_resamples(len(self.values))], axis=1)
        tails = (1 - level) / 2, (1 + level) / 2
        return Interval(*map(float, numpy.quantile(medians, tails, method="inverted_cdf")))

    def __format__(self, spec: str) -> str:
        spec = spec or ".3g"
        seeds = f"{len(self.values)} seed{'s' * (len(self.values) > 1)}"
        return f"{self.median:{spec}} ({self.low:{spec}} to {self.high:{spec}}, {seeds})"

    def __str__(self) -> str:
        return f"{self}"
