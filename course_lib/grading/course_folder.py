"""nbgrader's course folder: its settings, its database, the assignments and students in it."""

import contextlib
import datetime
import os
import shutil
import sysconfig
import warnings
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.preprocessors import ComputeChecksums, SaveCells
from sqlalchemy.exc import SAWarning
from traitlets.config import Config, PyFileConfigLoader

CONFIG = "nbgrader_config.py"
_SETTINGS = '''"""Settings of nbgrader for this grade book; `course grade` reads them too."""

c = get_config()  # noqa: F821

# Judged writes down what the judge found; nbgrader's own Execute would run students' code outside the box.
c.Autograde.autograde_preprocessors = [
    "course_lib.grading.plugin.Judged",
    "nbgrader.preprocessors.IgnorePattern",
    "nbconvert.preprocessors.ClearMetadataPreprocessor",
    "nbgrader.preprocessors.LimitOutput",
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]

# "none" takes nothing off for a late hand-in, "zero" takes all.
c.LateSubmissionPlugin.penalty_method = "none"

# For another share, such as a tenth, remove the "# " of the lines below. Canvas does not say by how much a hand-in is
# late: there total_seconds_late is 1.
# from nbgrader.plugins import BasePlugin
# class Tenth(BasePlugin):
#     def late_submission_penalty(self, student_id, score, total_seconds_late):
#         return 0.1 * score if total_seconds_late > 0 else 0.0
# c.AssignLatePenalties.plugin_class = Tenth
'''


class BookError(ValueError):
    """The grade book cannot be used, or refuses marks; the message is one sentence."""


def set_up(folder: Path) -> None:
    """Make the folder an nbgrader course directory; what is there stays.

    Errors: BookError for a path that nbgrader would read as a pattern.
    """
    if set(str(folder.resolve())) & set("*?[]"):
        raise BookError(f"folder is {folder}; nbgrader cannot work in a path with * ? [ or ], so choose another")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # hand-ins, marks and solutions are nobody else's
    if not (folder / CONFIG).exists():
        (folder / CONFIG).write_text(_SETTINGS, encoding="utf-8")


def add_assignment(folder: Path, assignment: str, deadline: datetime.datetime | None = None) -> None:
    """Write the release notebook's cells and points into the grade book; a deadline that is None stays as it was.

    Errors: BookError without a release notebook, or if its cells changed after marks were given.
    """
    path = folder / "release" / assignment / f"{assignment}.ipynb"
    if not path.is_file():
        raise BookError(f"there is no {path}; run: course assignment build {assignment} first")
    dates = {} if deadline is None else {"duedate": _utc(deadline)}
    with gradebook(folder) as book:
        book.update_or_create_assignment(assignment, **dates)
    notebook = nbformat.read(path, as_version=4)
    resources = {"nbgrader": {"notebook": assignment, "assignment": assignment, "db_url": url(folder)}}
    try:
        with tools():
            notebook, resources = ComputeChecksums().preprocess(notebook, resources)
            SaveCells().preprocess(notebook, resources)
    except RuntimeError as error:
        raise BookError(
            f"{path} has other cells than the marks in gradebook.db were given for ({error}); bring the old notebook "
            "back, or grade in a new folder"
        ) from error


def deadline(folder: Path, assignment: str) -> datetime.datetime | None:
    """The deadline that the grade book holds, in UTC."""
    with gradebook(folder) as book:
        try:
            due = book.find_assignment(assignment).duedate
        except MissingEntry:
            return None
    return due and due.replace(tzinfo=datetime.UTC)


def add_students(folder: Path, students: list[str]) -> None:
    """Write students into the grade book: by id alone, so that who marks by hand meets no names."""
    with gradebook(folder) as book:
        for student in students:
            book.update_or_create_student(student)


def config(folder: Path) -> Config:
    """nbgrader's settings. Errors: BookError if students' code would run outside the box."""
    settings = PyFileConfigLoader(CONFIG, path=str(folder)).load_config()
    if "course_lib.grading.plugin.Judged" not in settings.Autograde.get("autograde_preprocessors", []):
        raise BookError(
            f"{folder / CONFIG} lacks course_lib.grading.plugin.Judged, so nbgrader would run students' code; "
            "delete the file, and the next command writes it anew"
        )
    return settings


def url(folder: Path) -> str:
    """The database as nbgrader names it."""
    return f"sqlite:///{folder.resolve() / 'gradebook.db'}"


def _utc(time: datetime.datetime) -> datetime.datetime:
    """As nbgrader stores times: UTC, without saying so."""
    return time.astimezone(datetime.UTC).replace(tzinfo=None)


@contextlib.contextmanager
def gradebook(folder: Path) -> Iterator[Gradebook]:
    """The open database, which is made where there is none."""
    with tools(), Gradebook(url(folder)) as book:
        yield book


@contextlib.contextmanager
def tools() -> Iterator[None]:
    """What nbgrader needs: it starts alembic by name, which stands on PATH only in an activated environment."""
    before, scripts = os.environ.get("PATH", ""), sysconfig.get_path("scripts")
    if shutil.which("alembic", path=scripts) is None:
        raise BookError(f"alembic, which nbgrader needs, is not in {scripts}; run: pip install alembic")
    os.environ["PATH"] = os.pathsep.join([scripts, before])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SAWarning)  # about nbgrader's use of its database, which is nothing to mend
            yield
    finally:
        os.environ["PATH"] = before
