"""What does the sum over paths come to, if all edges by time have size a and all edges by depth size b?

Three answers, by how the paths add up, and where the gradient lands.
"""

import math
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, tensor

from course_lib.cells import check_size
from course_lib.gradients.paths import path_count


@dataclass(frozen=True)
class Regime:
    """How C paths of equal size add up: to C^power times one of them.

    power 0: no more than one path counts. power 1/2: directions are independent, squares add. power 1: all agree.
    """

    name: str
    power: float

    def size(self, a: float | int, b: float | int, num_steps: int, num_layers: int) -> float:
        """The size of ∂h_T^(L)/∂x_1: C(T+L-2, L-1)^power a^(T-1) b^L; infinite where a float ends.

        For independent directions it is the root mean square over unit vectors. Errors: ValueError for a negative a
        or b, and those of ``path_count``.
        """
        _check_factors(a, b)
        count = path_count(num_steps, num_layers)
        if b == 0 or (a == 0 and num_steps > 1):
            return 0.0
        steps = 0.0 if num_steps == 1 else (num_steps - 1) * math.log(a)
        exponent = self.power * math.log(count) + steps + num_layers * math.log(b)
        return math.exp(exponent) if exponent < 709 else math.inf

    def growth(self, a: float | int, b: float | int) -> float:
        """The factor an edge in the direction, steps against layers, that grows most: it explodes above 1.

        Equation: (a^(1/power) + b^(1/power))^power: a + b if all agree, sqrt(a^2 + b^2) for independent directions,
        max(a, b) for one path. With L fixed and T growing the factor a step is still a.
        Errors: ValueError for a negative a or b.
        """
        _check_factors(a, b)
        if self.power == 0:
            return max(a, b)
        return (a ** (1 / self.power) + b ** (1 / self.power)) ** self.power


ONE_PATH, RANDOM, ALIGNED = Regime("one path", 0.0), Regime("random", 0.5), Regime("aligned", 1.0)


def landing_shares(a: float | int, layers_down: int, num_lags: int) -> Float[Tensor, " num_lags"]:
    """Where the squared gradient of the top layer lands m layers further down: its share at lag k = 0..num_lags-1.

    Equation: C(k + m, m) a^(2k) (1 - a^2)^(m+1), a negative binomial, for independent directions and a node far from
    the first step; b changes how much lands, not where.
    Errors: ValueError for a outside [0, 1), layers_down below 0 or num_lags below 1.
    """
    _check_landing(a, layers_down)
    check_size("landing_shares", "num_lags", num_lags)
    m = layers_down
    return tensor([math.comb(k + m, m) * a ** (2 * k) * (1 - a * a) ** (m + 1) for k in range(num_lags)])


def landing_lag(a: float | int, layers_down: int) -> float:
    """The mean lag of those shares, in steps: (m + 1) a^2 / (1 - a^2). Errors as in ``landing_shares``."""
    _check_landing(a, layers_down)
    return (layers_down + 1) * a * a / (1 - a * a)


def _check_factors(a: float | int, b: float | int) -> None:
    for name, value in (("a", a), ("b", b)):
        if not value >= 0:
            raise ValueError(f"{name} is the size of an edge and must be at least 0, got {value}")


def _check_landing(a: float | int, layers_down: int) -> None:
    if not 0 <= a < 1:
        raise ValueError(f"a must be at least 0 and below 1, or the gradient lands nowhere, got {a}")
    if layers_down < 0:
        raise ValueError(f"layers_down must be at least 0, got {layers_down}")
