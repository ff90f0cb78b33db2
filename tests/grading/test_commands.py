"""A term in commands, from roster to Canvas, and what each command says when it says no."""

import csv
import datetime
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from course_lib import cli
from course_lib.grading import actions, course_folder, journal, runs
from course_lib.grading.limits import BoxError
from course_lib.grading.outcome import Mark, Outcome
from tests.grading.toy_class import BLANK, NAME, ROSTER, enter, hand_in, make_class, outcome
from tests.grading.toy_run import SECRET

ROOT = Path(__file__).resolve().parents[2]


def generous(cells, problems, variant, rng, limits):
    """All points but for an answer that says otherwise."""
    if any("break" in source for _, source in cells):
        raise OSError("no space left")
    marks = {part.identity: Mark(part.points, part.points, "right") for part in problems.parts}
    return Outcome("graded", marks=marks)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty folder as the current one, a doctor that finds nothing, a judge that gives all points, one process."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(actions, "_examined", lambda image, quick: [])
    monkeypatch.setattr(actions, "_grade", lambda image: generous)
    monkeypatch.setattr(actions.executors, "cores", lambda: 1)
    return tmp_path


@pytest.fixture
def folder(place):
    """The toy class, with the secret's file."""
    make_class(place / "gradebook")
    (place / "gradebook" / "secret.key").write_bytes(SECRET)
    (place / "gradebook" / "secret.key").chmod(0o600)
    return place / "gradebook"


def course(*words):
    """The command's exit code, also where argparse ends it."""
    try:
        return cli.main([str(word) for word in words])
    except SystemExit as end:
        return end.code


def grade(action, *words):
    return course("grade", action, *words)


@pytest.fixture
def toys(monkeypatch):
    """Let the toy assignment's problem set be found."""
    real = runs.Judging
    toy_set = Path(__file__).with_name("toy_set")
    monkeypatch.setattr(runs, "Judging", lambda secret, **more: real(secret, toy_set, **more))


# a term


def test_a_term_from_roster_to_canvas(place, capsys):
    (place / "class.csv").write_text(ROSTER, encoding="utf-8")
    built = ("assignment", "build", "ps1", "--roster", "class.csv", "--deadline", "2999-01-01T00:00+01:00")
    assert course(*built, "--make-secret") == 0
    assert "ps1 is built for 3 students; hand out gradebook/handed_out/ps1/*.zip" in capsys.readouterr().out
    assert stat.S_IMODE((place / "gradebook").stat().st_mode) == 0o700  # it holds everyone's numbers
    assert course(*built) == 0  # again, with the same secret
    hand_outs = place / "gradebook" / "handed_out" / "ps1"
    for student, words in (("ada", "Because."), ("cy", "")):
        answered = answer(hand_outs / student / "ps1.ipynb", words)
        target = place / "downloads" / student / "ps1" / "ps1.ipynb"
        target.parent.mkdir(parents=True)
        nbformat.write(answered, target)
    assert grade("intake", "ps1", "downloads") == 0
    assert "2 of 3 students have handed in, 2 anew; 0 rejected\nnone from: bob" in capsys.readouterr().out
    assert grade("run", "ps1") == 0
    assert "ps1: 2 to judge of 2 handed in" in capsys.readouterr().out
    assert grade("export", "ps1") == 1
    assert "1 of 3 students are not done: ada (to be marked by hand: written-" in capsys.readouterr().err
    mark_all_by_hand(place / "gradebook", "ada")
    assert grade("export", "ps1", "--format", "canvas", "--canvas-assignment", "7") == 0
    assert "no score: bob              not handed in" in capsys.readouterr().out
    with open(place / "gradebook" / "export" / "ps1-canvas.csv", encoding="utf-8", newline="") as stream:
        header, possible, ada, bob, cy = csv.reader(stream)
    assert (header[-1], ada[-1], bob[-1]) == ("ps1 (7)", possible[-1], "")
    assert 0 < float(cy[-1]) < float(possible[-1])
    assert grade("feedback", "ps1") == 0
    assert len(list(place.glob("gradebook/feedback/*/ps1/ps1.html"))) == 2
    variants = [(hand_outs / who / "variant.json").read_text() for who in ("ada", "bob", "cy")]
    assert len(set(variants)) == 3


