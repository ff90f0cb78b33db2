"""nbgrader's grade book: the marks of one student at a time go in, and the scores are read back."""

import contextlib
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from nbformat.v4 import new_notebook
from nbgrader.api import Grade, MissingEntry, SubmittedAssignment
from nbgrader.converters import Autograde
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import AssignLatePenalties
from traitlets import TraitError
from traitlets.config import Config

from course_lib.grading import journal, plugin
from course_lib.grading.course_folder import CONFIG, BookError, config, gradebook, tools, url
from course_lib.grading.journal import Entry


@dataclass(frozen=True)
class Score:
    """What the grade book says about a student: points, what is still to be marked by hand, the penalty, the total.

    ``points`` and ``out_of`` go by part ("1a") and written answer ("written-5"); ``waiting`` names what a human has to
    mark; ``comments`` are what the human wrote, or nbgrader of an answer that was left as it was.
    """

    points: Mapping[str, float]
    out_of: Mapping[str, float]
    waiting: tuple[str, ...]
    comments: Mapping[str, str]
    penalty: float
    seconds_late: float

    @property
    def total(self) -> float:
        """All points less the penalty, never below 0."""
        return max(0.0, sum(self.points.values()) - self.penalty)


def enter(folder: Path, assignment: str, student: str) -> None:
    """Enter the marks that stand in the journal for a student; what a human gave stays. Doing it twice changes nothing.

    What a human gave to this very hand-in needs no second look; to an earlier one it does.
    nbgrader's ``NbGraderAPI.autograde`` swallows Ctrl-C, so its converter is called directly.
    Errors: JournalError for a hand-in that was not judged, BookError with what nbgrader says.
    """
    entry, settings = plugin.stands(folder, assignment, student), config(folder)
    settings.merge(Config({"CourseDirectory": {"root": str(folder.resolve()), "assignment_id": assignment}}))
    settings.CourseDirectory.student_id = student
    looked_at = _looked_at(folder, assignment, entry)
    with tools(), _kept_log() as log:
        autograde = Autograde(coursedir=CourseDirectory(config=settings), config=settings)
        autograde.force = True
        autograde.log = log.logger
        try:
            autograde.start()
        except (NbGraderException, TraitError, OSError) as error:
            said = log.last or f"{type(error).__name__}: {error}"
            raise BookError(f"nbgrader took no marks for {student}: {said}") from error
    _confirm(folder, assignment, student, {part: mark.points for part, mark in entry.outcome.marks.items()})
    _leave(folder, assignment, student, looked_at)
    _note(folder, assignment, student).write_text(_tag(folder, assignment, entry), encoding="utf-8")


def entered(folder: Path, assignment: str) -> set[str]:
    """The students whose marks in the grade book are those that stand in the journal."""
    standing, found = journal.standing(folder, assignment), set()
    for student in scores(folder, assignment).keys() & standing.keys():
        note = _note(folder, assignment, student)
        if note.is_file() and note.read_text(encoding="utf-8") == _tag(folder, assignment, standing[student]):
            found.add(student)
    return found


def scores(folder: Path, assignment: str) -> dict[str, Score]:
    """By student, what the grade book says; students without an entry are missing."""
    if not (folder / "gradebook.db").is_file():
        return {}
    with gradebook(folder) as book:
        try:
            submissions = book.find_assignment(assignment).submissions
        except MissingEntry:
            return {}
        return {each.student.id: _score(each) for each in submissions}


def settle(folder: Path, assignment: str) -> None:
    """Take the late penalties anew from the points as they are now: nbgrader took them before a human marked."""
    settings = config(folder)
    for student in (student for student, score in scores(folder, assignment).items() if score.seconds_late):
        names = {"notebook": assignment, "assignment": assignment, "student": student, "db_url": url(folder)}
        try:
            with tools():
                AssignLatePenalties(config=settings).preprocess(new_notebook(), {"nbgrader": names})
        except TraitError as error:
            raise BookError(f"{folder / CONFIG} has a late penalty that nbgrader does not know: {error}") from error


