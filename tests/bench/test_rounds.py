"""The clock on a clock of our own: who runs when, medians, quartiles, and ratios that stay within a round."""

import gc

import numpy
import pytest

from course_lib.bench.rounds import Spread, interleave, ratio, spread
from tests.bench.worlds import Clock


def test_all_candidates_run_in_turn_in_every_round():
    clock = Clock()
    interleave({name: clock.job(name, 0.01) for name in "ABC"}, rounds=4, clock=clock)
    assert "".join(clock.calls) == "AABBCC" + 4 * "ABC"  # first each warms up and says how long it takes


def test_median_and_quartiles_are_numpy_s():
    values = [3.0, 1.0, 4.0, 1.5, 9.0, 2.6, 5.0]
    assert spread(values) == (*numpy.quantile(values, [0.5, 0.25, 0.75]), 7)
    assert spread([2.0]) == Spread(2.0, 2.0, 2.0, 1)


def test_samples_are_what_passed_on_the_clock():
    clock = Clock()
    jobs = {"A": clock.job("A", 1, 1, 5.0, 7.0, 6.0), "B": clock.job("B", 1, 1, 0.5, 0.25)}
    samples = interleave(jobs, rounds=3, always="AB", clock=clock)
    assert samples == {"A": {0: 5.0, 1: 7.0, 2: 6.0}, "B": {0: 0.5, 1: 0.25, 2: 0.25}}


def test_a_short_job_is_repeated_until_its_sample_is_long_enough():
    clock = Clock()
    samples = interleave({"A": clock.job("A", 0.00101)}, rounds=2, clock=clock)
    assert len(clock.calls) == 2 + 2 * 4
    assert list(samples["A"].values()) == pytest.approx([0.00101] * 2)


def test_a_slow_peer_sits_out_rounds_but_not_too_many():
    clock = Clock()
    jobs = {name: clock.job(name, seconds) for name, seconds in {"A": 10.0, "B": 10.0, "C": 0.2}.items()}
    samples = interleave(jobs, rounds=20, always="A", clock=clock)
    assert list(samples["A"]) == list(range(20))
    assert list(samples["B"]) == [0, 4, 8, 12, 16]
    assert list(samples["C"]) == list(range(0, 20, 2))


def test_few_rounds_are_all_used():
    clock = Clock()
    assert len(interleave({"A": clock.job("A", 10.0)}, rounds=3, clock=clock)["A"]) == 3


def test_a_ratio_is_taken_within_a_round():
    base, other = {0: 1.0, 1: 10.0, 2: 100.0}, {0: 0.5, 1: 5.0, 2: 200.0}
    assert ratio(base, other) == Spread(2.0, 1.25, 2.0, 3)  # that of the medians is 2 too, but not its quartiles
    noisy = {number: seconds * (1 + number) for number, seconds in base.items()}
    assert ratio(noisy, {number: seconds / 3 for number, seconds in noisy.items()}) == (
        pytest.approx(3),
        pytest.approx(3),
        pytest.approx(3),
        3,
    )


def test_a_ratio_takes_the_rounds_that_both_have():
    assert ratio({0: 1.0, 1: 50.0, 2: 3.0}, {0: 2.0, 2: 1.0}) == spread([0.5, 3.0])


def test_no_garbage_is_collected_within_a_sample():
    seen = []
    interleave({"A": lambda: seen.append(gc.isenabled())}, rounds=2, clock=iter(range(100)).__next__)
    assert seen[2:] == [False, False]
    assert gc.isenabled()
