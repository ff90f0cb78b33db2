"""The command `course`: what it prints, what it returns, what it leaves behind."""

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from course_lib import cli
from course_lib.publish import copies, lab, notebook
from course_lib.publish.build import build
from course_lib.publish.project import Project, find_project
from course_lib.version import __version__

GOOD = "# %% [markdown]\n# # A lesson\n\n# %%\nprint(1)\n"
BAD = "# %%\nprint(1)\n\n# %% 02.1 · divide\nx = 1\n1 / 0\n"
SLOW = """\
# %%
import os, time
with open("{mark}.new", "w") as mark:
    mark.write(str(os.getpid()))
os.rename("{mark}.new", "{mark}")
time.sleep(60)
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A course of two built lessons, with a package of its own that needs no torch."""
    root = tmp_path_factory.mktemp("course")
    package = Path(cli.__file__).parent
    shutil.copytree(package / "publish", root / "course_lib" / "publish", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("cli.py", "version.py"):
        shutil.copy(package / name, root / "course_lib")
    (root / "course_lib" / "__init__.py").touch()
    (root / "start.py").touch()
    (root / "lessons").mkdir()
    for stem in ("00_start_here", "02_stacking"):
        (root / "lessons" / f"{stem}.py").write_text(GOOD)
        build(Project(root), stem)
    return root


@pytest.fixture
def course(built, tmp_path, monkeypatch):
    """A fresh copy of that course, which `main` takes for its own."""
    shutil.copytree(built, tmp_path, dirs_exist_ok=True)
    monkeypatch.setattr(cli, "find_project", lambda: Project(tmp_path))
    return Project(tmp_path)


def environment(course, **more):
    """Nothing of the user's Jupyter, and the package of the course."""
    hidden = ("PYTEST_", "JUPYTER", "COURSE_", "PYTHONPATH")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    home = str(course.root / "home")
    return kept | {"HOME": home, "JUPYTER_RUNTIME_DIR": home, "PYTHONPATH": str(course.root)} | more


def command(course, *words, before=""):
    """`course` in a process of its own, after some lines of Python."""
    code = f"import sys\n{before}\nfrom course_lib.cli import main\nsys.exit(main(sys.argv[1:]))"
    return [sys.executable, "-c", code, *words]


def course_process(course, *words, before=""):
    return subprocess.run(
        command(course, *words, before=before),
        cwd=course.root,
        env=environment(course),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


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


# lab


def until(condition, patience=30):
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def test_the_server_gets_what_it_needs(course, monkeypatch):
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "theirs")
    given = lab.lab_environment(course, course.root / "quiet")
    assert given["COURSE_MY"] == str(course.my.resolve())
    assert given["JUPYTER_CONFIG_PATH"].split(os.pathsep) == [str(course.root / "quiet"), "theirs"]
    assert len(given["JUPYTER_TOKEN"]) == 48

    line = lab.lab_command(course, "02_stacking", None, browser=True)
    assert line[:3] == [sys.executable, "-m", "jupyterlab"]
    assert f"--ServerApp.root_dir={course.root}" in line
    assert "--LabApp.default_url=/lab/tree/my/02_stacking.ipynb" in line
    assert not any("port" in word for word in line)
    assert "--no-browser" not in line
    strict = lab.lab_command(course, "02_stacking", 9123, browser=False)
    assert {"--ServerApp.port=9123", "--ServerApp.port_retries=0", "--no-browser"} <= set(strict)


@pytest.mark.skipif(os.name == "nt", reason="no root on Windows")
@pytest.mark.parametrize("user", [0, 1000])
def test_only_root_is_allowed_as_root(course, monkeypatch, user):
    monkeypatch.setattr(lab.os, "geteuid", lambda: user)
    assert ("--allow-root" in lab.lab_command(course, "02_stacking", None, browser=True)) == (user == 0)


@pytest.mark.parametrize("port", [0, 70000])
def test_a_port_that_is_none_is_refused(course, port, capsys):
    assert cli.main(["lab", "--port", str(port)]) == 1
    assert f"--port {port} is no port" in capsys.readouterr().err


def test_a_taken_port_is_one_sentence(course, capsys):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert cli.main(["lab", "--no-browser", "--port", str(port)]) == 1
    assert capsys.readouterr().err == (
        f"course: port {port} is taken; choose another with --port, or leave --port out\n"
    )


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(address, path):
    parts = urlsplit(address)
    with contextlib.closing(http.client.HTTPConnection(parts.netloc, timeout=30)) as connection:
        connection.request("GET", f"{path}?{parts.query}")
        answer = connection.getresponse()
        return answer.status, answer.read()


def refuses(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.notebook
@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_lab_serves_my_copies_quietly_and_ends_with_its_command(course, number):
    port = free_port()
    process = subprocess.Popen(
        command(course, "lab", "--no-browser", "--port", str(port), "2"),
        cwd=course.root,
        env=environment(course),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        address = next((line.strip() for line in process.stdout if line.startswith("http")), "")
        try:
            assert address.startswith(f"http://localhost:{port}/lab/tree/my/02_stacking.ipynb?token=")
            assert get(address, "/api/contents/my/02_stacking.ipynb")[0] == 200
            status, settings = get(address, "/lab/api/settings/@jupyterlab/apputils-extension:notification")
            assert status == 200
            news = json.loads(settings)["schema"]["properties"]
            assert (news["fetchNews"]["default"], news["checkForUpdates"]["default"]) == ("false", False)
        finally:
            process.send_signal(number)
            error = process.communicate(timeout=30)[1]
    assert process.returncode == 0, error
    assert "Traceback" not in error
    until(lambda: refuses(port), patience=5)
    assert sorted(path.name for path in course.my.iterdir()) == ["00_start_here.ipynb", "02_stacking.ipynb"]


@pytest.mark.notebook
def test_lab_tells_when_the_server_does_not_start(course, monkeypatch, capsys):
    monkeypatch.setattr(lab, "lab_command", lambda *words: [sys.executable, "-c", "raise SystemExit(7)"])
    assert cli.main(["lab", "--no-browser"]) == 1
    assert "JupyterLab ended before it answered, with code 7" in capsys.readouterr().err
    assert len(copies.make_copies(course)) == 0
