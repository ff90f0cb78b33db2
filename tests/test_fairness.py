"""Equal parameters: counts against torch's, the width against trying every width."""

import pytest
from torch import nn

from course_lib import GRUCell, LSTMCell, RNNCell, Stack
from course_lib.experiments.fairness import best_rate, count, width_for
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


def test_the_rate_is_that_of_the_lowest_mean_over_the_seeds_given():
    asked = []

    def run(setting, seed):
        asked.append((setting["learning_rate"], seed))
        return {"error": (setting["learning_rate"] - 0.3) ** 2 + (seed == 8)}

    assert best_rate(run, {"net": "x"}, (0.1, 0.2, 0.9), "error", seeds=(7, 8)) == 0.2
    assert asked == [(rate, seed) for rate in (0.1, 0.2, 0.9) for seed in (7, 8)]
