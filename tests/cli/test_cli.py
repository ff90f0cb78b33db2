"""The command `course`: what it prints, what it returns, what it leaves behind."""

import os
import signal
import subprocess

import pytest

from course_lib import cli
from course_lib.publish import notebook
from course_lib.publish.project import find_project
from course_lib.version import __version__
from tests.cli.samples import BAD, GOOD, SLOW, command, course_process, environment, until

# parsing


def test_the_version(capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"course {__version__}\n"


@pytest.mark.parametrize("words", [[], ["bild"]])
def test_an_unknown_command_is_answered_with_the_list(words, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(words)
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert "build" in error if words else "command" in error


def test_help_needs_no_extra_and_imports_nothing_heavy(course):
    heavy = "import sys\nsys.modules.update(dict.fromkeys(['jupytext', 'nbformat', 'nbclient', 'torch', 'matplotlib']))"
    result = course_process(course, "--help", before=heavy)
    assert result.returncode == 0, result.stderr
    assert all(name in result.stdout for name in ("build", "new-lesson", "run", "lab", "reset"))


@pytest.mark.parametrize(
    ("words", "module"),
    [(["build"], "jupytext"), (["run"], "nbclient"), (["lab"], "jupyterlab"), (["reset", "2"], "nbformat")],
)
def test_a_missing_extra_is_one_sentence_with_the_cure(course, words, module):
    hide = f"sys.modules['{module}'] = None"
    if module == "jupyterlab":  # it is looked for, not imported
        hide = "import importlib.util\nimportlib.util.find_spec = lambda name: None"
    result = course_process(course, *words, before=hide)
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1:] == result.stderr.splitlines()
    assert f"{module} is not installed" in result.stderr
    assert 'pip install "course-lib[course]"' in result.stderr
    assert "python3 start.py" in result.stderr


def test_outside_a_course_one_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "find_project", lambda: find_project(package=tmp_path / "course_lib", start=tmp_path))
    assert cli.main(["run"]) == 1
    assert "no course was found" in capsys.readouterr().err


# build, new-lesson, reset


@pytest.mark.notebook
def test_build_prints_a_table_and_goes_on_after_a_failure(course, capsys):
    (course.lessons / "01_broken.py").write_text(BAD.replace("02.1", "01.1"))
    before = (course.notebooks / "02_stacking.ipynb").stat().st_mtime_ns
    assert cli.main(["build", "1", "stacking"]) == 1
    out, error = capsys.readouterr()
    assert [line.split()[:2] for line in out.splitlines()] == [
        ["lesson", "product"],
        ["02_stacking", "notebooks/02_stacking.ipynb"],
        ["02_stacking", "notebooks/solutions/02_stacking.ipynb"],
    ]
    assert error.startswith(
        "course: notebooks/01_broken.ipynb, cell ex-01-1 (01.1 · divide), `x = 1`: ZeroDivisionError"
    )
    assert error.count("\n") == 1
    assert not (course.notebooks / "01_broken.ipynb").exists()
    assert (course.notebooks / "02_stacking.ipynb").stat().st_mtime_ns > before


def test_check_agrees_then_complains(course, capsys):
    assert cli.main(["build", "--check"]) == 0
    assert capsys.readouterr().out == "notebooks/ agrees with lessons/\n"
    (course.lessons / "02_stacking.py").write_text(GOOD.replace("A lesson", "Another"))
    assert cli.main(["build", "--check"]) == 1
    assert "run: course build 02" in capsys.readouterr().out
    assert cli.main(["build", "--check", "0"]) == 0


@pytest.mark.notebook
@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_build_that_is_stopped_leaves_the_old_notebooks_and_no_kernel(course):
    mark = course.root / "started"
    before = {path: path.read_bytes() for path in course.notebooks.rglob("*") if path.is_file()}
    (course.lessons / "02_stacking.py").write_text(SLOW.format(mark=mark))
    process = subprocess.Popen(
        command(course, "build", "2"), cwd=course.root, env=environment(course), stderr=subprocess.PIPE, text=True
    )
    with process:
        until(mark.exists)
        process.send_signal(signal.SIGINT)
        error = process.communicate(timeout=30)[1]
    assert process.returncode == 130
    assert error == "course: stopped\n"
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)
    assert {path: path.read_bytes() for path in course.notebooks.rglob("*") if path.is_file()} == before


def test_new_lesson_says_what_to_do_next(course, capsys):
    assert cli.main(["new-lesson", "slow_clocks"]) == 0
    assert capsys.readouterr().out == "lessons/03_slow_clocks.py is ready; after a change run: course build 03\n"
    assert cli.main(["new-lesson", "other", "--number", "3"]) == 1
    assert "number 03 is taken by lessons/03_slow_clocks.py" in capsys.readouterr().err


