"""Equal parameters: how wide may each network be, and which learning rate suits each?"""

from collections.abc import Callable, Mapping, Sequence

from torch import nn

from course_lib.relatives.clockwork import ClockworkCell


def count(model: nn.Module) -> int:
    """How many numbers can be learnt: all parameters, without the entries that a clockwork layer never reads."""
    unread = sum(module.num_unread for module in model.modules() if isinstance(module, ClockworkCell))
    return sum(parameter.numel() for parameter in model.parameters()) - unread


def width_for(budget: int, make: Callable[[int], nn.Module], widest: int = 1024) -> int:
    """The width w for which ``make(w)`` has a count nearest to the budget, the narrower one of two as near.

    ``make`` must have more parameters the wider it is. Found by bisection.
    Errors: ValueError if the budget is less than half of what width 1 takes, or more than ``widest`` holds.
    """
    low, high = 1, widest
    if not count(make(low)) <= 2 * budget or count(make(high)) < budget:
        raise ValueError(
            f"budget={budget} must be between {count(make(low)) / 2:.0f}, half of what width 1 takes, and "
            f"{count(make(high))}, what width {widest} takes"
        )
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if count(make(middle)) <= budget else (low, middle)
    return min(low, high, key=lambda width: abs(count(make(width)) - budget))


def best_rate(
    run: Callable[[Mapping[str, object], int], Mapping[str, float]],
    setting: Mapping[str, object],
    rates: Sequence[float],
    metric: str,
    seeds: Sequence[int] = (100, 101),
) -> float:
    """The learning rate of the grid with the lowest mean of a metric, on seeds that are not reported."""
    return min(rates, key=lambda rate: sum(run({**setting, "learning_rate": rate}, seed)[metric] for seed in seeds))
