"""Results of several seeds: every plot shows their median, and a bootstrap interval of it."""

import itertools
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import AutoLocator, LogLocator, NullLocator

from course_lib.experiments.spread import Spread
from course_lib.plots.style import CURRENT, INK, STYLE, axes

MARKERS = "osD^v"


@plt.style.context(STYLE)
def intervals(rows: Mapping[str, Sequence[float]], ax: Axes | None = None, xlabel: str = "") -> Axes:
    """One line a name, from the top down: a dot a run, a stroke at the median, a bar over ``Spread.interval``."""
    ax = axes(ax, 8.0, 0.9 + 0.42 * len(rows))
    for place, runs in enumerate(rows.values()):
        spread = Spread(tuple(runs))
        low, high = spread.interval()
        ax.plot(
            [low, high], [place, place], color=CURRENT, linestyle="-", linewidth=9, alpha=0.25, solid_capstyle="butt"
        )
        ax.plot(runs, [place] * len(runs), "o", color=CURRENT, markersize=5)
        ax.plot([spread.median] * 2, [place - 0.3, place + 0.3], color=INK, linestyle="-", linewidth=2.4)
    ax.set_yticks(range(len(rows)), list(rows))
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.set_xlabel(xlabel)
    return ax


@plt.style.context(STYLE)
def by_depth(
    panels: Mapping[str, Mapping[str, Mapping[int, Sequence[float]]]], ylabel: str = "", log: bool = False
) -> Figure:
    """A panel a title, a line a name, against the number of layers: the median, and a bar over ``Spread.interval``.

    ``panels[title][name][layers]`` has a number a run. All panels share their axes; ``log`` makes the vertical one so.
    """
    options = {"sharex": True, "sharey": True, "squeeze": False, "layout": "constrained"}
    figure, places = plt.subplots(1, len(panels), figsize=(1.6 + max(3.2 * len(panels), 5.0), 3.8), **options)
    depths = sorted({layers for lines in panels.values() for line in lines.values() for layers in line})
    for ax, (title, lines) in zip(places.flat, panels.items()):
        for index, ((name, line), marker) in enumerate(zip(lines.items(), itertools.cycle(MARKERS))):
            _depths(ax, [depths.index(layers) + 0.12 * index for layers in line], list(line.values()), name, marker)
        ax.set_title(title, fontsize=13)
        ax.set_xticks(range(len(depths)), [str(layers) for layers in depths])
        ax.set_xlabel("layers")
    if log:
        _log(places.flat[0])
    places.flat[0].set_ylabel(ylabel)
    named = {name: line for ax in places.flat for line, name in zip(*ax.get_legend_handles_labels())}
    figure.legend(named.values(), named.keys(), loc="outside right center")
    return figure


def _log(ax: Axes) -> None:
    """A log axis with numbers as people write them, also where it spans less than a decade."""
    ax.set_yscale("log")
    low, high = ax.get_ylim()
    ax.yaxis.set_major_locator(AutoLocator() if high < 4 * low else LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_formatter("{x:g}")


def _depths(ax: Axes, x: Sequence[float], lines: Sequence[Sequence[float]], name: str, marker: str) -> None:
    spreads = [Spread(tuple(runs)) for runs in lines]
    (line,) = ax.plot(x, [spread.median for spread in spreads], marker=marker, markersize=6, linewidth=1.8, label=name)
    ends = list(zip(*(spread.interval() for spread in spreads)))
    ax.vlines(x, *ends, color=line.get_color(), linewidth=4, alpha=0.4)
