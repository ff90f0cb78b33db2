"""The report as a picture: a panel a cell and mode, a mark a candidate, torch.nn the line at 1."""

import io

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from course_lib.bench.peers import BASE, CANDIDATES, STACK
from course_lib.bench.report import Report, Row
from course_lib.bench.shapes import CELLS, MODES
from course_lib.bench.tables import number
from course_lib.plots.style import FAINT, INK, STYLE

MARKS = dict(zip([name for name in CANDIDATES if name != BASE], "oPsD^v"))
TITLES = {"LSTM": "LSTM", "GRU": "GRU", "RNN": "tanh RNN"}


@plt.style.context(STYLE)
def draw(report: Report) -> Figure:
    """Speed relative to torch.nn on a log axis, to the right is faster; a stroke over the Stack's quartiles."""
    cells = [cell for cell in CELLS if any(row.cell == cell for row in report.rows)]
    shapes = list(dict.fromkeys(row.shape for row in report.rows))
    size = (2.2 + 4.0 * len(cells), 2.4 + len(MODES) * (0.7 + 0.36 * len(shapes)))
    options = {"sharex": True, "sharey": True, "squeeze": False, "layout": "constrained", "figsize": size}
    figure, places = plt.subplots(len(MODES), len(cells), **options)
    for mode, line in zip(MODES, places):
        for cell, ax in zip(cells, line):
            rows = {row.shape: row for row in report.rows if (row.cell, row.mode) == (cell, mode)}
            _panel(ax, [rows.get(shape) for shape in shapes])
            ax.set_title(f"{TITLES[cell]}, {mode}")
    places[0, 0].set_yticks(range(len(shapes)), [str(shape) for shape in shapes])
    places[0, 0].set_ylim(len(shapes) - 0.4, -0.6)
    _log(places[0, 0])
    figure.supxlabel(f"times as fast as {BASE}")
    _legend(figure, places[0, 0])
    figure.suptitle(message(report), wrap=True)
    return figure


def _panel(ax: Axes, rows: list[Row | None]) -> None:
    ax.axvline(1, color=INK, linestyle="-", linewidth=1.6, label=BASE)
    ax.grid(axis="y", color=FAINT, linewidth=0.8, linestyle="-")
    for index, (name, mark) in enumerate(MARKS.items()):
        speeds = {place: row.speed[name] for place, row in enumerate(rows) if row and name in row.speed}
        color = f"C{index}"
        size = 11 if name == STACK else 7
        ax.plot([each.median for each in speeds.values()], list(speeds), mark, color=color, markersize=size, label=name)
        if name == STACK:
            ends = [each.low for each in speeds.values()], [each.high for each in speeds.values()]
            ax.hlines(list(speeds), *ends, color=color, linewidth=4, alpha=0.4)


def _log(ax: Axes) -> None:
    """A log axis with numbers as people write them."""
    ax.set_xscale("log")
    low, high = ax.get_xlim()
    ax.xaxis.set_major_locator(
        FixedLocator([tick for tick in (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100) if low < tick < high])
    )
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter("{x:g}")


def _legend(figure: Figure, ax: Axes) -> None:
    handles, labels = ax.get_legend_handles_labels()
    shown = [(each, label) for each, label in zip(handles, labels) if any(_drawn(ax, label) for ax in figure.axes)]
    figure.legend(*zip(*shown), loc="outside right center")


def _drawn(ax: Axes, label: str) -> bool:
    return any(line.get_label() == label and len(line.get_xdata()) for line in ax.lines)


def message(report: Report) -> str:
    """The figure's one sentence: from the slowest to the fastest shape, how fast each cell trains."""
    told = []
    for cell in CELLS:
        found = [
            row.speed[STACK].median
            for row in report.rows
            if (row.cell, row.mode) == (cell, "training") and STACK in row.speed
        ]
        if found:
            low, high = number(min(found)), number(max(found))
            told.append(f"{TITLES[cell]} {low if low == high else f'{low} to {high}'}")
    if not told:
        return f"Speed on one core relative to {BASE}"
    return f"On one core the Stack trains {', '.join(told)} times as fast as {BASE}"


def png(report: Report) -> bytes:
    """The picture's file."""
    image = io.BytesIO()
    figure = draw(report)
    with plt.style.context(STYLE):
        figure.savefig(image, format="png", metadata={"Software": None})
    plt.close(figure)
    return image.getvalue()
