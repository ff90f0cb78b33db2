"""The commands `course assignment …` and `course grade …`: from a problem set to marks that leave the grade book."""

import argparse
import datetime
import sys
from collections.abc import Callable
from pathlib import Path

# ``actions`` is imported when a command runs: it needs the extra "grading", and `course --help` must not wait.
EXTRA = {"nbgrader", "alembic", "sqlalchemy", "nbformat", "nbconvert", "traitlets"}
SECRET = "secret.key"  # in the grade book's folder, unless an option names another file

Command = Callable[[object, argparse.Namespace], int]


def add_to(commands: argparse._SubParsersAction) -> None:
    """Add both commands to the parser of `course`."""
    assignment = _group(commands, "assignment", "build graded work for a class: a folder and a zip file a student")
    build = _add(assignment, "build", "build", "build an assignment for every student of a roster")
    build.add_argument("--roster", type=Path, required=True, metavar="CSV", help="columns student, name, email, ...")
    build.add_argument("--deadline", type=_time, help="such as 2026-10-01T23:59+02:00; default: none")
    build.add_argument("--make-secret", action="store_true", help="write a new class secret first")
    _with_secret(build)
    grade = _group(commands, "grade", "take in, judge and return graded work")
    doctor = _add(
        grade, "doctor", "doctor", "attack the box with canaries and say whether this machine may grade", False
    )
    doctor.add_argument("--quick", action="store_true", help="only what every run asks first")
    intake = _add(grade, "intake", "intake", "turn downloads into clean hand-ins, with a receipt or a reason for each")
    intake.add_argument(
        "downloads", type=Path, help="a folder or zip file, as nbgrader, Canvas or Moodle name the files"
    )
    intake.add_argument("--deadline", type=_time, help="the last hand-in before it counts; default: as at the build")
    run = _add(grade, "run", "run", "judge every hand-in that was not judged yet, each in a box of its own")
    run.add_argument("--student", help="only this one")
    place = run.add_mutually_exclusive_group()
    place.add_argument("--workers", type=_count, help="processes of this machine; default: one a core")
    place.add_argument("--scheduler", metavar="tcp://...", help="the workers of this Dask scheduler instead")
    _with_secret(run)
    _add(grade, "status", "status", "say where every student stands, and how many met each mistake")
    _add(grade, "feedback", "feedback", "write a page for every student that handed something in")
    export = _add(grade, "export", "export", "write the marks as a table, for Canvas or for Gradescope")
    export.add_argument("--format", choices=("csv", "canvas", "gradescope"), default="csv", help="default: csv")
    export.add_argument("--to", type=Path, help="the file, or Gradescope's folder; default: in export/")
    export.add_argument("--canvas-assignment", default="", metavar="ID", help="Canvas's number of the assignment")
    export.add_argument("--allow-open", action="store_true", help="leave out who is not done instead of refusing")


def _group(commands: argparse._SubParsersAction, name: str, text: str) -> argparse._SubParsersAction:
    parser = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    return parser.add_subparsers(title="actions", metavar="action", required=True)


def _add(
    actions: argparse._SubParsersAction, name: str, command: str, text: str, of_assignment: bool = True
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    parser.set_defaults(command=_calling(command))
    if of_assignment:
        parser.add_argument("assignment", help="a folder's name in instructor/, such as ps1")
        parser.add_argument("--folder", type=Path, default=Path("gradebook"), help="default: gradebook/ in this folder")
    return parser


def _with_secret(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--secret-file", type=Path, metavar="F", help=f"the class secret; default: {SECRET} in --folder"
    )


def _calling(name: str) -> Command:
    """What a command does: the function of that name in ``actions``, with every refusal as a sentence on stderr."""

    def command(project: object, arguments: argparse.Namespace) -> int:
        try:
            from course_lib.grading import actions
        except ModuleNotFoundError as error:
            package = (error.name or "").partition(".")[0]
            if package not in EXTRA:
                raise
            return _complain(f'{package} is not installed; install it with: pip install "course-lib[grading]"', 1)
        try:
            return getattr(actions, name)(arguments)
        except actions.MisunderstoodError as error:
            return _complain(error, 2)
        except actions.FAILURES as error:
            return _complain(error, 1)

    return command


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