def test_reset_tells_where_the_old_copy_is(course, capsys):
    assert cli.main(["reset", "2"]) == 0
    assert capsys.readouterr().out == "my/02_stacking.ipynb is fresh\n"
    (course.my / "02_stacking.ipynb").write_text("my work")
    assert cli.main(["reset", "my/02_stacking.ipynb"]) == 0
    old = capsys.readouterr().out.strip().rpartition(" ")[2]
    assert (course.root / old).read_text() == "my work"


@pytest.mark.parametrize("words", [["run", "9"], ["build", "9"], ["reset", "9"], ["lab", "9"]])
def test_an_unknown_lesson_is_code_2_with_the_known_ones(course, words, capsys):
    assert cli.main(words) == 2
    assert "there is no lesson '9'; known lessons: 00_start_here, 02_stacking" in capsys.readouterr().err
    assert not course.my.exists()


# run


@pytest.mark.notebook
def test_run_prints_a_row_a_lesson_and_writes_nothing(course, capsys):
    broken = notebook.read(course.notebooks / "02_stacking.ipynb")
    broken.cells[1].source = "x = 1\n1 / 0"
    notebook.write(course.notebooks / "02_stacking.ipynb", notebook.dumps(broken))
    (course.notebooks / "03_empty.ipynb").write_text("")
    before = {path: path.stat().st_mtime_ns for path in course.root.rglob("*")}

    assert cli.main(["run"]) == 1
    head, good, bad, empty = capsys.readouterr().out.splitlines()
    assert head.split() == ["notebook", "seconds", "cells", "verdict"]
    assert good.split()[0] == "notebooks/00_start_here.ipynb"
    assert good.split()[2:] == ["1", "ok"]
    assert bad.endswith("`x = 1`: ZeroDivisionError: division by zero")
    assert broken.cells[1].id in bad
    assert "03_empty.ipynb is no notebook" in empty
    assert {path: path.stat().st_mtime_ns for path in course.root.rglob("*")} == before

    assert cli.main(["run", "start_here"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


# experiments and claims


def test_claims_are_printed_and_written(course, capsys):
    from course_lib import claims

    assert cli.main(["claims"]) == 0
    told = capsys.readouterr().out
    assert all(f"{identity} " in told and entry.measured in told for identity, entry in claims.CLAIMS.items())
    (course.root / "docs").mkdir()
    assert cli.main(["claims", "--write"]) == 0
    assert capsys.readouterr().out == "docs/claims.md is written\n"
    assert (course.root / "docs" / "claims.md").read_text(encoding="utf-8") == claims.page()


def test_an_experiment_runs_what_is_missing(course, capsys, monkeypatch):
    from course_lib import experiments
    from course_lib.experiments import Experiment, store

    toy = Experiment("toy", "how high?", lambda setting, seed: {"level": seed}, ({"level": 1},))
    monkeypatch.setattr(experiments, "EXPERIMENTS", {"toy": toy})
    monkeypatch.setattr(store, "FOLDER", course.root / "results")
    assert cli.main(["experiment", "run", "toy", "--seeds", "2", "--workers", "1"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "toy: 2 runs, none measured so far",
        "{'level': 1} seed 0: 0.0 s",
        "{'level': 1} seed 1: 0.0 s",
    ]
    assert cli.main(["experiment", "run", "toy", "--seeds", "2", "--workers", "1"]) == 0
    assert capsys.readouterr().out == "toy: all 2 seeds of 1 settings are stored\n"
    assert cli.main(["experiment", "list"]) == 0
    assert "how high?" in capsys.readouterr().out


def test_a_damaged_store_is_one_sentence(course, capsys, monkeypatch):
    from course_lib.experiments import store

    monkeypatch.setattr(store, "FOLDER", course.root / "results")
    store.FOLDER.mkdir()
    for damage in (b"<<<<<<< HEAD\n", b"\xff\xfe\n"):
        store.file("folding").write_bytes(damage)
        for words in (["experiment", "list"], ["experiment", "run", "folding"]):
            assert cli.main(words) == 1
            error = capsys.readouterr().err
            assert error.startswith("course: folding.jsonl, line 1, is no result: ")
            assert error.endswith("delete the line\n")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["experiment", "run", "nothing"], "there is no experiment 'nothing'; known: "),
        (["experiment", "run"], "which experiment?; known: "),
        (["experiment", "run", "x", "--seeds", "0"], "must be a whole number in 1..99999, got '0'"),
        (["experiment", "make"], "invalid choice: 'make'"),
    ],
)
def test_a_wrong_experiment_is_named(course, words, told, capsys):
    try:
        code = cli.main(words)
    except SystemExit as stopped:
        code = stopped.code
    assert code == 2
    assert told in capsys.readouterr().err
