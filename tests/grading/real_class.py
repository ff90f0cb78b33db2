"""Thirty students hand in problem set 1: some right, most with one wrong answer, five that run into a limit."""

import json
import shutil
from pathlib import Path

import numpy

from course_lib import cli
from course_lib.grading import book
from course_lib.grading.box import Limits
from course_lib.grading.limits import MIB
from tests.grading.acceptance.desk import NAME, Desk
from tests.grading.answers import WRONG, namespace, problems, verdict
from tests.grading.attacks import CELLS, PROGRAMS

LIMITS = Limits(wall=40, cpu=10, memory=1024 * MIB)  # less than in earnest, for the time of the tests
GREEDY = """
import os, time
for each in range(8):
    if not os.fork():
        held = [b'x' * (1 << 20) for _ in range(400)]
        time.sleep(100); os._exit(0)
time.sleep(100)
"""
USED = ("2a", "4a")
STUDENTS = [f"s{number:02d}" for number in range(30)]
LIMITED = {
    "s02": ("limit", "output limit", PROGRAMS["A26 endless"]),
    "s08": ("limit", "wall time", "import time\ntime.sleep(1000)"),
    "s14": ("limit", "CPU time", CELLS["A08 loop"]),
    "s20": ("limit", "memory limit", GREEDY),
    "s26": ("graded", "", PROGRAMS["A12 forks"]),  # the fork that is refused raises, and the rest is judged
}


def wrong(student):
    """The path of the wrong answer that a student gives; None for one that is right, or meets a limit.

    Later parts call what 2a and 4a define, and with a wrong one of these may be right by the luck of the draw.
    """
    mine = [path for example, path in WRONG.items() if example.startswith(f"{NAME}/") and part_of(path) not in USED]
    number = STUDENTS.index(student)
    return None if student in LIMITED or number % 6 == 0 else mine[7 * number % len(mine)]


def hand_in(folder: Path) -> Path:
    """Build, hand out and take in; the grade book's folder, in which nothing is judged."""
    rows = [f"{student},Pupil {student},{student}@example.org" for student in STUDENTS]
    (folder / "class.csv").write_text("\n".join(["student,name,email", *rows, ""]), encoding="utf-8")
    made = folder / "gradebook"
    course("assignment", "build", made, "--roster", str(folder / "class.csv"), "--make-secret")
    for student in STUDENTS:
        desk = Desk(made / "handed_out" / NAME / student, {})
        desk.solve()
        if student in LIMITED:
            desk.own(LIMITED[student][2])
        elif path := wrong(student):
            desk.more(part_of(path), path.read_text(encoding="utf-8"))
        place = folder / "downloads" / student / NAME
        place.mkdir(parents=True)
        (place / f"{NAME}.ipynb").write_bytes(desk.content())
    course("grade", "intake", made, str(folder / "downloads"))
    shutil.rmtree(folder / "downloads")
    return made


def course(group: str, action: str, folder: Path, *words: str) -> None:
    assert cli.main([group, action, NAME, "--folder", str(folder), *words]) == 0


def part_of(path):
    return path.stem.partition("_")[0]


def earned(folder: Path, student: str) -> dict[str, float]:
    """By part, what the notebook's own check says that a student has earned."""
    parts = {part.identity: part for part in problems(NAME).parts}
    if LIMITED.get(student, ("",))[0] == "limit":
        return dict.fromkeys(parts, 0.0)
    text = wrong(student).read_text(encoding="utf-8") if wrong(student) else ""
    own = json.loads((folder / "submitted" / student / NAME / "variant.json").read_text(encoding="utf-8"))
    known = namespace(NAME, own, extra=text)
    drawn = {name: list(part.cases(own, numpy.random.default_rng(1))) for name, part in parts.items()}
    return {name: 0.0 if verdict(known, drawn[name]) else part.points for name, part in parts.items()}


def marks(folder: Path) -> dict[str, dict[str, float]]:
    """By student and part, the points by check in the grade book."""
    scores = book.scores(folder, NAME)
    return {
        student: {part: points for part, points in score.points.items() if not part.startswith("written-")}
        for student, score in scores.items()
    }
