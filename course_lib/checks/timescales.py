"""Checks of how slow a layer is: the cascade, the autocorrelation time, the top against the bottom."""

import math
from collections.abc import Sequence
from numbers import Real

import torch
from torch import Tensor

from course_lib import timescales
from course_lib.checks.exercise import Wrong, ask, exercise, got


def _number(value: object, name: str = "your answer") -> float:
    """A real number of any kind, a tensor with one entry included. Raises Wrong."""
    if isinstance(value, Tensor) and value.numel() == 1 and not value.is_complex() and value.dtype != torch.bool:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, Real):
        raise Wrong(f"{name} must be a number, {got(value)}")
    if not math.isfinite(value):
        raise Wrong(f"{name} is {value}, which is no finite number")
    return float(value)


@exercise(
    "03.1",
    hints=(
        "How long does the first layer keep an input, on average? What does the second layer add?",
        "The mean lag of layer l is l a / (1 - a). By how much does it grow from layer l to layer l + 1?",
        "a / (1 - a) at a = 0.9.",
    ),
)
def slope(answer: object, seed: int) -> str:
    """``slope()`` is the number of steps that each layer adds to the mean lag of the cascade with a = 0.9."""
    a, mine, lags, below = 0.9, _number(ask(answer)), [], [1.0] + [0.0] * 999
    for _ in range(3):
        h, row = 0.0, []
        for x in below:
            h = a * h + (1 - a) * x
            row.append(h)
        lags.append(sum(lag * weight for lag, weight in enumerate(row)))
        below = row
    right = lags[2] - lags[1]
    if abs(mine - right) > 0.01 * right:
        mistakes = {
            a: "is what a layer keeps from one step to the next, not a number of steps",
            1 - a: "is how much of its input a layer takes in at each step, not a number of steps",
            1 / (1 - a): "counts the step at which the input arrives; that step has lag 0",
            -1 / math.log(a): "is the time in which one layer forgets to 1/e, not the mean lag",
            2 * right: "is the lag of layer 2; the slope is what one layer adds",
        }
        named = [f"{mine:g} {what}" for wrong, what in mistakes.items() if math.isclose(mine, wrong, rel_tol=0.01)]
        raise Wrong((named or [f"not {mine:g} steps: send an impulse through the cascade and see"])[0])
    return f"an impulse through three layers has mean lags {lags[0]:.1f}, {lags[1]:.1f} and {lags[2]:.1f}"


def _leaky(keeps: Sequence[float], num_steps: int, batch_size: int = 1) -> Tensor:
    """Units that keep these parts of themselves each step, variance 1, float64: (time, batch, width)."""
    a = torch.tensor(keeps, dtype=torch.float64)
    noise = torch.randn(num_steps, batch_size, len(keeps), dtype=torch.float64)
    rows, h = [], torch.zeros(batch_size, len(keeps), dtype=torch.float64)
    for each in noise:
        h = a * h + (1 - a * a).sqrt() * each
        rows.append(h)
    return torch.stack(rows)


def _crossing(curve: Tensor, level: float) -> tuple[float, int]:
    """Where a curve falls below a level: between two lags, and the whole lag; twice infinity if it never does."""
    below = (curve < level).nonzero().flatten().tolist()
    if not below or below[0] == 0:
        return math.inf, -1
    lag = below[0]
    return lag - 1 + float((curve[lag - 1] - level) / (curve[lag - 1] - curve[lag])), lag


def _sums(row: Tensor, centred: bool = True) -> Tensor:
    """sum_t d_t d_{t+k} over time and batch, for every unit: (lags, width)."""
    d = row - row.mean(0) if centred else row
    return torch.stack([(d[: len(d) - k] * d[k:]).sum((0, 1)) for k in range(60)])


@exercise(
    "03.2",
    hints=(
        "Take the mean over time away from every unit of every sequence. Then correlate the row with itself, shifted.",
        "C(k) of a unit is (d[:T-k] * d[k:]).sum() / (d * d).sum(). Then take the mean over units, then look for 1/e.",
        "With k the first lag where C(k) < 1/e, the time is k - 1 + (C(k-1) - 1/e) / (C(k-1) - C(k)).",
    ),
)
def autocorrelation_time(answer: object, seed: int) -> str:
    """``autocorrelation_time(row)``, (time, batch, width) to a number; units of several speeds, sizes and means."""
    for keeps, batch_size in (((0.9,), 1), ((0.5, 0.95), 2), ((0.2, 0.8, 0.9), 3)):
        sizes, means = (torch.tensor([each, *[1.0] * (len(keeps) - 1)]) for each in (9.0, 4.0))
        row = _leaky(keeps, 600, batch_size) * sizes + means + 3 * torch.arange(batch_size)[:, None]
        mine, sums = _number(ask(answer, row.clone()), "the time"), _sums(row)
        curve = (sums / sums[0]).mean(1)
        right, whole = _crossing(curve, 1 / math.e)
        if abs(mine - right) > 0.02 * right:
            raise Wrong(f"a row of {len(keeps)} units, {batch_size} sequences: {_name_time(mine, right, whole, row)}")
    return "the same times as by the equation, for units of several speeds, sizes and means"


