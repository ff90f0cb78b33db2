"""A class of toys: a release notebook with two parts and a written answer, hand-ins, and a judge that obeys them."""

import atexit
import datetime
import functools
import json
import shutil
import tempfile
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course_lib.grading import book, course_folder, journal
from course_lib.grading.journal import Entry
from course_lib.grading.outcome import Mark, Outcome

NAME = "toy"
BLANK = "Your <b>answer</b>"
POINTS = {"1a": 2.0, "2": 3.0}
ROSTER = """student,name,email,canvas_id,login,section
ada,"Lovelace, Ada",ada@example.org,101,ada1,A
bob,Bob <b>,bob@example.org,102,bob1,A
cy,"=Cy",cy@example.org,103,cy1,B
"""


def of_nbgrader(grade_id, grade=False, solution=False, points=None):
    about = {"grade_id": grade_id, "grade": grade, "solution": solution, "locked": not solution, "task": False}
    return {"nbgrader": {**about, "schema_version": 3, **({"points": points} if points is not None else {})}}


def release(answers=(), words=BLANK):
    """The notebook with so many answers; the written one is worth 4."""
    cells = [new_code_cell("check = print", metadata=of_nbgrader("setup"))]
    for part, points in POINTS.items():
        answer = dict(answers).get(part, "# your code")
        cells.append(new_code_cell(answer, metadata=of_nbgrader(f"answer-{part}", solution=True)))
        check = of_nbgrader(f"check-{part}", grade=True, points=points)
        cells.append(new_code_cell(f'check("{part}")', metadata=check))
    cells.append(new_markdown_cell(words, metadata=of_nbgrader("written-3", grade=True, solution=True, points=4.0)))
    for cell in cells:
        cell.id = cell.metadata.nbgrader.grade_id  # nbformat's own are random, and a hand-in's hash is not
    return new_notebook(cells=cells)


def write(folder, step, notebook):
    path = Path(folder) / step / NAME / f"{NAME}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


@functools.cache
def template():
    """An empty grade book, made once: a new database takes nbgrader seconds."""
    parent = Path(tempfile.mkdtemp(prefix="toy-class-"))
    atexit.register(shutil.rmtree, parent, ignore_errors=True)
    folder = parent / "gradebook"
    write(folder, "release", release())
    (folder / "source" / NAME).mkdir(parents=True)
    (folder / "roster.csv").write_text(ROSTER, encoding="utf-8")
    course_folder.set_up(folder)
    course_folder.add_assignment(folder, NAME)
    return folder


def make_class(folder):
    """A grade book with the toy assignment and its roster."""
    return Path(shutil.copytree(template(), folder))


def hand_in(folder, student, answers=(), words="Because.", when=None):
    """Put a hand-in where intake puts it."""
    path = write(folder, f"submitted/{student}", release(answers, words))
    path.with_name("variant.json").write_text(json.dumps({"n": 3}), encoding="utf-8")
    if when:
        path.with_name("timestamp.txt").write_text(when, encoding="utf-8")


def outcome(one=2.0, two=3.0, **more):
    """An outcome with these points."""
    said = {0.0: "off by one", 1.5: "half of it"}
    marks = {"1a": Mark(one, 2.0, said.get(one, "right")), "2": Mark(two, 3.0, said.get(two, "right"))}
    return Outcome(**{"status": "graded", "marks": marks, **more})


def note(folder, student, result):
    """Put an outcome about what is handed in into the journal."""
    entry = Entry(student, journal.hand_in(folder, NAME, student), "nonce", result, "0", "2026-01-01")
    return journal.append(folder, NAME, entry)


def enter(folder, student, result):
    """Journal and grade book."""
    note(folder, student, result)
    book.enter(folder, NAME, student)


def deadline(folder, time):
    """Set the assignment's deadline."""
    course_folder.add_assignment(folder, NAME, datetime.datetime.fromisoformat(time))


def autograded(folder, student):
    return nbformat.read(folder / "autograded" / student / NAME / f"{NAME}.ipynb", as_version=4)


def mark_by_hand(folder, student, points):
    """As nbgrader's formgrader does."""
    with course_folder.gradebook(folder) as opened:
        grade = opened.find_grade("written-3", NAME, NAME, student)
        grade.manual_score, grade.needs_manual_grade = points, False
        opened.db.commit()


def late(folder, penalty="zero"):
    settings = folder / course_folder.CONFIG
    settings.write_text(settings.read_text().replace('= "none"', f'= "{penalty}"'))
    deadline(folder, "2026-10-01T12:00:00+02:00")
