"""A zigzag over one input: the function that is cheap to fold and dear to write down flat."""

import torch
from jaxtyping import Float
from torch import Tensor

from course_lib.cells import check_size
from course_lib.data.synthetic.task import Task, uniform


def zigzag(x: Float[Tensor, "*shape"], folds: int) -> Float[Tensor, "*shape"]:
    """The tent map applied ``folds`` times: z <- 1 - 2|z|, on [-1, 1].

    It has 2^folds monotone pieces and crosses zero 2^folds times. Source: Telgarsky 2016, section 1.
    """
    for _ in range(folds):
        x = 1 - 2 * x.abs()
    return x


def sawtooth(folds: int) -> Task:
    """On which side of zero the zigzag is: y_t = [zigzag(x_t, folds) > 0]; x is (time, batch, 1), uniform in [-1, 1].

    Both answers have probability 1/2 and the floor is 0. The past does not matter.
    Errors: TypeError or ValueError for folds that is no whole number in 1..16: float32 draws no finer zigzag evenly.
    """
    check_size("sawtooth", "folds", folds)
    if folds > 16:
        raise ValueError(f"sawtooth: folds must be at most 16, since float32 draws no finer zigzag evenly, got {folds}")

    def draw(num_steps: int, batch_size: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        x = 2 * torch.rand(num_steps, batch_size, 1, generator=generator) - 1
        return x, (zigzag(x[..., 0], folds) > 0).long()

    return Task("sawtooth", 1, uniform(2), draw)
