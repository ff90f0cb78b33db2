"""Where the true median lies: against all patterns of coins, and against draws whose median is known."""

import itertools
import math

import pytest
import torch

from course_lib.experiments.store import Spread


@pytest.mark.parametrize("n", [1, 2, 3, 5, 6, 8, 11])
@pytest.mark.parametrize("level", [0.5, 0.9, 0.95])
def test_no_narrower_pair_has_the_level_among_all_patterns_of_above_and_below(n, level):
    patterns = [sum(above) for above in itertools.product((0, 1), repeat=n)]  # how many values lie above the median

    def confidence(cut):
        return sum(cut < above < n - cut for above in patterns) / len(patterns)

    low, high, told = Spread(tuple(float(each) for each in range(n, 0, -1))).interval(level)
    cut = int(low) - 1
    assert high == n - cut
    assert told == pytest.approx(confidence(cut))
    assert confidence(cut) >= level or cut == 0
    assert 2 * cut + 3 > n or confidence(cut + 1) < level


def test_five_seeds_give_their_range_and_it_holds_the_median_15_times_in_16():
    spread = Spread((3.0, 1.0, 2.0, 9.0, 4.0))
    assert spread.interval() == (1.0, 9.0, 15 / 16)
    draws = -torch.rand(20_000, 5, generator=torch.Generator().manual_seed(0)).log()  # skewed, with median ln 2
    held = [low <= math.log(2) <= high for low, high, _ in (Spread(tuple(row)).interval() for row in draws.tolist())]
    assert sum(held) / len(held) == pytest.approx(15 / 16, abs=0.006)
