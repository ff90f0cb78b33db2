"""A decision: forward a threshold at 0 whatever the slope, backward the hard sigmoid; the net keeps the slope."""

import pytest
import torch

from course_lib.relatives.boundary import annealed_slope, boundary
from course_lib.relatives.multiscale import MultiscaleLSTM
from tests.worlds import close


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_slope_changes_no_decision_however_near_to_zero(dtype):
    scores = torch.tensor([-1.0, -2e-8, 0.0, 2e-8, 1e-30, 3.0], dtype=dtype)
    for slope in (1, 2.5, 5):
        assert boundary(scores, slope).tolist() == [0, 0, 0, 1, 1, 1]


def test_backward_it_is_the_hard_sigmoid():
    for slope in (1.0, 4.0):
        scores = torch.tensor([-2.0, -0.2, 0.1, 2.0], requires_grad=True)
        (found,) = torch.autograd.grad(boundary(scores, slope).sum(), scores)
        close(found, slope / 2 * (scores.abs() < 1 / slope).double())


@pytest.mark.parametrize("slope", [0, -1.0, float("nan")])
def test_a_slope_that_turns_the_decision_round_is_refused(slope):
    with pytest.raises(ValueError, match="slope must be above 0, got"):
        boundary(torch.zeros(2), slope)
    with pytest.raises(ValueError, match="epoch must be at least 0, got nan"):
        annealed_slope(float("nan"))


def test_the_slope_travels_in_the_state_dict():
    net, other = MultiscaleLSTM(3, (4, 4, 4)), MultiscaleLSTM(3, (4, 4, 4))
    net.slope = 4.0
    other.load_state_dict(net.state_dict())
    assert other.slope == 4.0
