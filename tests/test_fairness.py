"""Equal parameters: counts against torch's, the width against trying every width."""

import pytest
from torch import nn

from course_lib import GRUCell, LSTMCell, RNNCell, Stack
from course_lib.experiments.fairness import best_rate, count, width_for, widths_for
from course_lib.relatives.clockwork import ClockworkRNN
from course_lib.relatives.multiscale import MultiscaleLSTM


def test_the_count_is_torchs_without_what_a_clockwork_never_reads():
    assert count(Stack.uniform(LSTMCell, 8, 5, 3)) == sum(p.numel() for p in nn.LSTM(8, 5, 3).parameters())
    # two modules of 3 units: a quarter of the recurrent matrix is not there
    assert count(ClockworkRNN(2, 6, (1, 2))) == 6 * 2 + 27 + 6 + 6


@pytest.mark.parametrize("budget", [60, 500, 501, 8000, 30_000])
@pytest.mark.parametrize(
    "make",
    [
        lambda width: Stack.uniform(GRUCell, 8, width, 4),
        lambda width: ClockworkRNN(8, 3 * width, (1, 2, 4)),
        lambda width: MultiscaleLSTM(8, (width, width, width)),
    ],
)
def test_no_other_width_is_nearer(make, budget):
    best = min(range(1, 130), key=lambda width: (abs(count(make(width)) - budget), width))
    assert width_for(budget, make, widest=129) == best


@pytest.mark.parametrize(("budget", "widest"), [(1, 8), (10_000, 8)])
def test_a_budget_that_no_width_meets_is_refused(budget, widest):
    with pytest.raises(ValueError, match=f"budget={budget} must be between"):
        width_for(budget, lambda width: Stack.uniform(RNNCell, 3, width, 2), widest)


def chain(widths):
    return Stack([LSTMCell(below, width) for below, width in zip((5, *widths), widths)])


def torch_count(widths):
    """The formula of four gates with two biases each."""
    return sum(4 * width * (below + width + 2) for below, width in zip((5, *widths), widths))


@pytest.mark.parametrize("budget", [300, 2000, 2001, 9000])
@pytest.mark.parametrize("ratios", [(1, 1, 1), (1.4, 1, 0.7), (2, 1, 0.5), (1.5, 0.3, 1.5), (3,)])
def test_no_other_profile_of_the_ratios_is_nearer(budget, ratios):
    units = [(i + 0.37) / 256 for i in range(256 * 40)]  # far finer than the steps of any width
    profiles = {tuple(max(1, round(unit * ratio)) for ratio in ratios) for unit in units}
    near = [widths for widths in profiles if abs(torch_count(widths) - budget) < 0.6 * budget]
    found = widths_for(budget, ratios, chain)
    assert found in near
    assert abs(torch_count(found) - budget) == min(abs(torch_count(widths) - budget) for widths in near)


def test_equal_ratios_are_one_width():
    assert widths_for(8000, (1, 1, 1), chain) == 3 * (width_for(8000, lambda width: chain(3 * (width,))),)


@pytest.mark.parametrize("ratios", [(), (1, 0), (1, -2), (1, float("inf")), (1, float("nan"))])
def test_ratios_that_are_none_are_refused(ratios):
    with pytest.raises(ValueError, match="ratios must be one or more finite numbers above 0"):
        widths_for(8000, ratios, chain)


@pytest.mark.parametrize("budget", [1, 10**6])
def test_a_budget_that_no_profile_meets_is_refused(budget):
    with pytest.raises(ValueError, match=rf"budget={budget} must be between .* what width \(1, 1, 1\) takes"):
        widths_for(budget, (2, 1, 0.5), chain, widest=9)


def test_the_rate_is_that_of_the_lowest_mean_over_the_seeds_given():
    asked = []

    def run(setting, seed):
        asked.append((setting["learning_rate"], seed))
        return {"error": (setting["learning_rate"] - 0.3) ** 2 + (seed == 8)}

    assert best_rate(run, {"net": "x"}, (0.1, 0.2, 0.9), "error", seeds=(7, 8)) == 0.2
    assert asked == [(rate, seed) for rate in (0.1, 0.2, 0.9) for seed in (7, 8)]
