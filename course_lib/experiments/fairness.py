"""Equal parameters: how wide may each network be, and which learning rate suits each?"""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import TypeVar

from torch import nn

from course_lib.relatives.clockwork import ClockworkCell

Width = TypeVar("Width", int, tuple[int, ...])


def count(model: nn.Module) -> int:
    """How many numbers can be learnt: all parameters, without the entries that a clockwork layer never reads."""
    unread = sum(module.num_unread for module in model.modules() if isinstance(module, ClockworkCell))
    return sum(parameter.numel() for parameter in model.parameters()) - unread


def width_for(budget: int, make: Callable[[int], nn.Module], widest: int = 1024) -> int:
    """The width w for which ``make(w)`` has a count nearest to the budget, the narrower one of two as near.

    ``make`` must have more parameters the wider it is. Found by bisection.
    Errors: ValueError if the budget is less than half of what width 1 takes, or more than ``widest`` holds.
    """
    return _nearest(budget, range(1, widest + 1), make)


def widths_for(
    budget: int, ratios: Sequence[float | int], make: Callable[[tuple[int, ...]], nn.Module], widest: int = 256
) -> tuple[int, ...]:
    """One width a layer, in the given ratios, for which ``make(widths)`` has a count nearest to the budget.

    Each is its ratio times one common unit, rounded, at least 1 and at most ``widest``; no other unit comes nearer.
    Errors: ValueError for a ratio that is not above 0, and for budgets as in ``width_for``.
    """
    if not ratios or not all(0 < ratio < math.inf for ratio in ratios):
        raise ValueError(f"ratios must be one or more finite numbers above 0, bottom to top, got {ratios}")
    turns = sorted({round((width + 0.5) / ratio, 9) for ratio in ratios for width in range(widest + 1)})
    units = ((low + high) / 2 for low, high in pairwise([0.0, *turns]))  # between two turns no width changes
    profiles = [tuple(max(1, round(unit * ratio)) for ratio in ratios) for unit in units]
    return _nearest(budget, [widths for widths in profiles if max(widths) <= widest], make)


def _nearest(budget: int, choices: Sequence[Width], make: Callable[[Width], nn.Module]) -> Width:
    """The choice whose model has a count nearest to the budget; the choices grow."""
    low, high = 0, len(choices) - 1
    least, most = count(make(choices[low])), count(make(choices[high]))
    if not least <= 2 * budget or most < budget:
        raise ValueError(
            f"budget={budget} must be between {least / 2:.0f}, half of what width {choices[low]} takes, and {most}, "
            f"what width {choices[high]} takes"
        )
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if count(make(choices[middle])) <= budget else (low, middle)
    return min(choices[low], choices[high], key=lambda choice: abs(count(make(choice)) - budget))


def best_rate(
    run: Callable[[Mapping[str, object], int], Mapping[str, float]],
    setting: Mapping[str, object],
    rates: Sequence[float],
    metric: str,
    seeds: Sequence[int] = (100, 101),
) -> float:
    """The learning rate of the grid with the lowest mean of a metric, on seeds that are not reported."""
    return min(rates, key=lambda rate: sum(run({**setting, "learning_rate": rate}, seed)[metric] for seed in seeds))
