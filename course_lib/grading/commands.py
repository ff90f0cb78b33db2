"""The commands `course assignment …` and `course grade …`: from a problem set to marks that leave the grade book."""

import argparse
import datetime
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

# ``actions`` is imported when a command runs: it needs the extra "grading", and `course --help` must not wait.
EXTRA = {"nbgrader", "alembic", "sqlalchemy", "nbformat", "nbconvert", "traitlets", "jupytext"}

Command = Callable[[object, argparse.Namespace], int]


def add_to(commands: argparse._SubParsersAction) -> None:
    """Add both commands to the parser of `course`."""
    assignment = _group(commands, "assignment", "build graded work for a class: a folder and a zip file a student")
    build = _add(assignment, "build", "build an assignment for every student of a roster")
    build.add_argument("--roster", type=Path, required=True, metavar="CSV", help="columns student, name, email, ...")
    build.add_argument("--deadline", type=_time, help="such as 2026-10-01T23:59+02:00; default: none")
    build.add_argument("--make-secret", action="store_true", help="write a new class secret first")
    _with_secret(build)
    grade = _group(commands, "grade", "take in, judge and return graded work")
    _add_judging(grade)
    _add_returning(grade)


def _add_judging(grade: argparse._SubParsersAction) -> None:
    doctor = _add(grade, "doctor", "attack the box and say whether this machine may grade", of_assignment=False)
    doctor.add_argument("--quick", action="store_true", help="only what every run asks first")
    intake = _add(grade, "intake", "turn downloads into clean hand-ins, with a receipt or a reason for each")
    intake.add_argument("downloads", type=Path, help="a folder or zip file as nbgrader, Canvas or Moodle names it")
    intake.add_argument("--roster", type=Path, metavar="CSV", help="a newer roster; default: as at the build")
    intake.add_argument("--deadline", type=_time, help="the last hand-in before it counts; default: as at the build")
    _with_secret(intake)
    run = _add(grade, "run", "judge every hand-in that was not judged yet, each in a box of its own")
    run.add_argument("--student", help="only this one")
    run.add_argument("--again", action="store_true", help="judge the student anew, though that was done")
    place = run.add_mutually_exclusive_group()
    place.add_argument("--workers", type=_count, help="processes of this machine; default: one a core")
    place.add_argument("--scheduler", metavar="tcp://...", help="the workers of this Dask scheduler instead")
    _with_secret(run)
    for parser in (doctor, run):
        parser.add_argument("--container", metavar="IMAGE", help="boxes of docker or podman instead of bubblewrap's")


def _add_returning(grade: argparse._SubParsersAction) -> None:
    _add(grade, "status", "say where every student stands, and how many met each mistake")
    _add(grade, "feedback", "write a page for every student that handed something in")
    export = _add(grade, "export", "write the marks as a table, for Canvas or for Gradescope")
    export.add_argument("--format", choices=("csv", "canvas", "gradescope"), default="csv", help="default: csv")
    export.add_argument("--to", type=Path, help="the file, or Gradescope's folder; default: in export/ of the folder")
    export.add_argument("--canvas-assignment", default="", metavar="ID", help="Canvas's number of the assignment")
    export.add_argument("--allow-open", action="store_true", help="leave out who is not done instead of refusing")


def _group(commands: argparse._SubParsersAction, name: str, text: str) -> argparse._SubParsersAction:
    parser = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    return parser.add_subparsers(title="actions", metavar="action", required=True)


def _add(
    actions: argparse._SubParsersAction, name: str, text: str, of_assignment: bool = True
) -> argparse.ArgumentParser:
    """An action, done by the function of that name in ``actions``."""
    parser = actions.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    parser.set_defaults(command=_calling(name))
    if of_assignment:
        parser.add_argument("assignment", help="the name of a folder in instructor/, such as ps1")
        parser.add_argument("--folder", type=Path, default=Path("gradebook"), help="default: gradebook/ in this folder")
    return parser


def _with_secret(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--secret-file", type=Path, metavar="F", help="the class secret; default: the folder's secret.key"
    )


def _calling(name: str) -> Command:
    """What a command does: the function of that name in ``actions``, with every refusal as a sentence on stderr."""

    def command(project: object, arguments: argparse.Namespace) -> int:
        try:
            from course_lib.grading import actions

            return _answered(actions, name, arguments)
        except ModuleNotFoundError as error:
            package = (error.name or "").partition(".")[0]
            if package not in EXTRA:
                raise
            cure = 'pip install "course-lib[course,grading]"'
            return _complain(f"{package} is not installed; install it with: {cure}", 1)

    return command


def _answered(actions: ModuleType, name: str, arguments: argparse.Namespace) -> int:
    try:
        return getattr(actions, name)(arguments)
    except actions.MisunderstoodError as error:
        return _complain(error, 2)
    except actions.FAILURES as error:
        return _complain(error, 1)


def _time(text: str) -> datetime.datetime:
    try:
        time = datetime.datetime.fromisoformat(text)
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise argparse.ArgumentTypeError(f"must be a time with its zone, such as 2026-10-01T23:59+02:00, got {text!r}")
    return time


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, got {text!r}")
    return int(text)


def _complain(error: object, code: int) -> int:
    print(f"course: {error}", file=sys.stderr, flush=True)
    return code
