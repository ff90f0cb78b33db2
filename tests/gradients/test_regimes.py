"""Three ways in which paths add up, against stacks whose edges are known; where the gradient lands."""

import itertools
import math

import pytest
import torch

from course_lib import RNNCell, Stack, gradients, init
from course_lib.gradients import ALIGNED, ONE_PATH, RANDOM
from tests.worlds import close

SIZES = [(2, 2), (12, 2), (4, 4), (2, 9), (10, 4), (12, 12)]
FACTORS = [(0.4, 0.4), (0.6, 0.6), (0.9, 0.3), (0.3, 0.9), (1.0, 1.0)]


def linear_stack(start, width, num_layers, a, b):
    """A vanilla stack whose edges at zero input are its weights: of norm a by time and b by depth, layer 1 too."""
    stack = start(Stack.uniform(RNNCell, width, width, num_layers), a, b)
    if start is init.orthogonal:
        with torch.no_grad():
            stack.cells[0].weight_ih.mul_(b)  # orthogonal leaves layer 1's input weights at 1
    return stack


def gain(stack, num_steps):
    """d h_T^L / d x_1 at zero input."""
    grid = stack.grid(torch.zeros(num_steps, 1, stack.input_size))
    return gradients.jacobian(grid.h(grid.num_layers, num_steps), grid.h(0, 1))[0]


def test_aligned_stacks_reach_every_path_added():
    for (num_steps, num_layers), (a, b) in itertools.product(SIZES, FACTORS):
        size = torch.linalg.matrix_norm(gain(linear_stack(init.aligned, 6, num_layers, a, b), num_steps), 2)
        assert float(size) == pytest.approx(ALIGNED.size(a, b, num_steps, num_layers), rel=1e-11)


@pytest.mark.parametrize("seed", range(5))
def test_random_stacks_follow_the_root_of_the_number_of_paths_over_eight_decades(seed):
    torch.manual_seed(seed)
    gaps, sizes = [], []
    for num_steps, num_layers in SIZES:
        whole = gain(linear_stack(init.orthogonal, 32, num_layers, 1.0, 1.0), num_steps)
        for a, b in FACTORS:  # each path has T-1 factors a and L factors b, so they come out of the sum
            sizes.append(float(whole.norm()) / 32**0.5 * a ** (num_steps - 1) * b**num_layers)
            gaps.append(abs(math.log10(sizes[-1] / RANDOM.size(a, b, num_steps, num_layers))))
    assert max(gaps) < 0.3
    assert math.log10(max(sizes) / min(sizes)) > 8


def test_factors_come_out_of_the_sum():
    torch.manual_seed(3)
    one = gain(linear_stack(init.orthogonal, 8, 5, 1.0, 1.0), 6)
    torch.manual_seed(3)
    close(gain(linear_stack(init.orthogonal, 8, 5, 0.7, 0.4), 6), one * 0.7**5 * 0.4**5)


def test_the_three_sizes():
    assert ONE_PATH.size(0.6, 0.5, 10, 4) == pytest.approx(0.6**9 * 0.5**4)
    assert RANDOM.size(0.6, 0.5, 10, 4) == pytest.approx(math.sqrt(220) * 0.6**9 * 0.5**4)
    assert ALIGNED.size(0.6, 0.5, 10, 4) == pytest.approx(220 * 0.6**9 * 0.5**4)


def test_sizes_at_the_edges():
    assert ALIGNED.size(0.0, 0.5, 1, 3) == pytest.approx(0.125)
    assert ALIGNED.size(0.0, 0.5, 2, 3) == 0
    assert RANDOM.size(0.5, 0.0, 4, 3) == 0
    assert ALIGNED.size(9.0, 9.0, 900, 900) == math.inf


@pytest.mark.parametrize("regime", [ONE_PATH, RANDOM, ALIGNED], ids=lambda regime: regime.name)
def test_growth_says_where_the_worst_direction_explodes(regime):
    """Far out on the grid, the largest size among T + L = n + 1 grows by ``growth`` an edge."""
    for a, b in ((0.4, 0.5), (0.6, 0.6), (0.9, 0.3), (0.8, 0.7)):
        largest = [max(regime.size(a, b, n + 1 - l, l) for l in range(1, n + 1)) for n in (400, 800)]
        assert (largest[1] / largest[0]) ** (1 / 400) == pytest.approx(regime.growth(a, b), rel=2e-3)


def test_thresholds():
    assert ALIGNED.growth(0.5, 0.5) == 1
    assert RANDOM.growth(0.6, 0.8) == pytest.approx(1)
    assert ONE_PATH.growth(0.6, 0.8) == 0.8


def test_the_gradient_lands_as_a_negative_binomial():
    shares = gradients.landing_shares(0.7, 5, 400)
    assert float(shares.sum()) == pytest.approx(1)
    assert float(shares @ torch.arange(400.0)) == pytest.approx(gradients.landing_lag(0.7, 5), rel=1e-9)
    squares = torch.tensor([RANDOM.size(0.7, 0.3, k + 1, 6) ** 2 for k in range(400)])
    close(shares, squares / squares.sum(), 1e-9)


def test_random_stacks_land_there():
    """The squared gradient of the top node by the inputs of each lag: its mean lag, the median over five seeds."""
    a, num_layers, num_steps, lags = 0.7, 4, 40, []
    for seed in range(5):
        torch.manual_seed(seed)
        grid = linear_stack(init.orthogonal, 32, num_layers, a, 0.7).grid(torch.zeros(num_steps, 1, 32))
        inputs = [grid.h(0, num_steps - k) for k in range(num_steps)]
        one_hot = torch.eye(32)[:, None]
        slopes = torch.autograd.grad(grid.h(num_layers, num_steps), inputs, one_hot, is_grads_batched=True)
        by_lag = torch.stack([slope.square().sum() for slope in slopes])
        lags.append(float(by_lag @ torch.arange(float(num_steps)) / by_lag.sum()))
    assert sorted(lags)[2] == pytest.approx(gradients.landing_lag(a, num_layers - 1), rel=0.1)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: RANDOM.size(-0.1, 0.5, 3, 3), "a is the size of an edge and must be at least 0, got -0.1"),
        (lambda: RANDOM.growth(0.1, math.nan), "b is the size of an edge and must be at least 0, got nan"),
        (lambda: RANDOM.size(0.5, 0.5, 0, 3), "num_steps must be at least 1, got 0"),
        (lambda: gradients.landing_lag(1.0, 3), "a must be at least 0 and below 1, .* got 1.0"),
        (lambda: gradients.landing_shares(0.5, -1, 3), "layers_down must be at least 0, got -1"),
        (lambda: gradients.landing_shares(0.5, 1, 0), "num_lags must be at least 1, got 0"),
    ],
)
def test_numbers_out_of_range_are_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
