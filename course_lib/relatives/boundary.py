"""A decision inside a network: 0 or 1 on the way forward, with a gradient on the way back."""

import torch
from jaxtyping import Float
from torch import Tensor


class _Step(torch.autograd.Function):
    """1 where the score is above 0, else 0; the gradient goes to the hard sigmoid of it."""

    generate_vmap_rule = True

    @staticmethod
    def forward(score: Tensor, sigmoid: Tensor) -> Tensor:
        return (score > 0).to(score.dtype)

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:
        """Nothing is kept: the gradient does not depend on the value."""

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[None, Tensor]:
        return None, gradient


def boundary(score: Float[Tensor, "*batch"], slope: int | float) -> Float[Tensor, "*batch"]:
    """A decision with a gradient: 1 where the score is above 0, else 0; backward it is a hard sigmoid.

    Equation: forward step(sigma(a) > 1/2), backward d sigma / da, sigma(a) = max(0, min(1, (slope a + 1) / 2)): the
    straight-through estimator. The slope changes no decision, only how near to 0 a score must be to get a gradient,
    |a| <= 1/slope, and how large that is, slope/2.
    Source: Chung et al. 2017, section 3.1, equation 8, and section 3.2; the paper's other form, a coin thrown with
    probability sigma(a), is not here. Errors: ValueError for a slope that is not above 0.
    """
    if not slope > 0:
        raise ValueError(f"slope must be above 0, got {slope}")
    return _Step.apply(score.detach(), ((slope * score + 1) / 2).clamp(0, 1))


def annealed_slope(epoch: int | float) -> float:
    """The slope after ``epoch`` epochs: min(5, 1 + 0.04 epoch), from 1 up to 5 after 100 epochs.

    Errors: ValueError for a negative epoch. Source: Chung et al. 2017, section 3.2 and the training on characters.
    """
    if not epoch >= 0:
        raise ValueError(f"epoch must be at least 0, got {epoch}")
    return min(5.0, 1.0 + 0.04 * epoch)
