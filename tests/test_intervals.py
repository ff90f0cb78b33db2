"""Where the true median lies: against SciPy's bootstrap, all resamples of few values, and draws of known median."""

import itertools
import math
import statistics

import numpy
import pytest
import torch
from scipy.stats import binom, bootstrap

from course_lib.experiments.store import Spread

VALUES = (3.0, 1.0, 2.0, 9.0, 4.0, 7.5, 0.5, 6.0, 5.0, 8.0, 2.5)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("level", [0.5, 0.9])
def test_the_ends_are_those_among_all_resamples_of_few_values(n, level):
    medians = sorted(statistics.median(each) for each in itertools.product(VALUES[:n], repeat=n))

    def quantile(share):
        return medians[min(max(math.ceil(share * len(medians)) - 1, 0), len(medians) - 1)]

    for end, tail in zip(Spread(VALUES[:n]).interval(level), ((1 - level) / 2, (1 + level) / 2)):
        assert quantile(tail - 0.015) <= end <= quantile(tail + 0.015)  # 10,000 resamples stand for all


@pytest.mark.parametrize("n", [7, 9, 11])
def test_ends_are_the_values_that_the_binomial_distribution_picks(n):
    """The median of n resampled values is at most the k-th if at least half of the n draws are."""
    ordered, half = sorted(VALUES[:n]), (n + 1) // 2
    at_most = [binom.sf(half - 1, n, k / n) for k in range(1, n + 1)]
    for level in (0.5, 0.85):
        low, high = (
            next(v for v, p in zip(ordered, at_most) if p >= tail) for tail in ((1 - level) / 2, (1 + level) / 2)
        )
        assert Spread(VALUES[:n]).interval(level) == (low, high)


def test_agrees_with_scipys_percentile_bootstrap():
    values = torch.randn(40, generator=torch.Generator().manual_seed(0)).double().numpy()
    random = numpy.random.default_rng(1)
    theirs = bootstrap(
        (values,), numpy.median, confidence_level=0.9, method="percentile", n_resamples=20_000, random_state=random
    ).confidence_interval
    assert Spread(tuple(values)).interval() == pytest.approx(tuple(theirs), abs=0.03)


def test_five_seeds_give_their_range_and_it_holds_the_median_15_times_in_16():
    assert Spread((3.0, 1.0, 2.0, 9.0, 4.0)).interval() == (1.0, 9.0)
    draws = -torch.rand(1000, 5, generator=torch.Generator().manual_seed(0)).log()  # skewed, with median ln 2
    held = [low <= math.log(2) <= high for low, high in (Spread(tuple(row)).interval() for row in draws.tolist())]
    assert sum(held) / len(held) == pytest.approx(15 / 16, abs=0.025)


def test_the_same_values_give_the_same_interval_and_a_failed_run_shows():
    assert Spread(VALUES).interval() == Spread(VALUES[::-1]).interval() == Spread(VALUES).interval()
    assert Spread((1.0, 2.0, 3.0, 4.0, math.inf)).interval().high == math.inf


@pytest.mark.parametrize("values", [(), (1.0, math.nan)])
def test_no_interval_without_numbers(values):
    with pytest.raises(ValueError, match="an interval needs numbers"):
        Spread(values).interval()


@pytest.mark.parametrize("level", [0.0, 1.0, 1.5, -0.1])
def test_a_level_is_a_probability(level):
    with pytest.raises(ValueError, match=f"level must lie between 0 and 1, got {level}"):
        Spread(VALUES).interval(level)
