"""What `course assignment build` and each `course grade …` do, once their words are understood."""

import argparse
import contextlib
import functools
import json
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from pathlib import Path

from tqdm import tqdm

from course_lib.experiments import executors
from course_lib.experiments.runner import RunnerError
from course_lib.grading import book, course_folder, journal, receipts, roster, runs, sets, variant
from course_lib.grading import export as exporting
from course_lib.grading import feedback as pages
from course_lib.grading import status as standing
from course_lib.grading.intake import IntakeError, take_in
from course_lib.grading.limits import BoxError
from course_lib.grading.template import TemplateError

FAILURES = (
    course_folder.BookError,
    exporting.ExportError,
    journal.JournalError,
    BoxError,
    IntakeError,
    receipts.ReceiptsError,
    roster.RosterError,
    RunnerError,
    sets.SetError,
    TemplateError,
    variant.SecretError,
)
ROSTER = "roster.csv"  # in the grade book's folder: a copy of what the last build or intake was given


class MisunderstoodError(ValueError):
    """A word of the command names nothing that there is; the message says what there is."""


def build(arguments: argparse.Namespace) -> int:
    """Write what is handed out, and enter the assignment and its students in the grade book."""
    from course_lib.grading.build import build as build_all  # which needs jupytext

    folder, assignment = arguments.folder, arguments.assignment
    known = sorted(path.parent.name for path in sets.INSTRUCTOR.glob("*/problems.py"))
    if assignment not in known:
        raise MisunderstoodError(f"there is no problem set {assignment!r}; there are: {', '.join(known) or 'none'}")
    members = roster.read(arguments.roster)
    secret = (variant.make_secret if arguments.make_secret else variant.read_secret)(_secret_file(arguments))
    course_folder.set_up(folder)
    zips = build_all(assignment, members.values(), secret, folder)
    receipts.replace(folder / ROSTER, arguments.roster.read_bytes())
    course_folder.add_assignment(folder, assignment, arguments.deadline)
    course_folder.add_students(folder, list(members))
    print(f"{assignment} is built for {len(zips)} students; hand out {folder / 'handed_out' / assignment}/*.zip")
    return 0


def doctor(arguments: argparse.Namespace) -> int:
    """Print a line an attack; 1 if any gets through."""
    found = _examined(arguments.container, arguments.quick)
    for each in found:
        print(f"{'held' if each.ok else 'ESCAPED':8} {each.attack:30} {each.told}", flush=True)
    if not all(each.ok for each in found):
        raise BoxError("this machine must not grade: what is marked ESCAPED got out of the box; see docs/grading.md")
    print("this machine may grade")
    return 0


def _examined(image: str | None, quick: bool) -> Sequence[object]:
    from course_lib.grading.box import Box
    from course_lib.grading.doctor import examine

    return examine(box=_container(image) if image else Box, quick=quick)


def _container(image: str) -> functools.partial:
    from course_lib.grading.container import Container

    return functools.partial(Container, image=image)


def intake(arguments: argparse.Namespace) -> int:
    """Take the downloads in, and name whoever has no hand-in that counts; 1 if a file among them was rejected."""
    folder, assignment = _place(arguments)
    if arguments.roster:
        roster.read(arguments.roster)
        receipts.replace(folder / ROSTER, arguments.roster.read_bytes())
    members = roster.read(folder / ROSTER)
    if arguments.deadline:
        course_folder.add_assignment(folder, assignment, arguments.deadline)
    deadline = course_folder.deadline(folder, assignment)
    taken = take_in(folder, assignment, arguments.downloads, members, deadline, _variants(arguments))
    rejected = sorted(taken.rejected, key=lambda each: (each.student, each.file))
    for each in rejected:
        print(f"rejected: {each.student or 'nobody'}, {each.file}: {each.reason}")
    print("\n".join(f"look at: {warning}" for warning in taken.warnings), end="\n" * bool(taken.warnings))
    handed_in = len(members) - len(taken.missing)
    print(f"{handed_in} of {len(members)} students have handed in, {len(taken.changed)} anew; {len(rejected)} rejected")
    print(f"none from: {', '.join(taken.missing)}" if taken.missing else "all have handed in")
    return int(bool(rejected))


def _variants(arguments: argparse.Namespace) -> "functools.partial[Mapping[str, object]]":
    return functools.partial(_variant, arguments.folder, arguments.assignment, _secret_file(arguments))


def _variant(folder: Path, assignment: str, secret_file: Path, student: str) -> Mapping[str, object]:
    """The numbers that a student was given: from the record of the hand-out, or drawn as it was drawn."""
    record = folder / "handed_out" / assignment / student / "variant.json"
    if record.is_file():
        return json.loads(record.read_text(encoding="utf-8"))
    return variant.variant_of(sets.load(assignment), variant.read_secret(secret_file), student)


def run(arguments: argparse.Namespace) -> int:
    """Judge what is missing, after the doctor's quick look; 1 if anything failed on our side."""
    folder, assignment = _place(arguments)
    if arguments.student and arguments.student not in runs.handed_in(folder, assignment):
        raise MisunderstoodError(
            f"there is no hand-in of {arguments.student!r} that counts; see: course grade status {assignment}"
        )
    if arguments.again and not arguments.student:
        raise MisunderstoodError("--again needs --student: one student at a time is judged anew")
    secret = variant.read_secret(_secret_file(arguments))
    _refuse_unless_healthy(arguments.container)
    judging = runs.Judging(secret, grade=_grade(arguments.container))
    todo = 1 if arguments.again else len(runs.missing(folder, assignment, arguments.student))
    print(f"{assignment}: {todo} to judge of {len(runs.handed_in(folder, assignment))} handed in", flush=True)
    failed = 0
    with _executor(arguments, todo) as executor:
        for step in runs.run(folder, assignment, judging, arguments.student, executor, arguments.again):
            tqdm.write(_line(step))
            sys.stdout.flush()
            failed += bool(step.trouble) or step.entry.outcome.status == "internal error"
    if failed:
        print(f"{failed} failed on our side; the same command tries them again")
    return int(bool(failed))


def _line(step: runs.Step) -> str:
    """A student's outcome in one line."""
    outcome, marks = step.entry.outcome, step.entry.outcome.marks.values()
    points = f"{sum(mark.points for mark in marks):g} of {sum(mark.out_of for mark in marks):g} points by check"
    words = [points if outcome.status in journal.JUDGED else "", outcome.reason, step.trouble]
    return f"{step.entry.student:16} {outcome.status:14} {'; '.join(filter(None, words))}".rstrip()


def _refuse_unless_healthy(image: str | None) -> None:
    """Errors: BoxError as root, without a box, or if one of the doctor's quick attacks gets through."""
    escaped = [each.attack for each in _examined(image, quick=True) if not each.ok]
    if escaped:
        raise BoxError(f"nothing is judged, since the box did not hold: {', '.join(escaped)}; run: course grade doctor")


def _grade(image: str | None) -> functools.partial | None:
    """The judge with containers for boxes; None: with its own."""
    if image is None:
        return None
    from course_lib.grading.judge import grade

    return functools.partial(grade, box=_container(image))


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
            f"there is no assignment {assignment!r} in {folder.resolve()}; built there: {', '.join(built) or 'none'}; "
            f"go to the folder that holds your grade book, or build it: course assignment build {assignment} --roster "
            "class.csv"
        )
    return folder, assignment


def _secret_file(arguments: argparse.Namespace) -> Path:
    return arguments.secret_file or arguments.folder / "secret.key"
