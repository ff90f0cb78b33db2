"""Is a class judged in time, by two processes and real boxes, and is its grade book the same after kills at any moment?

COURSE_KILLS=10 kills the whole class ten times, which takes minutes; otherwise eight students are killed three times.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from course_lib.experiments import executors
from course_lib.grading import book, journal, runs, variant
from tests.grading.acceptance.desk import NAME
from tests.grading.conftest import need_box
from tests.grading.real_class import LIMITED, LIMITS, STUDENTS, course, earned, hand_in, marks

pytestmark = pytest.mark.box
ROOT = Path(__file__).resolve().parents[2]
KILLS = int(os.environ.get("COURSE_KILLS", "0"))
KILLED = STUDENTS if KILLS else STUDENTS[:8]  # one of these meets a limit
LONGEST = 300.0  # seconds for thirty students on two cores


@dataclass
class Judged:
    """A class as it was taken in, the same class judged, and how long that took."""

    before: Path
    folder: Path
    seconds: float


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    need_box()
    root = tmp_path_factory.mktemp("thirty")
    before, folder = hand_in(root), root / "judged"
    shutil.copytree(before, folder)
    judging, start = runs.Judging(variant.read_secret(folder / "secret.key"), limits=LIMITS), time.monotonic()
    with executors.processes(2) as executor:
        steps = list(runs.run(folder, NAME, judging, executor=executor))
    assert [step.trouble for step in steps if step.trouble] == []
    return Judged(before, folder, time.monotonic() - start)


def test_thirty_students_are_judged_within_five_minutes(judged, capsys):
    with capsys.disabled():
        print(f" {len(STUDENTS)} students in {judged.seconds:.0f} s ", end="", flush=True)
    assert judged.seconds < LONGEST


def test_everybody_has_the_marks_that_the_notebooks_own_check_gives(judged):
    assert marks(judged.folder) == {student: earned(judged.folder, student) for student in STUDENTS}


def test_limits_are_named_and_stop_nobody_else(judged):
    outcomes = {student: entry.outcome for student, entry in journal.standing(judged.folder, NAME).items()}
    found = {student: (each.status, each.reason) for student, each in outcomes.items()}
    assert found == {student: LIMITED.get(student, ("graded", ""))[:2] for student in STUDENTS}
    refused = outcomes["s26"]
    assert "made " in refused.output
    assert max(each.seconds for each in outcomes.values()) < LIMITS.wall + 5


def test_a_class_that_is_killed_again_and_again_has_the_same_grade_book(judged, tmp_path):
    folder = shutil.copytree(judged.before, tmp_path / "gradebook")
    for student in set(STUDENTS) - set(KILLED):
        shutil.rmtree(folder / "submitted" / student)
    chance = random.Random(0)
    waits = [(1, 1.5) if number % 3 else (0, 8.0) for number in range(KILLS or 3)]
    hit = sum(_kill(folder, more, chance.uniform(0, longest)) for more, longest in waits)
    kept = [entry.student for entry in journal.read(folder, NAME)]
    assert hit == (KILLS or 3)
    assert len(kept) < len(KILLED)
    assert _command(folder).wait(1200) == 0
    entries = [entry.student for entry in journal.read(folder, NAME)]
    assert sorted(entries) == sorted(KILLED)  # each once: what stood in the journal is not judged again
    assert entries[: len(kept)] == kept
    assert book.entered(folder, NAME) == set(KILLED)
    scores = book.scores(judged.folder, NAME)
    assert book.scores(folder, NAME) == {student: scores[student] for student in KILLED}
    assert _exported(folder) == _exported(judged.folder)


def _command(folder):
    """The command itself, in a process group of its own."""
    words = ["-m", "course_lib.cli", "grade", "run", NAME, "--folder", str(folder), "--workers", "2"]
    return psutil.Popen(
        [sys.executable, *words], cwd=ROOT, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def _kill(folder, more, seconds):
    """Start the command, wait for so many more outcomes and then so long, kill it; whether it still ran."""
    process, wanted = _command(folder), len(journal.read(folder, NAME)) + more
    while process.poll() is None and len(journal.read(folder, NAME)) < wanted:
        time.sleep(0.02)
    time.sleep(seconds)
    below = process.children(recursive=True) if process.poll() is None else []
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    code = process.wait(30)
    assert psutil.wait_procs(below, 30)[1] == []  # workers and boxes end with it
    return code == -signal.SIGKILL


def _exported(folder):
    """The rows of those that were killed."""
    course("grade", "export", folder, "--allow-open")
    lines = (folder / "export" / f"{NAME}.csv").read_text(encoding="utf-8").splitlines()
    return [lines[0], *(line for line in lines[1:] if line.split(",")[1] in KILLED)]