def _note(folder: Path, assignment: str, student: str) -> Path:
    """Which entry was entered; written last, and in a folder that nbgrader empties first, so a kill leaves none."""
    return folder / "autograded" / student / assignment / "entered.txt"


def _tag(folder: Path, assignment: str, entry: Entry) -> str:
    """What a student's marks rest on: the hand-in, the entry in the journal, and when the hand-in came."""
    time = folder / "submitted" / entry.student / assignment / "timestamp.txt"
    return f"{entry.hand_in} {entry.digest} {time.read_text(encoding='utf-8').strip() if time.is_file() else ''}"


def _looked_at(folder: Path, assignment: str, entry: Entry) -> set[str]:
    """The cells of this hand-in that a human has marked: nbgrader asks for them again after each entry."""
    note = _note(folder, assignment, entry.student)
    if not note.is_file() or note.read_text(encoding="utf-8").partition(" ")[0] != entry.hand_in:
        return set()
    with gradebook(folder) as book, contextlib.suppress(MissingEntry):  # the database may be a new one
        grades = book.find_submission(assignment, entry.student).notebooks[0].grades
        return {each.name for each in grades if each.manual_score is not None and not each.needs_manual_grade}
    return set()


def _leave(folder: Path, assignment: str, student: str, names: set[str]) -> None:
    """Ask no human for these cells again."""
    with gradebook(folder) as book:
        for grade in book.find_submission(assignment, student).notebooks[0].grades:
            grade.needs_manual_grade = grade.needs_manual_grade and grade.name not in names
        book.db.commit()


def _confirm(folder: Path, assignment: str, student: str, points: Mapping[str, float]) -> None:
    """Read the automatic marks back: what nbgrader stored must be what the judge said, part by part."""
    with gradebook(folder) as book:
        grades = book.find_submission(assignment, student).notebooks[0].grades
        stored = {each.name.removeprefix("check-"): each.auto_score for each in grades if each.cell_type == "code"}
    wrong = {part: (points.get(part, 0.0), found) for part, found in stored.items() if found != points.get(part, 0.0)}
    if missing := [part for part in points if part not in stored]:
        raise BookError(f"the notebook of {student} has no check cell for part {missing[0]}; hand out and take in anew")
    if wrong:
        part, (wanted, found) = next(iter(wrong.items()))
        raise BookError(f"nbgrader stored {found} for part {part} of {student}, the judge gave {wanted:g}")


def _score(submission: SubmittedAssignment) -> Score:
    grades = sorted((grade for notebook in submission.notebooks for grade in notebook.grades), key=_place)
    comments = [comment for notebook in submission.notebooks for comment in notebook.comments]
    names = {grade.name: grade.name.removeprefix("check-") for grade in grades}
    return Score(
        points={names[grade.name]: float(grade.score) for grade in grades},
        out_of={names[grade.name]: float(grade.max_score) for grade in grades},
        waiting=tuple(sorted(names[grade.name] for grade in grades if grade.needs_manual_grade)),
        comments={each.name: each.comment for each in comments if each.comment},
        penalty=float(submission.late_submission_penalty or 0.0),
        seconds_late=float(submission.total_seconds_late),
    )


def _place(grade: Grade) -> list[tuple[int, str]]:
    """Where a part stands in the notebook, which the database does not keep: 2 before 10a, and 4 before written-5."""
    pieces = re.findall(r"\d+|\D+", grade.name.partition("-")[2])
    return [(int(piece), "") if piece.isdecimal() else (0, piece) for piece in pieces]


class _Log(logging.Handler):
    """Keeps nbgrader's words from the terminal, and the last error among them for the message."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.last, self.logger = "", logging.getLogger("course_lib.grading.book")

    def emit(self, record: logging.LogRecord) -> None:
        lines = record.getMessage().strip().splitlines()
        if lines and lines[0].startswith("Traceback"):
            self.last = lines[-1]


@contextlib.contextmanager
def _kept_log() -> Iterator[_Log]:
    log = _Log()
    log.logger.propagate = False
    log.logger.addHandler(log)
    try:
        yield log
    finally:
        log.logger.removeHandler(log)
