"""How often a coordinate bends: shares by number of pieces, and the curve of one coordinate, layer by layer."""

import itertools
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from course_lib.plots.style import CURRENT, INK, STYLE, axes

HATCHES = ("", "//", "..", "xx", "--")


@plt.style.context(STYLE)
def shares(counts: Mapping[str, Mapping[int, int]], ax: Axes | None = None, xlabel: str = "") -> Axes:
    """Bars side by side, one colour and hatching a name: ``counts[name][k]`` coordinates of k, as shares of all."""
    ax, wide = axes(ax, 8.0, 4.2), 0.8 / len(counts)
    places = range(min(map(min, counts.values())), max(map(max, counts.values())) + 1)
    for index, ((name, count), hatch) in enumerate(zip(counts.items(), itertools.cycle(HATCHES))):
        heights = [count.get(place, 0) / sum(count.values()) for place in places]
        left = [place - 0.4 + wide * (index + 0.5) for place in places]
        ax.bar(left, heights, wide * 0.92, label=name, hatch=hatch, edgecolor="white", linewidth=0)
        for x, height in zip(left, heights):
            if height:
                label = f"{height:.0%}" if height >= 0.005 else "<1%"
                ax.annotate(label, (x, height), (0, 2), textcoords="offset points", ha="center", fontsize=10)
    ax.set_xticks(list(places))
    ax.set_xlabel(xlabel)
    ax.set_ylabel("share of coordinates")
    ax.set_ylim(0, 1.1)
    ax.legend()
    return ax


@plt.style.context(STYLE)
def panels(x: Tensor, curves: Sequence[Tensor], titles: Sequence[str]) -> Figure:
    """One small panel a layer, from the bottom row up, left to right: each curve over the input x, both (points,)."""
    rows = -(-len(curves) // 3)
    options = {"sharex": True, "sharey": True, "squeeze": False, "layout": "constrained"}  # leaves room for a title
    figure, grid = plt.subplots(rows, 3, figsize=(10.5, 2.2 * rows + 1.2), **options)
    places = list(grid[::-1].flat)
    for ax in places[len(curves) :]:
        ax.set_visible(False)
    for ax, curve, title in zip(places, curves, titles):
        ax.plot(x.detach().cpu().numpy(), curve.detach().cpu().numpy(), color=CURRENT, linestyle="-", linewidth=1.6)
        ax.axhline(0, color=INK, linewidth=0.6)
        ax.set_title(title, fontsize=12, fontweight="normal")
    for ax in grid[-1]:
        ax.set_xlabel("input $x$")
    for ax in grid[:, 0]:
        ax.set_ylabel("first unit of $h$")
    return figure
