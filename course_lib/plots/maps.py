"""Gradients on the grid: the paths that lead to each node, how their sum grows, and how much each node gets."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from course_lib.gradients import ALIGNED, ONE_PATH, RANDOM, path_count
from course_lib.plots.style import CARRIED, CURRENT, FAINT, INK, STYLE, axes

Node = tuple[int, int]  # (time, layer)


@plt.style.context(STYLE)
def paths(num_steps: int, num_layers: int, bold: Sequence[Node] = (), ax: Axes | None = None) -> Axes:
    """Every node with the number of paths that lead to it from x_1; ``bold`` lists the nodes of one of them.

    Errors: ValueError if the bold path takes another step than one to the right or one up.
    """
    ax = axes(ax, 0.9 * num_steps + 1.6, 0.9 * num_layers + 1.4)
    for time in range(1, num_steps + 1):
        for layer in range(1, num_layers + 1):
            if time < num_steps:
                ax.plot([time, time + 1], [layer, layer], color=FAINT, linestyle="-", linewidth=1.6, zorder=1)
            if layer < num_layers:
                ax.plot([time, time], [layer, layer + 1], color=FAINT, linestyle="--", linewidth=1.6, zorder=1)
            on = (time, layer) in bold
            ax.scatter([time], [layer], s=640, color=CURRENT if on else "white", edgecolor=INK, linewidth=1.0, zorder=3)
            number = path_count(time, layer)
            ax.text(time, layer, number, ha="center", va="center", fontsize=10, color="white" if on else INK, zorder=4)
    _entry(ax, bold)
    ax.set_xlim(0.4, num_steps + 0.6)
    ax.set_ylim(-0.4, num_layers + 0.6)
    ax.set_xticks(range(1, num_steps + 1))
    ax.set_yticks(range(num_layers + 1), ["input", *(f"layer {layer}" for layer in range(1, num_layers + 1))])
    ax.set_xlabel("time (steps) →")
    ax.set_ylabel("depth (layers) →")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax


def _entry(ax: Axes, bold: Sequence[Node]) -> None:
    """x_1, the step into layer 1, and the bold path with its two line styles: solid in time, dashed in depth."""
    ax.plot([1, 1], [0, 1], color=FAINT, linestyle="--", linewidth=1.6, zorder=1)
    ax.scatter([1], [0], s=640, color=CARRIED, edgecolor=INK, linewidth=1.0, zorder=3)
    ax.text(1, 0, "$x_1$", ha="center", va="center", fontsize=12, color=INK, zorder=4)
    for (t, l), (s, m) in zip([(1, 0), *bold], bold):
        if (s - t, m - l) not in ((1, 0), (0, 1)):
            raise ValueError(f"a path goes one step right or one up, not from {(t, l)} to {(s, m)} as (time, layer)")
        ax.plot([t, s], [l, m], color=CURRENT, linestyle="-" if m == l else "--", linewidth=3.6, zorder=2)


@plt.style.context(STYLE)
def regimes(num_steps: int, num_layers: int, a: float | int, b: float | int, ax: Axes | None = None) -> Axes:
    """How large ∂h_t^(L)/∂x_1 is at t = 1..T if paths count as one, add at random or agree; the dotted line is 1."""
    ax, times = axes(ax), range(1, num_steps + 1)
    for regime, marker in ((ALIGNED, "o"), (RANDOM, "s"), (ONE_PATH, "v")):
        sizes = [regime.size(a, b, time, num_layers) for time in times]
        (line,) = ax.plot(times, sizes, marker=marker, markevery=max(1, num_steps // 12), label=regime.name)
        if num_layers > 1:  # with one layer there is one path, and the three are one curve
            ax.annotate(f"  {regime.name}", (num_steps, sizes[-1]), color=line.get_color(), va="center", fontsize=12)
    if num_layers == 1:
        ax.annotate("  all three", (num_steps, sizes[-1]), va="center", fontsize=12)
    ax.axhline(1.0, color=INK, linestyle=":", linewidth=1.4)
    ax.set_yscale("log")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("time t (steps) →")
    ax.set_ylabel(f"size of the gradient\nfrom layer {num_layers} at t to $x_1$")
    return ax


@plt.style.context(STYLE)
def gradient_maps(maps: Mapping[str, Tensor], columns: int = 3, floor: float = -8.0) -> Figure:
    """One panel a name, (layers, time) each, as shades of log10; three corners are written out.

    What lies below 10^``floor`` has the darkest shade. Zero, where no path leads, is left white.
    """
    rows = -(-len(maps) // columns)
    figure, panels = plt.subplots(
        rows,
        columns,
        figsize=(4.1 * columns, 2.3 * rows + 0.6),
        sharex=True,
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    for panel, (name, found) in zip(panels.flat, maps.items()):
        num_layers, num_steps = found.shape
        decades = found.detach().double().log10()  # -inf, which is left white, where no path leads
        place = (0.5, num_steps + 0.5, 0.5, num_layers + 0.5)
        image = panel.imshow(decades.numpy(), origin="lower", aspect="auto", extent=place, vmin=floor, vmax=0)
        panel.set_title(name, fontsize=12)
        for layer, time, side in ((1, num_steps, "right"), (num_layers, num_steps // 2, "center"), (1, 1, "left")):
            _write(panel, (time, layer), float(decades[layer - 1, time - 1]), side, floor)
    for panel in panels[-1]:
        panel.set_xlabel("time (steps) →")
    for panel in panels[:, 0]:
        panel.set_ylabel("depth (layers) →")
    for panel in panels.flat[len(maps) :]:
        panel.set_visible(False)
    figure.colorbar(image, ax=panels, label="log10 of the gradient", shrink=0.8, extend="min")
    return figure


def _write(panel: Axes, place: Node, decades: float, side: str, floor: float) -> None:
    """A number in the ink that its shade leaves readable."""
    color = INK if decades > floor / 2 else "white"
    panel.text(*place, f"{decades:.1f}".replace("-0.0", "0.0"), ha=side, va="center", fontsize=11, color=color)