def answer(path, words):
    """The hand-out with words for the written answer."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.metadata.nbgrader.grade_id.startswith("written") and words:
            cell.source = words
    return notebook


def mark_all_by_hand(folder, student):
    with course_folder.gradebook(folder) as book:
        for notebook in book.find_submission("ps1", student).notebooks:
            for each in notebook.grades:
                if each.needs_manual_grade:
                    each.manual_score, each.needs_manual_grade = each.max_score, False
        book.db.commit()


# run


def test_run_says_what_it_did_and_does_nothing_twice(folder, toys, capsys):
    hand_in(folder, "ada")
    hand_in(folder, "bob", {"1a": "break"})
    assert grade("run", NAME) == 1
    out = capsys.readouterr().out
    assert "toy: 2 to judge of 2 handed in" in out
    assert "ada              graded         5 of 5 points by check" in out
    assert "bob              internal error OSError: no space left" in out
    assert "1 failed on our side; the same command tries them again" in out
    hand_in(folder, "bob")
    assert grade("run", NAME, "--student", "bob") == 0
    capsys.readouterr()
    assert grade("run", NAME) == 0
    assert capsys.readouterr().out == "toy: 0 to judge of 2 handed in\n"


def test_run_judges_nothing_where_the_doctor_finds_a_hole(folder, toys, monkeypatch, capsys):
    from course_lib.grading.doctor import Finding

    hand_in(folder, "ada")
    hole = Finding("read a file outside", False, "it was read")
    monkeypatch.setattr(actions, "_examined", lambda image, quick: [hole])
    assert grade("run", NAME) == 1
    assert "nothing is judged, since the box did not hold: read a file outside" in capsys.readouterr().err
    assert journal.read(folder, NAME) == []
    assert grade("doctor") == 1
    out, error = capsys.readouterr()
    assert "ESCAPED  read a file outside            it was read" in out
    assert "this machine must not grade" in error


def test_run_refuses_root(folder, toys, monkeypatch, capsys):
    monkeypatch.undo()
    monkeypatch.chdir(folder.parent)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    hand_in(folder, "ada")
    assert grade("run", NAME) == 1
    assert "a box that root starts does not hold" in capsys.readouterr().err
    assert journal.read(folder, NAME) == []


def test_run_refuses_a_secret_that_others_may_read(folder, toys, capsys):
    hand_in(folder, "ada")
    (folder / "secret.key").chmod(0o644)
    assert grade("run", NAME) == 1
    assert "secret.key can be read by others; run: chmod 600" in capsys.readouterr().err


def test_a_damaged_journal_stops_run_with_its_line(folder, toys, capsys):
    hand_in(folder, "ada")
    journal.file(folder, NAME).parent.mkdir(exist_ok=True)
    journal.file(folder, NAME).write_text("half\n")
    for action in ("run", "status", "feedback", "export"):
        assert grade(action, NAME) == 1
        assert "toy.jsonl, line 1, is no entry" in capsys.readouterr().err


# the rest


def test_status_prints_every_student(folder, capsys):
    hand_in(folder, "ada")
    enter(folder, "ada", outcome(1.5))
    assert grade("status", NAME) == 0
    out = capsys.readouterr().out
    assert [line.split()[0] for line in out.splitlines()] == ["ada", "bob", "cy", "3", "1a"]


def test_export_with_open_work_leaves_it_out_when_told(folder, capsys):
    hand_in(folder, "ada", words=BLANK)
    enter(folder, "ada", outcome())
    hand_in(folder, "bob")
    assert grade("export", NAME, "--format", "gradescope") == 1
    assert grade("export", NAME, "--format", "gradescope", "--allow-open", "--to", "there") == 0
    assert [path.parent.name for path in Path("there").glob("*/results.json")] == ["ada"]
    assert "no score: bob              not judged yet" in capsys.readouterr().out


def test_intake_tells_what_it_rejects(folder, capsys):
    (folder.parent / "downloads" / "ada" / NAME).mkdir(parents=True)
    (folder.parent / "downloads" / "ada" / NAME / f"{NAME}.ipynb").write_text("{")
    assert grade("intake", NAME, "downloads") == 1
    assert "rejected: ada, " in capsys.readouterr().out
    assert grade("status", NAME) == 0
    assert "rejected" in capsys.readouterr().out


def test_intake_keeps_a_newer_roster_and_deadline(folder, capsys):
    (folder.parent / "downloads").mkdir()
    (folder.parent / "new.csv").write_text(ROSTER + "dora,Dora,d@example.org,104,dora1,A\n", encoding="utf-8")
    words = ("downloads", "--roster", "new.csv", "--deadline", "2026-10-01T12:00+02:00")
    assert grade("intake", NAME, *words) == 0
    assert "0 of 4 students have handed in" in capsys.readouterr().out
    assert course_folder.deadline(folder, NAME) == datetime.datetime(2026, 10, 1, 10, tzinfo=datetime.UTC)


# misunderstandings


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("grade", "run", "ps9"), "gradebook; built there: toy; go to the folder that holds your grade book, or"),
        (("grade", "status", "ps9"), "there is no assignment 'ps9'"),
        (
            ("grade", "run", NAME, "--student", "zoe"),
            "there is no hand-in of 'zoe' that counts; see: course grade status",
        ),
        (("grade", "run", NAME, "--again"), "--again needs --student"),
        (("grade", "run", NAME, "--workers", "0"), "must be a whole number of at least 1, got '0'"),
        (("grade", "run", NAME, "--workers", "2", "--scheduler", "tcp://x"), "not allowed with argument"),
        (("grade", "intake", NAME, "x", "--deadline", "2026-10-01"), "must be a time with its zone"),
        (("grade", "intake", NAME, "x", "--deadline", "soon"), "must be a time with its zone"),
        (("grade", "export", NAME, "--format", "pdf"), "invalid choice: 'pdf'"),
        (("grade",), "the following arguments are required: action"),
        (("assignment", "build", "ps9", "--roster", "r.csv"), "there is no problem set 'ps9'; there are: ps1, ps2"),
    ],
)
def test_a_misunderstanding_is_a_sentence_and_exit_code_2(folder, capsys, words, said):
    assert course(*words) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("assignment", "build", "ps1", "--roster", "none.csv"), "there is no roster file none.csv"),
        (("grade", "intake", NAME, "nowhere"), "downloads is nowhere, which is not there"),
        (("grade", "export", NAME, "--format", "canvas"), "nobody has marks in the grade book"),
        (("grade", "run", NAME, "--secret-file", "none"), "there is no secret file none"),
    ],
)
def test_a_refusal_is_a_sentence_and_exit_code_1(folder, capsys, words, said):
    assert course(*words) == 1
    error = capsys.readouterr().err
    assert error.startswith("course: ")
    assert said in error


def test_a_build_keeps_the_secret_that_is_there(place, capsys):
    (place / "class.csv").write_text(ROSTER, encoding="utf-8")
    build = ("assignment", "build", "ps1", "--roster", "class.csv", "--secret-file", "s.key")
    assert course(*build) == 1
    assert "there is no secret file s.key" in capsys.readouterr().err
    assert not (place / "gradebook").exists()
    (place / "s.key").write_bytes(SECRET)
    (place / "s.key").chmod(0o600)
    assert course(*build, "--make-secret") == 1
    assert "is there already" in capsys.readouterr().err


def test_without_nbgrader_one_sentence_with_the_cure():
    hide = "import sys\nsys.modules['nbgrader'] = None\nfrom course_lib import cli\nsys.exit(cli.main(sys.argv[1:]))"
    command = [sys.executable, "-c", hide, "grade", "status", "ps1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert 'nbgrader is not installed; install it with: pip install "course-lib[course,grading]"' in done.stderr


def test_a_grade_book_in_another_folder(place, folder, capsys):
    shutil.move(folder, place / "autumn")
    assert grade("status", NAME) == 2
    assert grade("status", NAME, "--folder", "autumn") == 0


def test_a_missing_box_is_a_sentence(folder, monkeypatch, capsys):
    def none(image, quick):
        raise BoxError("bubblewrap is not installed; sudo apt-get install bubblewrap")

    monkeypatch.setattr(actions, "_examined", none)
    for words in (("run", NAME), ("doctor",)):
        assert grade(*words) == 1
        assert "course: bubblewrap is not installed; sudo" in capsys.readouterr().err
