"""Is every hand-in judged once, none lost by a kill, and does one that fails leave the others alone?"""

import multiprocessing
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import Executor, Future
from pathlib import Path

import psutil
import pytest

from course_lib.experiments import executors
from course_lib.experiments.runner import RunnerError
from course_lib.grading import book, course_folder, journal, runs
from course_lib.grading.journal import JournalError
from tests.grading.toy_class import NAME, hand_in, make_class, note, outcome
from tests.grading.toy_run import judging, main

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path):
    return make_class(tmp_path / "gradebook")


def run(folder, **more):
    """Judge what is missing: the steps by student."""
    return {step.entry.student: step for step in runs.run(folder, NAME, judging(), **more)}


def statuses(folder):
    return {name: entry.outcome.status for name, entry in journal.standing(folder, NAME).items()}


def test_all_are_judged_and_entered_once(folder):
    for student, points in {"ada": 2.0, "bob": 1.5, "cy": 0.0}.items():
        hand_in(folder, student, {"1a": f"points {points}"})
    assert runs.missing(folder, NAME) == ["ada", "bob", "cy"]
    assert {name: step.trouble for name, step in run(folder).items()} == {"ada": "", "bob": "", "cy": ""}
    assert {name: score.points["1a"] for name, score in book.scores(folder, NAME).items()} == {
        "ada": 2.0,
        "bob": 1.5,
        "cy": 0.0,
    }
    assert run(folder) == {}
    assert runs.missing(folder, NAME) == []


def test_the_judge_sees_the_students_own_variant_and_fresh_secret_numbers(folder):
    for student in ("ada", "bob"):
        hand_in(folder, student)
    run(folder)
    hand_in(folder, "ada", {"1a": "again"})
    run(folder)
    said = [entry.outcome.marks["1a"].message for entry in journal.read(folder, NAME)]
    assert all(each.startswith("n is 3, drawn ") and each.endswith("set toy") for each in said)
    assert len(set(said)) == 3
    entry = journal.standing(folder, NAME)["ada"]
    drawn = runs.student_rng(judging().secret, "ada", f"judge/{NAME}/{entry.nonce}").integers(1 << 60)
    assert f"drawn {drawn}," in entry.outcome.marks["1a"].message  # whoever has secret and journal can repeat it


def test_the_judge_gets_every_code_cell_but_the_checks(folder):
    hand_in(folder, "ada", {"1a": "x = 1"})
    cells = runs._job(folder, NAME, judging(), "ada").cells
    assert [name for name, _ in cells] == ["setup", "answer-1a", "answer-2"]
    assert dict(cells)["answer-1a"] == "x = 1"


def test_the_secret_stays_with_the_main_process(folder):
    hand_in(folder, "ada")
    assert judging().secret not in repr(runs._job(folder, NAME, judging(), "ada")).encode()
    assert "secret" not in runs.Job.__dataclass_fields__


def test_an_error_of_ours_is_tried_twice_and_again_by_the_next_run(folder, tmp_path):
    hand_in(folder, "ada", {"1a": "raise"})
    hand_in(folder, "bob", {"1a": f"first {tmp_path / 'first'}"})
    hand_in(folder, "cy")
    steps = run(folder)
    assert statuses(folder) == {"ada": "internal error", "bob": "graded", "cy": "graded"}
    assert steps["ada"].entry.outcome.reason == "OSError: no space left"
    assert set(book.scores(folder, NAME)) == {"bob", "cy"}
    assert list(run(folder)) == ["ada"]


def test_a_hand_in_that_cannot_be_read_does_not_stop_the_others(folder):
    for student in ("ada", "bob", "cy"):
        hand_in(folder, student)
    (folder / "submitted" / "ada" / NAME / f"{NAME}.ipynb").write_text("{")
    (folder / "submitted" / "bob" / NAME / "variant.json").unlink()
    assert {name: step.entry.outcome.status for name, step in run(folder).items()} == {
        "ada": "internal error",
        "bob": "internal error",
        "cy": "graded",
    }
    assert runs.missing(folder, NAME) == ["ada", "bob"]


def test_a_limit_stands_with_its_marks(folder):
    hand_in(folder, "ada", {"1a": "limit"})
    run(folder)
    assert statuses(folder) == {"ada": "limit"}
    assert book.scores(folder, NAME)["ada"].total == 0.0
    assert run(folder) == {}


def test_a_mark_that_the_book_refuses_is_told_and_stops_nobody(folder):
    hand_in(folder, "ada", {"1a": "points 7"})
    hand_in(folder, "bob")
    steps = run(folder)
    assert "part 1a has 7.0 points" in steps["ada"].trouble
    assert steps["bob"].trouble == ""
    assert list(run(folder)) == ["ada"]  # told again until it is mended


def test_one_student_alone(folder):
    for student in ("ada", "bob"):
        hand_in(folder, student)
    assert list(run(folder, student="bob")) == ["bob"]
    assert runs.missing(folder, NAME) == ["ada"]