def _name_time(mine: float, right: float, whole: int, row: Tensor) -> str:
    sums, raw = _sums(row), _sums(row, centred=False)
    curve = (sums / sums[0]).mean(1)
    alone = _sums(row[:, :1])
    together = _sums(row - row.mean((0, 1)) + row.mean(0).mean(0), centred=False)
    mistakes = {
        "whole steps; interpolate between the last lag above 1/e and the first below": [whole, whole - 1],
        "the row not centred: take each unit's mean over time away first": [
            _crossing((raw / raw[0]).mean(1), 1 / math.e)[0],
            _crossing(raw.sum(1) / raw[0].sum(), 1 / math.e)[0],
            _crossing((together / together[0]).mean(1), 1 / math.e)[0],
        ],
        "large units counting more: divide each unit by its own C(0) before the mean over units": [
            _crossing(sums.sum(1) / sums[0].sum(), 1 / math.e)[0]
        ],
        "the level 1/2; here it is 1/e": [_crossing(curve, 0.5)[0]],
        "the first unit alone; take the mean over all units": [_crossing(sums[:, 0] / sums[0, 0], 1 / math.e)[0]],
        "the first sequence alone; sum over the batch": [_crossing((alone / alone[0]).mean(1), 1 / math.e)[0]],
    }
    for name, wrongs in mistakes.items():
        if any(math.isclose(mine, wrong, rel_tol=1e-3) for wrong in wrongs):
            return f"you have {mine:.2f} steps instead of {right:.2f}. That is the time with {name}"
    return f"you have {mine:.2f} steps, the equation gives {right:.2f}"


WORDS = ("slower", "level", "faster")


@exercise(
    "03.3",
    hints=(
        "One number a layer: how long it takes to forget where it was. Which function of this lesson gives it?",
        "ratio = timescales.autocorrelation_time(rows[-1]) / timescales.autocorrelation_time(rows[0]).",
        'Then "slower" if ratio > 1.25, "faster" if ratio < 0.8, else "level"; return (ratio, word).',
    ),
)
def top_speed(answer: object, seed: int) -> str:
    """``top_speed(rows)`` gives (ratio, word) for the rows of a stack, bottom to top; made here, measured here."""
    speeds = ((0.2, 0.5, 0.9), (0.9, 0.95, 0.3), (0.6, 0.9, 0.1, 0.6), (0.3, 0.8))
    for keeps in speeds:
        rows = [_leaky([keep] * 8, 400) for keep in keeps]
        rows[-1] = rows[-1] + 30  # far from zero: it seems to stand still, and does not
        times = [timescales.autocorrelation_time(row) for row in rows]
        right = times[-1] / times[0]
        word = WORDS[0] if right > 1.25 else WORDS[2] if right < 0.8 else WORDS[1]
        told = ask(answer, [row.clone() for row in rows])
        if not isinstance(told, tuple | list) or len(told) != 2:
            raise Wrong(f"give back two things, (ratio, word), {got(told)}")
        _judge_speed(_number(told[0], "the ratio"), told[1], right, word, rows, times)
    return "ratio and word are right for stacks that are slower, level and faster at the top"


def _judge_speed(mine: float, said: object, right: float, word: str, rows: list[Tensor], times: list[float]) -> None:
    changes = [timescales.relative_step_change(row) for row in rows]
    if abs(mine - right) > 0.02 * right:
        mistakes = {
            "upside down: the top layer's time is divided by that of layer 1": [1 / right],
            "that of step changes, which a mean far from zero makes small; take autocorrelation times": [
                changes[-1] / changes[0],
                changes[0] / changes[-1],
            ],
            "a difference; divide": [times[-1] - times[0]],
            "that of layer 2; the top layer is rows[-1]": [times[1] / times[0]] if len(times) > 2 else [],
        }
        named = [name for name, wrongs in mistakes.items() if any(math.isclose(mine, w, rel_tol=0.02) for w in wrongs)]
        because = f"; yours is {named[0]}" if named else ""
        raise Wrong(f"the ratio is {right:.2f} where you have {mine:.2f}{because}")
    if not isinstance(said, str) or said not in WORDS:
        raise Wrong(f"the second thing must be one of the words {', '.join(WORDS)}, {got(said)}")
    if said != word:
        raise Wrong(f"a ratio of {right:.2f} is {word!r}, you say {said!r}: slower is above 1.25, faster is below 0.8")
