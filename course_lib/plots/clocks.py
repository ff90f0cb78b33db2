"""How slow each layer is: layers upwards, steps to the right."""

import itertools
import statistics
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import LogLocator, NullFormatter
from torch import Tensor

from course_lib.experiments.spread import Spread
from course_lib.plots.style import CURRENT, INK, STYLE, axes

MARKERS = "osD^vP"


@plt.style.context(STYLE)
def by_layer(
    series: Mapping[str, Sequence[Sequence[float]]], ax: Axes | None = None, xlabel: str = "", log: bool = False
) -> Axes:
    """One line a name from the bottom layer up: the median over runs, with a bar over ``Spread.interval``.

    ``series[name]`` has one row a run and one column a layer, bottom to top; ``log`` makes the horizontal axis so.
    """
    ax = axes(ax, 8.0, 4.6)
    for (name, runs), marker in zip(series.items(), itertools.cycle(MARKERS)):
        columns = list(zip(*runs, strict=True))
        middle, layers = [statistics.median(column) for column in columns], range(1, len(columns) + 1)
        (line,) = ax.plot(middle, layers, marker=marker, label=name)
        ax.hlines(
            layers,
            *map(list, zip(*(Spread(column).interval() for column in columns))),
            color=line.get_color(),
            linewidth=5,
            alpha=0.35,
        )
    _layers(ax, max(len(runs[0]) for runs in series.values()))
    if log:
        _log(ax.xaxis)
    else:
        ax.set_xlim(left=0)
    ax.set_xlabel(xlabel)
    ax.legend(loc="center left", bbox_to_anchor=(1.02, 0.5))
    return ax


@plt.style.context(STYLE)
def ridges(curves: Sequence[Tensor], ax: Axes | None = None, xlabel: str = "") -> Axes:
    """One curve a layer on a floor of its own, all to one scale, bottom to top; a tick marks the mean of each.

    ``curves[l - 1]`` has one entry a lag; the mean is that of the lag, weighted by the curve.
    """
    ax, highest = axes(ax, 8.0, 4.6), max(float(curve.max()) for curve in curves)
    for layer, curve in enumerate(curves, start=1):
        heights = (layer + 0.85 * curve / highest).tolist()
        ax.fill_between(range(len(curve)), layer, heights, color=CURRENT, alpha=0.25, linewidth=0)
        ax.plot(heights, color=CURRENT, linestyle="-", linewidth=1.8)
        mean = sum(lag * float(weight) for lag, weight in enumerate(curve)) / float(curve.sum())
        ax.plot([mean, mean], [layer - 0.12, layer + 0.12], color=INK, linestyle="-", linewidth=2.4)
    _layers(ax, len(curves), above=0.95)
    ax.set_xlabel(xlabel)
    return ax


@plt.style.context(STYLE)
def trails(nets: Mapping[str, Sequence[tuple[float, float]]], ax: Axes | None = None) -> Axes:
    """Speed of change against reach of memory: one trail a net, each point numbered with its layer; both axes log.

    ``nets[name]`` has (autocorrelation time, gradient lag) of each layer, bottom to top.
    """
    ax = axes(ax, 8.0, 5.0)
    for (name, points), marker in zip(nets.items(), itertools.cycle(MARKERS)):
        (line,) = ax.plot(*zip(*points), marker=marker, markersize=15, linewidth=1.4, label=name, alpha=0.9)
        for layer, point in enumerate(points, start=1):
            ax.annotate(f"{layer}", point, color="white", ha="center", va="center", fontsize=10, fontweight="bold")
        line.set_zorder(2)
    _log(ax.xaxis)
    _log(ax.yaxis)
    ax.set_xlabel("autocorrelation time (steps): slower →")
    ax.set_ylabel("gradient lag (steps): further →")
    ax.legend(loc="center left", bbox_to_anchor=(1.02, 0.5))
    return ax


@plt.style.context(STYLE)
def events(rows: Mapping[str, Tensor], ax: Axes | None = None) -> Axes:
    """At which steps something happens: one line of marks a name, the first name at the bottom.

    ``rows[name]`` is (time,), true or nonzero where it happens.
    """
    ax = axes(ax, 10.0, 0.5 * len(rows) + 1.6)
    places = [(row.nonzero().flatten() + 1).tolist() for row in rows.values()]
    colors = [line["color"] for line, _ in zip(itertools.cycle(plt.rcParams["axes.prop_cycle"]), rows)]
    ax.eventplot(places, lineoffsets=range(len(rows)), linelengths=0.7, linewidths=2.2, colors=colors)
    ax.set_yticks(range(len(rows)), list(rows))
    ax.set_ylim(-0.6, len(rows) - 0.4)
    ax.set_xlim(0, max(len(row) for row in rows.values()) + 1)
    ax.set_xlabel("time (steps) →")
    ax.tick_params(axis="y", length=0)
    return ax


def _log(axis: Axis) -> None:
    """A logarithmic axis with 1, 2, 5, 10, 20, ... written out."""
    (axis.axes.set_xscale if axis.axis_name == "x" else axis.axes.set_yscale)("log")
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter(NullFormatter())


def _layers(ax: Axes, count: int, above: float = 0.4) -> None:
    ax.set_yticks(range(1, count + 1), [f"layer {layer}" for layer in range(1, count + 1)])
    ax.set_ylim(0.6, count + above)
    ax.set_ylabel("depth (layers) →")
