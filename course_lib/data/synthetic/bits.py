"""Tasks on bits: parity over time, and the inner product of each input with the one before it."""

import torch
from torch import Tensor

from course_lib.cells import check_size
from course_lib.data.synthetic.task import IGNORE, Task, uniform


def parity() -> Task:
    """Parity of all bits so far: y_t = x_1 XOR ... XOR x_t; x is (time, batch, 1), zeros and ones.

    The answer is 0 or 1 with equal probability, and a network that tracks it reaches the floor 0.
    """

    def draw(num_steps: int, batch_size: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        bits = torch.randint(2, (num_steps, batch_size), generator=generator)
        return _features(bits[..., None]), bits.cumsum(0) % 2

    return Task("parity", 1, uniform(2), draw)


def inner_product(num_bits: int) -> Task:
    """The inner product mod 2 of two steps: y_t = XOR_i (x_{t,i} AND x_{t-1,i}); x is (time, batch, num_bits).

    Step 1 has none before it and asks nothing. Each of the n products is 1 with probability 1/4, so
    P(y = 1) = (1 - 2^-n) / 2: the best constant guess is 0, right in (1 + 2^-n) / 2 of the cases. The floor is 0.
    Source: the inner product function of circuit complexity (Hajnal et al. 1993), laid out in time.
    """
    check_size("inner_product", "num_bits", num_bits)

    def draw(num_steps: int, batch_size: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        bits = torch.randint(2, (num_steps, batch_size, num_bits), generator=generator)
        y = (bits[1:] * bits[:-1]).sum(-1) % 2
        return _features(bits), torch.cat([torch.full((1, batch_size), IGNORE), y])

    one = (1 - 2.0**-num_bits) / 2
    return Task("inner_product", num_bits, (1 - one, one), draw, shortest=2)


def _features(bits: Tensor) -> Tensor:
    return bits.to(torch.get_default_dtype())
