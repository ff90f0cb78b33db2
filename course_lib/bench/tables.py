"""The report as tables, for a terminal and in Markdown, with the lines below them that say what they hold."""

import textwrap
from collections.abc import Callable, Sequence

from course_lib.bench.floor import WHY_NOT
from course_lib.bench.memory import units
from course_lib.bench.peers import BASE, CANDIDATES, EXTRA, STACK
from course_lib.bench.report import Report
from course_lib.bench.rounds import LONGEST, Spread
from course_lib.bench.shapes import CELLS

NONE = "-"
SHORT = {"ONNX Runtime": "ORT", "no compiler": "Python"}
PEERS = [name for name in CANDIDATES if name not in (BASE, STACK)]
Table = list[list[str]]


def number(value: float) -> str:
    """Three digits: 0.12, 1.23, 12.3, 123."""
    return f"{value:.2f}" if value < 9.995 else f"{value:.1f}" if value < 99.95 else f"{value:.0f}"


def ranged(value: Spread | None) -> str:
    """The median with the quartiles: 1.23 (1.20-1.25)."""
    return NONE if value is None else f"{number(value.median)} ({number(value.low)}-{number(value.high)})"


def percent(share: float | None) -> str:
    """A share in percent."""
    return NONE if share is None else f"{100 * share:.0f}"


def speeds(report: Report) -> Table:
    """A row a cell, mode and shape: torch.nn's time, how many times as fast the others are, the Stack's distance."""
    table = [["cell", "mode", "shape", f"{BASE} ms", STACK, *(SHORT.get(each, each) for each in PEERS)]]
    table[0] += ["% FMA", "% floor"]
    for row in sorted(report.rows, key=lambda row: (CELLS.index(row.cell), row.mode)):
        line = [row.cell, row.mode, str(row.shape)]
        line += [number(1000 * row.seconds[BASE].median) if BASE in row.seconds else NONE, ranged(row.speed.get(STACK))]
        line += [number(row.speed[name].median) if name in row.speed else NONE for name in PEERS]
        table.append([*line, percent(row.of_peak.get(STACK)), percent(row.of_floor.get(STACK))])
    return table


def memory(report: Report) -> Table:
    """A row a cell: megabytes by candidate, in brackets units of B H floats a layer and step."""
    names = [name for name in CANDIDATES if any(name in each.bytes for each in report.memory)]
    table = [["cell", "training step", *names]]
    for each in report.memory:
        found = [each.bytes.get(name) for name in names]
        told = [NONE if size is None else f"{size / 1e6:.0f} MB ({units(size, each.shape):.1f})" for size in found]
        table.append([each.cell, str(each.shape), *told])
    return table


def threaded(report: Report) -> Table:
    """A row a cell and mode, by wall time at torch's own number of threads."""
    table = [["cell", "mode", "shape", "threads", f"{BASE} ms", STACK]]
    for each in report.threaded:
        milliseconds = number(1000 * each.seconds[BASE].median)
        told = [str(each.threads), milliseconds, ranged(each.speed)]
        table.append([each.cell, each.mode, str(each.shape), *told])
    return table


def notes(report: Report) -> list[str]:
    """What the numbers are, what is missing and why, and where they come from."""
    told = [
        f"{STACK} and peers: how many times as fast as {BASE}, the median of the ratios within each of "
        f"{report.rounds} rounds (quartiles);",
        f"CPU time of one process, {report.threads} thread; a peer that takes over {LONGEST:g} s is in fewer rounds.",
        f"{BASE} has no residual connections and is wired plainly; all others have them. ORT has no training.",
        f"% FMA and % floor: the {STACK}'s share of the core's multiply-adds, and of the shortest possible time.",
        _floor(report),
    ]
    told += [f"{name}: not installed; {EXTRA}" for name in report.missing]
    told += [
        f"{row.cell} {row.mode} {row.shape}: {name}: {text}"
        for row in report.rows
        for name, text in row.problems.items()
    ]
    told += [f"{each.cell} memory: {name}: {text}" for each in report.memory for name, text in each.problems.items()]
    told += report.problems
    told += [] if report.complete else ["The run was stopped before its end."]
    return [*told, *_provenance(report)]


def _floor(report: Report) -> str:
    if report.floor is None:
        return WHY_NOT
    reads = ", ".join(f"{rate / 1e9:.0f} ({size // 1024} KB)" for size, rate in report.floor.reads.items())
    return f"This core: {report.floor.multiply_adds / 1e9:.0f} GFLOP/s; GB/s read: {reads}."


def _provenance(report: Report) -> list[str]:
    machine = report.machine
    caches = "".join(f", {name} {size}" for name, size in machine["caches"].items())
    load = "" if machine["load"] is None else f", load {machine['load']}"
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    return [
        f"{machine['processor']}, {machine['cores']} cores{caches}; {machine['system']}{load}; {report.date}.",
        versions,
    ]


def text(report: Report, width: int = 120) -> str:
    """Everything for a terminal of ``width`` columns."""
    return "\n".join([*_all(report, _plain), *(part for note in notes(report) for part in _folded(note, width))])


def markdown(report: Report) -> str:
    """Everything as a page in Markdown."""
    title = "# Speed and memory of the stack, measured\n\nWritten by `course bench`; [how to read it](../bench.md).\n"
    listed = [f"- {note.rstrip(';')}" for note in notes(report)]
    return "\n".join([title, *_all(report, _ruled), *listed]) + "\n"


def _all(report: Report, laid: Callable[[Table], list[str]]) -> list[str]:
    """The tables that have rows, an empty line below each."""
    tables = [make(report) for make in (speeds, memory, threaded)]
    return [line for table in tables if len(table) > 1 for line in [*laid(table), ""]]


def _plain(table: Table) -> list[str]:
    """Columns side by side: words to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*table)]
    words = [all(not each[:1].isdigit() and each != NONE for each in column[1:]) for column in zip(*table)]
    return [" ".join(_cell(*each) for each in zip(line, widths, words)).rstrip() for line in table]


def _cell(content: str, width: int, is_word: bool) -> str:
    return content.ljust(width) if is_word else content.rjust(width)


def _ruled(table: Table) -> list[str]:
    head, *lines = [f"| {' | '.join(line)} |" for line in table]
    return [head, "|---" * len(table[0]) + "|", *lines]


def _folded(note: str, width: int) -> Sequence[str]:
    return textwrap.wrap(note, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
