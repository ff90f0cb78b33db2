"""The grid of one pass, and the blocks of a matrix."""

import collections
import itertools
from collections.abc import Callable, Sequence

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from torch import Tensor

from course_lib.grid import Grid
from course_lib.plots.style import CARRIED, CURRENT, FAINT, INK, OUTSIDE, STYLE, axes

Point = tuple[int | float, int | float]


@plt.style.context(STYLE)
def grid(grid: Grid, ax: Axes | None = None, mark: Callable[[int, int], bool] | None = None) -> Axes:
    """The grid of one forward pass: rows are layers, columns are steps (the note's N6).

    Solid arrows are the recurrence, dashed arrows lift a layer's output; states carried in have the second colour.
    Where more than h goes up, as with ``residual``, a dotted arrow passes by the node and joins what leaves it.
    ``mark(layer, time)`` keeps a node's colour; the others fade.
    """
    num_layers, num_steps = grid.num_layers, grid.num_steps
    ax = axes(ax, 1.15 * num_steps + 2.4, 0.95 * num_layers + 2.2)
    mark = mark or (lambda layer, time: True)
    for time in range(num_steps + 1):
        for layer in range(1, num_layers + 1):
            color = CARRIED if time == 0 else CURRENT
            _node(ax, time, layer, rf"$h_{{{time}}}^{{({layer})}}$", color if mark(layer, time) else FAINT)
            if time < num_steps:
                _arrow(ax, (time, layer), (time + 1, layer), "-", mark(layer, time) and mark(layer, time + 1))
        if time:
            _node(ax, time, 0, rf"$x_{{{time}}}$", OUTSIDE if mark(0, time) else FAINT)
            for layer in range(num_layers):
                _arrow(ax, (time, layer), (time, layer + 1), "--", mark(layer, time) and mark(layer + 1, time))
            _arrow(ax, (time, num_layers), (time, num_layers + 0.85), "--", mark(num_layers, time))
            ax.text(time, num_layers + 0.98, rf"$y_{{{time}}}$", ha="center", va="center", fontsize=14, color=INK)
    skips = [(l, t) for l in range(2, num_layers + 1) for t in range(1, num_steps + 1) if _is_skipped(grid, l, t)]
    for layer, time in skips:
        _arrow(ax, (time, layer - 0.5), (time, layer + 0.5), ":", mark(layer - 1, time) and mark(layer, time), bend=0.9)
    return _frame_grid(ax, num_layers, num_steps, bool(skips))


def arrows(ax: Axes) -> dict[str, int]:
    """How many arrows of each line style a drawn grid has: "-" in time, "--" lifted outputs, ":" what passes by."""
    patches = [text.arrow_patch for text in ax.texts if getattr(text, "arrow_patch", None)]
    return dict(collections.Counter(patch.get_linestyle() for patch in patches))


def _is_skipped(grid: Grid, layer: int, time: int) -> bool:
    """Whether something besides h goes up, in a sequence that has not ended: past its end zero does."""
    up, h = grid.up(layer, time), grid.h(layer, time)
    running = up.any(-1)
    return bool(running.any()) and (up.shape != h.shape or not torch.equal(up[running], h[running]))


def _frame_grid(ax: Axes, num_layers: int, num_steps: int, skips: bool) -> Axes:
    ax.set_xlim(-0.6, num_steps + 0.5)
    ax.set_ylim(-0.5, num_layers + 1.25)
    ax.set_xticks(range(num_steps + 1), ["initial", *map(str, range(1, num_steps + 1))])
    ax.set_yticks(range(num_layers + 1), ["input", *(f"layer {layer}" for layer in range(1, num_layers + 1))])
    ax.set_xlabel("time (steps) →")
    ax.set_ylabel("depth (layers) →")
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
    kinds = [("-", "recurrence"), ("--", "lifted output"), *[(":", "passes by, adds")] * skips]
    states = [(CURRENT, "computed"), (CARRIED, "carried in")]
    handles = [Line2D([], [], color=INK, linestyle=line, label=label) for line, label in kinds] + [
        Line2D([], [], marker="o", linestyle="", markersize=11, markerfacecolor=color, markeredgecolor=INK, label=label)
        for color, label in states
    ]
    ax.legend(
        handles=handles, ncols=len(handles), loc="upper center", bbox_to_anchor=(0.5, -0.17), fontsize=12, frameon=False
    )
    ax.set_aspect("equal")
    return ax


def _node(ax: Axes, x: int, y: int, label: str, color: str) -> None:
    ax.scatter([x], [y], s=900, color=color, edgecolor=INK if color != FAINT else "#aaaaaa", linewidth=1.2, zorder=3)
    ink = {CURRENT: "white", FAINT: "#595959"}.get(color, INK)
    ax.text(x, y, label, ha="center", va="center", fontsize=12, color=ink, zorder=4)


def _arrow(ax: Axes, start: Point, end: Point, line: str, bright: bool, bend: float = 0.0) -> None:
    style = {"arrowstyle": "-|>", "linestyle": line, "color": INK if bright else FAINT, "linewidth": 1.6}
    # In points: a node's radius, little before a bare label, and none where an arrow joins another.
    leave, reach = (0 if bend else 17 if each[1] == int(each[1]) else 4 for each in (start, end))
    style |= {"shrinkA": leave, "shrinkB": reach, "connectionstyle": f"arc3,rad={bend}"}
    ax.annotate("", end, start, arrowprops=style, zorder=2)


@plt.style.context(STYLE)
def blocks(matrix: Tensor, widths: Sequence[int], ax: Axes | None = None) -> Axes:
    """The sizes of a matrix's entries as shades, zeros white, cut into one block of ``widths[l - 1]`` rows a layer l.

    Rows are what is computed, columns what is read. Errors: ValueError if the widths do not add up to the matrix.
    """
    if tuple(matrix.shape) != (sum(widths), sum(widths)):
        raise ValueError(
            f"matrix has shape {tuple(matrix.shape)} but the widths {list(widths)} add up to {sum(widths)}"
        )
    ax, size = axes(ax, 5.6, 5.6), matrix.detach().abs()
    shade = torch.where(size > 0, 0.25 + 0.75 * size / size.max(), 0.0)  # what is not zero is seen, however small
    ax.imshow(shade.cpu().numpy(), cmap="Greys", vmin=0, vmax=1)
    ends = list(itertools.accumulate(widths))
    for end in ends[:-1]:
        ax.axhline(end - 0.5, color=CURRENT, linewidth=1.5)
        ax.axvline(end - 0.5, color=CURRENT, linewidth=1.5)
    places = [end - width / 2 - 0.5 for end, width in zip(ends, widths, strict=True)]
    names = [f"layer {layer}" for layer in range(1, len(widths) + 1)]
    ax.set_xticks(places, names)
    ax.set_yticks(places, names, rotation=90, va="center")
    ax.set_xlabel("what is read")
    ax.set_ylabel("what is computed")
    ax.tick_params(length=0)
    return ax
