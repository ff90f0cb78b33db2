"""Are the measures of slowness what they say? Closed forms, slow transcriptions, finite differences."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from course_lib import Cell, GRUCell, LSTMCell, RNNCell, RNNState, Stack, residual, timescales
from course_lib.relatives.clocked import ClockedStack
from tests.worlds import LeakyCell


class Leaky(Cell):
    """h_t = a h_{t-1} + (1 - a) below, unit by unit: one layer of the cascade."""

    def __init__(self, width, a):
        super().__init__(width, width)
        self.a = a

    def forward(self, below, state):
        return RNNState(self.a * state.h + (1 - self.a) * below)


def cascade(a, num_layers, width=1):
    return Stack([Leaky(width, a) for _ in range(num_layers)])


def impulse(num_steps):
    x = torch.zeros(num_steps, 1, 1)
    x[0] = 1
    return x


# the cascade


@pytest.mark.parametrize("a", [0.0, 0.3, 0.8])
def test_the_kernel_is_what_a_cascade_of_leaky_cells_does_to_an_impulse(a):
    for layer, row in enumerate(cascade(a, 5).rows(impulse(120)), start=1):
        torch.testing.assert_close(timescales.cascade_kernel(a, layer, 120), row.flatten(), rtol=0, atol=1e-15)


@pytest.mark.parametrize("layer", [1, 2, 5])
def test_the_kernel_keeps_all_of_the_input_and_its_mean_lag_is_linear_in_the_layer(layer):
    kernel = timescales.cascade_kernel(0.9, layer, 1500)
    assert float(kernel.sum()) == pytest.approx(1, abs=1e-12)
    lag = float(kernel @ torch.arange(1500.0))
    assert lag == pytest.approx(timescales.cascade_lag(0.9, layer), abs=1e-9)
    assert timescales.cascade_lag(0.9, layer) == pytest.approx(layer * 9)


@pytest.mark.parametrize("layer", [1, 3, 5])
def test_the_cascades_time_is_that_of_its_rows_under_white_noise(layer):
    row = cascade(0.6, layer, width=128).rows(torch.randn(1500, 1, 128))[-1]
    assert timescales.cascade_time(0.6, layer) == pytest.approx(timescales.autocorrelation_time(row), rel=0.03)


def test_the_time_of_one_leaky_layer_is_read_off_by_hand():
    # 0.5^1 = .5 and 0.5^2 = .25 stand on both sides of 1/e
    assert timescales.cascade_time(0.5, 1) == pytest.approx(1 + (0.5 - 1 / math.e) / 0.25)
    assert timescales.cascade_time(0.0, 4) == pytest.approx(1 - 1 / math.e)
    assert timescales.cascade_time(0.98, 3) > 50


# autocorrelation


def slow_autocorrelation(row):
    """The equation, entry by entry."""
    num_steps, batch_size, width = row.shape
    curves = []
    for unit in range(width):
        sums = [0.0] * (num_steps // 2 + 1)
        for n in range(batch_size):
            h = row[:, n, unit].tolist()
            d = [each - sum(h) / num_steps for each in h]
            for k in range(len(sums)):
                sums[k] += sum(d[t] * d[t + k] for t in range(num_steps - k))
        curves.append([each / sums[0] for each in sums])
    return torch.tensor(curves).mean(0)


@pytest.mark.parametrize("shape", [(30, 1, 1), (31, 3, 4)])
def test_autocorrelation_is_the_equation(shape):
    row = torch.randn(shape).cumsum(0) + 5
    torch.testing.assert_close(timescales.autocorrelation(row), slow_autocorrelation(row), rtol=0, atol=1e-12)


@pytest.mark.parametrize("a", [0.5, 0.9])
def test_a_leaky_unit_takes_as_long_as_its_decay(a):
    # a^k is 1/e at -1/ln a; the straight line between whole steps stays within 0.08 of it
    row = cascade(a, 1, width=128).rows(torch.randn(2000, 1, 128))[0]
    assert timescales.autocorrelation_time(row) == pytest.approx(-1 / math.log(a), abs=0.08 + 0.05 / (1 - a) ** 0.5)


def test_white_noise_has_the_least_time():
    noise = torch.randn(5000, 2, 8)
    assert timescales.autocorrelation_time(noise) == pytest.approx(1 - 1 / math.e, abs=0.01)


def test_a_mean_far_from_zero_does_not_slow_a_unit():
    noise = torch.randn(500, 2, 8)
    assert timescales.autocorrelation_time(noise + 1000) == pytest.approx(timescales.autocorrelation_time(noise))
    assert timescales.relative_step_change(noise + 1000) < 0.002 < 1 < timescales.relative_step_change(noise)


def test_each_unit_counts_equally_and_units_that_stand_still_do_not_count():
    quick, slow = torch.randn(4000, 1, 1), cascade(0.9, 1).rows(torch.randn(4000, 1, 1))[0].detach()
    both = timescales.autocorrelation(torch.cat([quick, 100 * slow], dim=-1))
    each = [timescales.autocorrelation(row) for row in (quick, slow)]
    torch.testing.assert_close(both, (each[0] + each[1]) / 2)
    still = torch.cat([quick, torch.full_like(quick, 3.7)], dim=-1)
    torch.testing.assert_close(timescales.autocorrelation(still), each[0])


def test_the_first_crossing_lies_between_two_lags():
    assert timescales.first_crossing(torch.tensor([1.0, 0.6, 0.2, 0.9, 0.0]), 0.5) == pytest.approx(1.25)
    assert timescales.first_crossing(torch.tensor([1.0, 0.0]), 0.5) == pytest.approx(0.5)


def test_relative_step_change_by_hand():
    row = torch.tensor([[3.0, 4.0], [3.0, 4.0], [0.0, 0.0]])[:, None]  # lengths 5, 5, 0; moves 0, 5
    assert timescales.relative_step_change(row) == pytest.approx((5 / 2) / (10 / 3))


# gradient lags


@pytest.mark.parametrize("cells", [(RNNCell, GRUCell, LSTMCell), (LeakyCell, LeakyCell, LeakyCell)])
def test_gradient_shares_are_those_of_finite_differences(cells):
    stack = Stack([cells[0](2, 3), cells[1](3, 3), cells[2](3, 4)])
    x, step, num_steps = torch.randn(6, 2, 2), 1e-6, 6
    squares = torch.zeros(3, num_steps)
    for t in range(num_steps):
        for n in range(2):
            for j in range(2):
                move = torch.zeros_like(x)
                move[t, n, j] = step
                for layer, (up, down) in enumerate(zip(stack.rows(x + move), stack.rows(x - move))):
                    slope = (up[-1] - down[-1]).detach() / (2 * step)
                    squares[layer, num_steps - 1 - t] += float(slope.square().sum())
    expected = squares / squares.sum(1, keepdim=True)
    torch.testing.assert_close(timescales.gradient_shares(stack, x), expected, rtol=1e-6, atol=1e-9)
    lags = (expected @ torch.arange(6.0)).tolist()
    assert timescales.gradient_lags(stack, x) == pytest.approx(lags, rel=1e-6)


def test_the_shares_of_a_cascade_are_its_squared_kernel():
    shares = timescales.gradient_shares(cascade(0.6, 4), torch.randn(80, 1, 1))
    for layer in range(1, 5):
        kernel = timescales.cascade_kernel(0.6, layer, 80).square()
        torch.testing.assert_close(shares[layer - 1], kernel / kernel.sum(), rtol=0, atol=1e-12)


def test_any_net_with_rows_can_be_measured_and_nothing_is_left_behind():
    x = torch.randn(20, 2, 3)
    for net in (Stack.uniform(LSTMCell, 3, 3, 3, connection=residual), ClockedStack.uniform(GRUCell, 3, 4, 3)):
        assert np.isfinite(timescales.gradient_lags(net, x)).all()
        assert not x.requires_grad
        assert all(each.grad is None for each in net.parameters())


# what is slow, and by how much: the statement N8


@pytest.mark.parametrize("cell", [GRUCell, LSTMCell])
def test_an_untrained_gated_stack_is_a_cascade_with_a_half(cell):
    rows = Stack.uniform(cell, 64, 64, 5).rows(torch.randn(3000, 1, 64))
    times = [timescales.autocorrelation_time(row[200:]) for row in rows]
    predicted = [timescales.cascade_time(0.5, layer) for layer in range(1, 6)]
    assert times == pytest.approx(predicted, rel=0.12)
    assert times[-1] > 3 * times[0]


def test_an_untrained_vanilla_stack_is_no_slower_at_the_top():
    rows = Stack.uniform(RNNCell, 64, 64, 5).rows(torch.randn(3000, 1, 64))
    assert [timescales.autocorrelation_time(row) for row in rows] == pytest.approx([1 - 1 / math.e] * 5, abs=0.06)


def test_reach_grows_with_depth_and_not_with_width():
    lags = [timescales.gradient_lags(Stack.uniform(GRUCell, 4, width, 4), torch.randn(40, 2, 4)) for width in (16, 64)]
    assert lags[1] == pytest.approx(lags[0], rel=0.15)
    for each in lags:
        assert all(upper > lower + 0.7 for lower, upper in pairwise(each))


# what is refused


@pytest.mark.parametrize(
    ("words", "call"),
    [
        ("row must have at least 4 steps", lambda: timescales.autocorrelation(torch.randn(3, 1, 1))),
        ("no unit of row changes in time", lambda: timescales.autocorrelation_time(torch.full((9, 1, 2), 0.1))),
        ("stays above 0.368 for all 6 lags", lambda: timescales.first_crossing(torch.ones(6))),
        ("starts at 0.1, below the level 0.368", lambda: timescales.first_crossing(torch.tensor([0.1, 0.0]))),
        ("at least 2 steps to compare, got 1", lambda: timescales.relative_step_change(torch.ones(1, 1, 1))),
        ("a must be at least 0 and below 1", lambda: timescales.cascade_kernel(1.0, 1, 5)),
        ("a must be at least 0 and below 1", lambda: timescales.cascade_lag(-0.1, 1)),
        ("a must be at least 0 and below 1", lambda: timescales.cascade_time(1.5, 1)),
        ("layer must be at least 1", lambda: timescales.cascade_lag(0.5, 0)),
        ("num_lags must be at least 1", lambda: timescales.cascade_kernel(0.5, 1, 0)),
        (
            "the last h of layer 1 does not depend on x",
            lambda: timescales.gradient_lags(ClockedStack([RNNCell(1, 1)], periods=[9]), torch.randn(4, 1, 1)),
        ),
    ],
)
def test_refusals(words, call, unchecked):
    with pytest.raises(ValueError, match=words):
        call()
