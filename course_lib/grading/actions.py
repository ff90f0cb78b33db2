"""What `course assignment build` and each `course grade …` do, once their words are understood."""

import argparse
import contextlib
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from pathlib import Path

from course_lib.experiments import executors
from course_lib.experiments.runner import RunnerError
from course_lib.grading import book, course_folder, journal, receipts, roster, runs, sets, variant
from course_lib.grading import export as exporting
from course_lib.grading import feedback as pages
from course_lib.grading import status as standing
from course_lib.grading.limits import BoxError

FAILURES = (
    course_folder.BookError,
    exporting.ExportError,
    journal.JournalError,
    BoxError,
    receipts.ReceiptsError,
    roster.RosterError,
    RunnerError,
    sets.SetError,
    variant.SecretError,
)


class MisunderstoodError(ValueError):
    """A word of the command names nothing that there is; the message says what there is."""


def run(arguments: argparse.Namespace) -> int:
    """Judge what is missing, after the doctor's quick look; 1 if anything failed on our side."""
    folder, assignment = _place(arguments)
    if arguments.student and arguments.student not in runs.handed_in(folder, assignment):
        raise MisunderstoodError(
            f"{arguments.student!r} has handed in nothing for {assignment}; see: course grade status"
        )
    secret = variant.read_secret(_secret_file(arguments))
    _refuse_unless_healthy()
    todo = len(runs.missing(folder, assignment, arguments.student))
    print(f"{assignment}: {todo} to judge of {len(runs.handed_in(folder, assignment))} handed in", flush=True)
    failed, counts = 0, Counter()
    with _executor(arguments, todo) as executor:
        for step in runs.run(folder, assignment, runs.Judging(secret), arguments.student, executor):
            outcome = step.entry.outcome
            points = f"{sum(mark.points for mark in outcome.marks.values()):g} points"
            words = [points if outcome.status in journal.JUDGED else "", outcome.reason, step.trouble]
            print(f"{step.entry.student:16} {outcome.status:14} {'; '.join(filter(None, words))}".rstrip(), flush=True)
            counts[outcome.status] += 1
            failed += bool(step.trouble) or outcome.status == "internal error"
    if failed:
        print(f"{failed} failed on our side; the same command tries them again")
    return int(bool(failed))


def _executor(arguments: argparse.Namespace, todo: int) -> AbstractContextManager[Executor | None]:
    if arguments.scheduler:
        return executors.cluster(arguments.scheduler)
    workers = min(arguments.workers or executors.cores(), todo)
    return executors.processes(workers) if workers > 1 else contextlib.nullcontext()


def status(arguments: argparse.Namespace) -> int:
    """Print a line a student and a line a mistake."""
    print("\n".join(standing.lines(standing.standings(*_place(arguments)))))
    return 0


def feedback(arguments: argparse.Namespace) -> int:
    """Write the pages."""
    folder, assignment = _place(arguments)
    book.settle(folder, assignment)
    written = pages.write(folder, assignment, standing.standings(folder, assignment))
    print(f"{len(written)} pages are in {folder / 'feedback'}")
    return 0


def export(arguments: argparse.Namespace) -> int:
    """Write the marks, unless somebody's are not final."""
    folder, assignment = _place(arguments)
    book.settle(folder, assignment)
    found = standing.standings(folder, assignment)
    if not arguments.allow_open:
        exporting.check_closed(found)
    path = arguments.to or folder / "export" / _FILES[arguments.format].format(assignment)
    if arguments.format == "csv":
        exporting.write_csv(path, assignment, found)
    elif arguments.format == "canvas":
        exporting.write_canvas(path, assignment, found, arguments.canvas_assignment)
    else:
        exporting.write_gradescope(path, found)
    print(f"{path} is written")
    _tell_empty(found)
    return 0


_FILES = {"csv": "{}.csv", "canvas": "{}-canvas.csv", "gradescope": "{}-gradescope"}


def _tell_empty(found: Sequence[standing.Standing]) -> None:
    """Whoever has no score in the export is named, so that no empty cell goes unseen."""
    empty = [each for each in found if each.score is None or each.open]
    for each in empty:
        print(f"no score: {each.member.student:16} {each.open or each.status}")


def _place(arguments: argparse.Namespace) -> tuple[Path, str]:
    """The folder and the assignment. Errors: MisunderstoodError for an assignment that was not built there."""
    folder, assignment = arguments.folder, arguments.assignment
    built = sorted(path.name for path in folder.glob("release/*") if (path / f"{path.name}.ipynb").is_file())
    if assignment not in built:
        raise MisunderstoodError(
            f"there is no assignment {assignment!r} in {folder}; built there: {', '.join(built) or 'none'}; "
            f"run first: course assignment build {assignment} --roster class.csv"
        )
    return folder, assignment


def _secret_file(arguments: argparse.Namespace) -> Path:
    return arguments.secret_file or arguments.folder / "secret.key"
