"""What `course bench` does: measure or read a report, print its tables, write them with the picture."""

import argparse
import sys
from pathlib import Path

from course_lib.bench.measure import ROUNDS, Plan, begin, fill, quick
from course_lib.bench.report import Report, ReportError, from_json, write
from course_lib.bench.shapes import CELLS, SHAPES


def command(folder: Path, arguments: argparse.Namespace) -> int:
    """Run it and return the exit code; ``folder`` is where the course keeps its result, replaced by a whole run only.

    Errors: OSError for a file that cannot be read or written.
    """
    if arguments.source is not None:
        return _again(arguments.source, arguments.out)
    plan = _plan(arguments)
    report, stopped = begin(plan), False
    try:
        fill(report, plan, lambda what: print(what, file=sys.stderr, flush=True))
    except KeyboardInterrupt:
        stopped = True
    out = arguments.out or (folder if plan.whole and report.complete else None)
    _tell(report, out)
    if stopped:
        print("course: stopped", file=sys.stderr, flush=True)
    return 130 if stopped else 0


def ladder(page: Path) -> int:
    """Measure every rung from the plain loop to the kernel and put the tables into the page."""
    from course_lib.bench.ladder import tables, update

    measured = tables(tell=lambda what: print(what, file=sys.stderr, flush=True))
    update(page, measured)
    print(f"{measured}\n{page.name} is written")
    return 0


def _plan(arguments: argparse.Namespace) -> Plan:
    """What the words ask for; unnamed things are as in a whole or a quick run."""
    named = {
        "cells": arguments.cells and tuple(cell for cell in CELLS if cell in arguments.cells),
        "shapes": arguments.shapes and tuple(name for name in SHAPES if name in arguments.shapes),
        "rounds": arguments.rounds,
    }
    given = {name: value for name, value in named.items() if value}
    return quick(**given) if arguments.quick else Plan(**given)


def _again(source: Path, out: Path | None) -> int:
    """Tables and picture of a report that was measured before."""
    try:
        report = from_json(source.read_text(encoding="utf-8"))
    except ReportError as error:
        print(f"course: {source}: {error}", file=sys.stderr, flush=True)
        return 1
    _tell(report, out or source.parent)
    return 0


def _tell(report: Report, out: Path | None) -> None:
    """Print the tables; write report, tables and picture to a folder, each whole or not at all."""
    from course_lib.bench.tables import markdown, text

    print(text(report), flush=True)
    if out is None:
        print(f"nothing is written: only a run of everything in {ROUNDS} rounds is; --out FOLDER writes this one")
        return
    if not report.rows:
        print("nothing is written: nothing was measured")
        return
    from course_lib.bench.picture import png

    files = {"bench.json": report.to_json().encode(), "table.md": markdown(report).encode(), "bench.png": png(report)}
    for name, content in files.items():
        write(out / name, content)
    print(f"{', '.join(files)} are written to {out}")
