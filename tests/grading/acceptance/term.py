"""One class and one problem set, from the roster to the exported marks, by the commands that a lecturer gives."""

import contextlib
import csv
import functools
import io
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from course_lib import cli
from course_lib.grading import actions, course_folder, runs, status
from course_lib.grading.box import Limits
from course_lib.grading.limits import MIB
from tests.grading.acceptance.desk import NAME, Desk
from tests.grading.acceptance.downloads import Downloads, class_zip
from tests.grading.acceptance.files import FILES
from tests.grading.acceptance.honest import HONEST
from tests.grading.acceptance.hostile import HOSTILE

LIMITS = Limits(wall=20, cpu=8, memory=1024 * MIB, file=16 * MIB, scratch=64 * MIB)
WRITTEN = "written-5"


def in_order():
    """All hand-ins by the student's id: hostile ones first, in the middle and last, honest ones between them."""
    others, honest = [*HOSTILE, *FILES], list(HONEST)
    step, found = len(others) // len(honest), []
    for index, entry in enumerate(others):
        found.append(entry)
        if index % step == step // 2 and honest:
            found.append(honest.pop())
    return {f"s{number:02d}": entry for number, entry in enumerate([*found[1:], *honest, found[0]])}


CLASS = in_order()
STUDENTS = {entry.name: student for student, entry in CLASS.items()}


@dataclass
class Term:
    """What a class left behind: standings, exported rows and pages by the hand-in's name, what the commands said."""

    folder: Path
    places: dict[str, object]
    layouts: dict[str, str] = field(default_factory=dict)
    said: dict[str, tuple[int, str]] = field(default_factory=dict)
    standings: dict[str, status.Standing] = field(default_factory=dict)
    rows: dict[str, dict[str, str]] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def command(self, step, *words):
        """Run `course …` and keep what it says."""
        out, start = io.StringIO(), time.monotonic()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            code = cli.main([*words[:2], *(NAME,) * (len(words) > 1), "--folder", str(self.folder), *words[2:]])
        self.said[step], self.seconds[step] = (code, out.getvalue()), time.monotonic() - start

    def build(self, roster, secret):
        self.command("build", "assignment", "build", "--roster", str(roster), "--secret-file", str(secret))
        assert self.said["build"][0] == 0, self.said["build"]

    def hand_in(self, downloads, students):
        """Everybody's desk, from the folder that was handed out to the downloads."""
        made = Downloads(downloads)
        for student in students:
            desk = Desk(self.folder / "handed_out" / NAME / student, self.places)
            CLASS[student].make(desk)
            made.put(int(student[1:]), student, desk)
        made.close()
        self.layouts = made.layouts

    def grade(self, downloads, secret):
        """Intake, run, marks by hand, feedback, export."""
        words = ("--secret-file", str(secret))
        self.command("intake of the zip", "grade", "intake", str(class_zip(downloads)), *words)
        self.command("intake", "grade", "intake", str(downloads), *words)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(actions.runs, "Judging", functools.partial(runs.Judging, limits=LIMITS))
            self.command("run", "grade", "run", "--workers", "2", *words)
        self.command("export too early", "grade", "export")
        self.mark_by_hand()
        for action in ("status", "feedback", "export"):
            self.command(action, "grade", action)
        self.collect()

    def mark_by_hand(self):
        """As nbgrader's formgrader does: 4 points for whoever wrote something."""
        with course_folder.gradebook(self.folder) as book:
            for submission in book.assignment_submissions(NAME):
                for grade in submission.notebooks[0].grades:
                    if grade.needs_manual_grade:
                        grade.manual_score, grade.needs_manual_grade = 4.0, False
            book.db.commit()

    def collect(self):
        for each in status.standings(self.folder, NAME):
            name = CLASS[each.member.student].name
            self.standings[name] = each
            page = self.folder / "feedback" / each.member.student / NAME / f"{NAME}.html"
            self.pages[name] = page.read_text(encoding="utf-8") if page.is_file() else ""
        exported = self.folder / "export" / f"{NAME}.csv"
        if exported.is_file():  # else the tests say whose hand-in is open
            rows = csv.DictReader(exported.read_text(encoding="utf-8").splitlines())
            self.rows = {CLASS[row["student"]].name: row for row in rows}


def points(standing):
    """The points by check, or None."""
    if standing.score is None:
        return None
    return sum(value for part, value in standing.score.points.items() if part != WRITTEN)


def told(standing):
    """All words that reach the student or the lecturer about a hand-in."""
    outcome = standing.outcome
    words = [standing.reason]
    if outcome is not None:
        words += [mark.message for mark in outcome.marks.values()]
        words += [*outcome.errors.values(), *outcome.flags, outcome.output]
    return "\n".join(words)
