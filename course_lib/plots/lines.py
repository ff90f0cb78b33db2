"""Curves: training losses, and the median of several runs with its interval."""

import itertools
import math
import statistics
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from course_lib.experiments.spread import Spread
from course_lib.plots.style import STYLE, axes
from course_lib.training import History


@plt.style.context(STYLE)
def losses(histories: Mapping[str, History], ax: Axes | None = None, window: int = 10) -> Axes:
    """Training loss by step, one curve a model, each named at its end; a mean over the last ``window`` steps.

    A curve ends before the first loss that is not finite; a history without losses has none.
    Errors: ValueError for a window below 1.
    """
    if window < 1:
        raise ValueError(f"window must be at least 1, got {window}")
    ax = axes(ax)
    for name, history in histories.items():
        if not (curve := _smooth(list(itertools.takewhile(math.isfinite, history.losses)), window)):
            continue
        (line,) = ax.plot(range(1, len(curve) + 1), curve, label=name)
        ax.annotate(f" {name}", (len(curve), curve[-1]), color=line.get_color(), va="center", fontsize=12)
    ax.set_xlabel("training step")
    ax.set_ylabel("training loss (nats)")
    ax.set_ylim(bottom=0)
    return ax


@plt.style.context(STYLE)
def curves(
    x: Sequence[float],
    series: Mapping[str, Sequence[Sequence[float]]],
    ax: Axes | None = None,
    xlabel: str = "",
    ylabel: str = "",
    log: bool = False,
) -> Axes:
    """One curve a name: the median over runs, with a band over ``Spread.interval``.

    ``series[name]`` has one row a run and one column for each entry of ``x``; ``log`` makes the vertical axis so.
    """
    ax = axes(ax)
    for name, runs in series.items():
        (line,) = ax.plot(x, [statistics.median(column) for column in zip(*runs, strict=True)])
        low, high = zip(*(Spread(column).interval() for column in zip(*runs, strict=True)))
        ax.fill_between(x, low, high, color=line.get_color(), alpha=0.2, linewidth=0)
        ax.annotate(f" {name}", (x[-1], line.get_ydata()[-1]), color=line.get_color(), va="center", fontsize=12)
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    if log:
        ax.set_yscale("log")
    return ax


def _smooth(values: Sequence[float], window: int) -> list[float]:
    return [
        sum(values[max(0, i - window + 1) : i + 1]) / len(values[max(0, i - window + 1) : i + 1])
        for i in range(len(values))
    ]