def test_a_student_is_judged_again_when_told(folder):
    for student in ("ada", "bob"):
        hand_in(folder, student)
    run(folder)
    assert list(run(folder, student="bob", again=True)) == ["bob"]
    assert [each.student for each in journal.read(folder, NAME)] == ["ada", "bob", "bob"]
    nonces = [each.nonce for each in journal.read(folder, NAME) if each.student == "bob"]
    assert len(set(nonces)) == 2  # with fresh inputs
    assert book.entered(folder, NAME) == {"ada", "bob"}
    with pytest.raises(ValueError, match="name the one student"):
        run(folder, again=True)


def test_a_new_hand_in_is_judged_and_an_old_one_back_needs_nothing(folder):
    hand_in(folder, "ada", {"1a": "points 1.5"})
    run(folder)
    hand_in(folder, "ada")
    assert list(run(folder)) == ["ada"]
    assert book.scores(folder, NAME)["ada"].points["1a"] == 2.0
    hand_in(folder, "ada", {"1a": "points 1.5"})
    assert runs.missing(folder, NAME) == []
    assert list(run(folder)) == ["ada"]  # only the book is brought up to date
    assert len(journal.read(folder, NAME)) == 2
    assert book.scores(folder, NAME)["ada"].points["1a"] == 1.5


def test_the_book_is_made_anew_from_the_journal(folder):
    hand_in(folder, "ada", {"1a": "points 1.5"})
    note(folder, "ada", outcome(1.5))  # killed between journal and book
    assert list(run(folder)) == ["ada"]
    assert len(journal.read(folder, NAME)) == 1
    before = book.scores(folder, NAME)
    (folder / "gradebook.db").unlink()
    course_folder.add_assignment(folder, NAME)
    assert list(run(folder)) == ["ada"]
    assert book.scores(folder, NAME) == before


def test_only_one_run_at_a_time(folder):
    with journal.alone(folder, NAME), pytest.raises(JournalError, match="another run judges 'toy'"):
        run(folder)


# other processes


def test_processes_judge_the_same(folder):
    for student in ("ada", "bob", "cy"):
        hand_in(folder, student, {"1a": "points 1.5"})
    with executors.processes(2) as executor:
        assert sorted(run(folder, executor=executor)) == ["ada", "bob", "cy"]
    assert {score.points["1a"] for score in book.scores(folder, NAME).values()} == {1.5}


def test_a_worker_that_dies_is_one_sentence_and_the_command_goes_on(folder, tmp_path):
    for student in ("ada", "bob"):
        hand_in(folder, student, {"1a": f"die {tmp_path / 'died'}"})
    with pytest.raises(RunnerError, match=r"a worker process died, .* the same command goes on from there"):
        with executors.processes(1) as executor:
            run(folder, executor=executor)
    run(folder)
    assert statuses(folder) == {"ada": "graded", "bob": "graded"}


def test_a_worker_of_a_cluster_that_fails_costs_one_student_only(folder):
    class Fake(Executor):
        def submit(self, function, job):
            future = Future()
            if job.student == "ada":
                future.set_exception(ModuleNotFoundError("no course_lib here"))
            else:
                future.set_result(function(job))
            return future

    for student in ("ada", "bob"):
        hand_in(folder, student)
    run(folder, executor=Fake())
    assert statuses(folder) == {"ada": "internal error", "bob": "graded"}


# kills


def wait_for(path, lines, process):
    while process.is_alive() and (not path.exists() or len(path.read_text().splitlines()) < lines):
        time.sleep(0.002)


def test_kills_at_random_moments_lose_nothing_and_judge_nothing_twice(folder, tmp_path):
    students = [f"s{number}" for number in range(14)]
    for student in students:
        hand_in(folder, student, {"1a": f"wait {tmp_path / 'made'}"})
    chance, context = random.Random(0), multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.grading.toy_run"])
    for kill in range(6):
        process = context.Process(target=main, args=(str(folder), 0))
        process.start()
        made = tmp_path / "made"
        wait_for(made, 1 + (len(made.read_text().splitlines()) if made.exists() else 0), process)
        time.sleep(chance.random() * 0.25)
        process.kill() if kill % 2 else process.terminate()
        process.join(30)
    kept = {entry.student for entry in journal.read(folder, NAME)}
    assert 0 < len(kept) < len(students)  # the kills came before the end
    main(str(folder), 0)
    entries = [entry.student for entry in journal.read(folder, NAME)]
    assert sorted(entries) == sorted(students)  # one line each: what was journalled is not judged again
    assert kept <= set(entries)
    assert len((tmp_path / "made").read_text().splitlines()) <= len(students) + 6
    assert book.entered(folder, NAME) == set(students)
    assert {score.points["1a"] for score in book.scores(folder, NAME).values()} == {2.0}


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_kill_ends_the_workers_too(folder, tmp_path, how):
    for number in range(30):
        hand_in(folder, f"s{number}", {"1a": f"wait {tmp_path / 'made'}"})
    command = [sys.executable, "-m", "tests.grading.toy_run", str(folder), "2"]
    process = psutil.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    process.is_alive = lambda: process.poll() is None
    wait_for(tmp_path / "made", 2, process)
    children = process.children(recursive=True)
    process.send_signal(how)
    process.wait(30)
    assert psutil.wait_procs(children, 30)[1] == []
    assert len(journal.read(folder, NAME)) < 30
