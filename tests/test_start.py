"""The door: what start.py installs, says and hands over, without a network and without a real installation."""

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NOT_THERE = "ERROR: No matching distribution found for torch==2.13.0+cpu"
UNREACHABLE = (
    "WARNING: Retrying after connection broken by 'NewConnectionError: Name or service not known'\n" + NOT_THERE
)
NO_ROOM = "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device"
posix = pytest.mark.skipif(os.name == "nt", reason="the stand-in for Python is a shell script")


class Machine:
    """A computer with start.py on it, whose Python, pip and disk are stand-ins."""

    def __init__(self, folder, monkeypatch):
        for name in ("start.py", "pyproject.toml", "constraints.txt"):
            shutil.copy(ROOT / name, folder)
        spec = importlib.util.spec_from_file_location("start_in_a_test", folder / "start.py")
        self.start = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.start)
        self.folder, self.torch, self.healthy, self.gigabytes, self.driver = folder, "", True, 100, False
        self.pips, self.venvs, self.handed, self.answers = [], 0, [], {}
        there = os.path.exists
        monkeypatch.setattr(sys, "platform", "linux")
        monkeypatch.setattr(self.start, "run", self.run)
        monkeypatch.setattr(self.start, "hand_over", lambda command: self.handed.append(command[1:]) or 0)
        monkeypatch.setattr(shutil, "which", lambda name: "/bin/" + name if self.driver else None)
        monkeypatch.setattr(os.path, "exists", lambda path: path != "/proc/driver/nvidia" and there(path))
        monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(0, 0, self.gigabytes * 10**9))

    def run(self, command, log=None):
        """Stand in for start.run: make an environment, tell its versions, or install into it."""
        if command[1:3] == ["-m", "venv"]:
            return self.make(Path(command[-1]))
        if not (self.healthy and Path(command[0]).exists()):
            raise FileNotFoundError(command[0])
        if command[1] == "-I":
            return 0, f"3.11 {self.torch}\n"
        words = command[4:]
        self.pips.append(words)
        status, text = self.answers.get(self.step(words), (0, "fine"))
        if isinstance(status, type):
            raise status
        log.write_text(text, encoding="utf-8")
        if status == 0:
            self.torch = words[-1].partition("==")[2] or self.torch or "2.13.0"
        return status, text

    def make(self, venv):
        status, text = self.answers.get("venv", (0, ""))
        self.venvs, self.torch, self.healthy = self.venvs + 1, "", True
        if status == 0:
            shutil.rmtree(venv, ignore_errors=True)
            self.start.BIN.mkdir(parents=True)
            Path(self.start.PYTHON).touch()
        return status, text

    def step(self, words):
        return "main" if "-e" in words else "index" if "--index-url" in words else "own"

    def steps(self):
        """Tell which kinds of installation pip was asked for, and forget them."""
        steps, self.pips = [self.step(words) for words in self.pips], []
        return steps

    def stamp(self):
        return json.loads((self.folder / ".venv" / "start.json").read_text(encoding="utf-8"))


@pytest.fixture
def machine(tmp_path, monkeypatch):
    return Machine(tmp_path, monkeypatch)


@pytest.fixture
def fails(machine, capsys):
    """Start, and return the one sentence that tells why it did not work."""

    def start(*words, code=1):
        assert machine.start.main(list(words)) == code
        sentence = capsys.readouterr().err
        assert sentence.count("\n") == 1
        assert sentence.endswith("\n")
        assert "Traceback" not in sentence
        assert machine.handed == []
        return sentence

    return start


# Words


def test_no_words_open_the_lessons(machine):
    assert machine.start.main([]) == 0
    assert machine.handed == [["-m", "course_lib.cli", "lab"]]


@pytest.mark.parametrize(
    "words", [["lab", "--no-browser", "--port", "1", "03"], ["run", "02"], ["build"], ["--version"]]
)
def test_other_words_go_to_the_course_command_as_they_are(machine, words):
    assert machine.start.main(words) == 0
    assert machine.handed == [["-m", "course_lib.cli", *words]]
    assert machine.stamp()["extras"] == ["course"]


def test_test_runs_everything(machine):
    assert machine.start.main(["test", "-x", "tests/test_grid.py"]) == 0
    assert machine.handed == [["-m", "pytest", "-x", "tests/test_grid.py"]]
    assert machine.pips[-1][-2:] == ["-e", ".[course,test]"]


def test_quick_runs_the_unit_tests_only(machine):
    assert machine.start.main(["test", "--quick", "-x"]) == 0
    assert machine.handed == [["-m", "pytest", "-m", "not notebook and not browser", "-x"]]


@pytest.mark.parametrize("word", ["-h", "--help"])
def test_help_installs_nothing(machine, capsys, word):
    assert machine.start.main([word]) == 0
    said = capsys.readouterr().out
    assert all(word in said for word in ("lab", "run", "test", "--quick", "build", "reset", "new-lesson"))
    assert machine.venvs == len(machine.pips) == len(machine.handed) == 0


# Which PyTorch


def test_the_cpu_build_comes_from_where_pip_is_set_up_to_look(machine, capsys):
    machine.start.main(["lab"])
    assert machine.pips[0][-1] == "torch==2.13.0+cpu"
    assert "PyTorch 2.13.0: the CPU build, because there is no NVIDIA driver.\n" in capsys.readouterr().out
    assert machine.steps() == ["own", "main"]


def test_the_cpu_build_comes_else_from_pytorchs_index(machine):
    machine.answers["own"] = 1, NOT_THERE
    machine.start.main(["lab"])
    own, index, main = machine.pips
    assert index[index.index("--index-url") + 1] == "https://download.pytorch.org/whl/cpu"
    assert "--no-deps" in index
    assert index[index.index("--timeout") + 1] == "15"
    assert index[index.index("--retries") + 1] == "1"
    assert not any("pytorch.org" in word for word in own + main)


def test_the_default_build_is_the_last_resort(machine, capsys):
    machine.answers.update(own=(1, NOT_THERE), index=(1, UNREACHABLE))
    assert machine.start.main(["lab"]) == 0
    assert "No CPU build can be reached, so the default build is taken; it brings CUDA" in capsys.readouterr().out
    assert machine.steps() == ["own", "index", "main"]


def test_the_default_build_is_not_begun_on_a_small_disk(machine, fails):
    machine.answers.update(own=(1, NOT_THERE), index=(1, UNREACHABLE))
    machine.gigabytes = 9
    assert fails("lab") == "Not enough disk: 10.5 GB are needed, 9.0 GB are free; make room first.\n"
    assert machine.steps() == ["own", "index"]


def test_a_driver_gets_the_default_build(machine, capsys):
    machine.driver = True
    machine.start.main(["lab"])
    assert "PyTorch 2.13.0: the default build, because there is an NVIDIA driver" in capsys.readouterr().out
    assert machine.steps() == ["main"]


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_other_systems_get_the_default_build(machine, capsys, monkeypatch, platform):
    monkeypatch.setattr(sys, "platform", platform)
    machine.gigabytes = 5  # enough without CUDA
    machine.start.main(["lab"])
    assert f"PyTorch 2.13.0: the default build, because this is {platform}.\n" in capsys.readouterr().out
    assert machine.steps() == ["main"]


def test_a_pytorch_of_the_right_version_stays(machine, capsys):
    machine.make(machine.start.VENV)
    machine.torch = "2.13.0+cu130"
    machine.start.main(["lab"])
    assert "PyTorch" not in capsys.readouterr().out
    assert machine.steps() == ["main"]


def test_a_pytorch_of_another_version_is_replaced(machine):
    machine.make(machine.start.VENV)
    machine.torch = "2.13.1"
    machine.start.main(["lab"])
    assert machine.steps() == ["own", "main"]


# When is there anything to do


def test_the_first_start_says_what_it_costs(machine, capsys):
    machine.start.main(["test"])
    said = capsys.readouterr().out
    assert "Installing into .venv (course and test): 0.4 GB to download, 1.5 GB on disk, once.\n" in said
    assert "The environment is ready (" in said


def test_the_second_start_installs_nothing_and_says_nothing(machine, capsys):
    machine.start.main(["lab"])
    machine.steps(), capsys.readouterr()
    machine.start.main(["run"])
    assert capsys.readouterr().out == ""
    assert (machine.steps(), machine.venvs, len(machine.handed)) == ([], 1, 2)


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_a_changed_file_is_followed(machine, capsys, name):
    machine.start.main(["lab"])
    machine.steps(), capsys.readouterr()
    with open(machine.folder / name, "a", encoding="utf-8") as file:
        file.write("# changed\n")
    machine.start.main(["lab"])
    assert capsys.readouterr().out.startswith("Installing into .venv (course).\n")
    assert (machine.steps(), machine.venvs) == (["main"], 1)
    machine.start.main(["lab"])
    assert machine.steps() == []


def test_extras_only_grow(machine):
    machine.start.main(["lab"])
    machine.start.main(["test"])
    assert machine.pips[-1][-1] == ".[course,test]"
    machine.steps()
    machine.start.main(["lab"])
    assert machine.steps() == []
    (machine.folder / "constraints.txt").write_text("torch==2.13.0\n", encoding="utf-8")
    machine.start.main(["lab"])
    assert machine.pips[-1][-1] == ".[course,test]"
    assert machine.stamp()["extras"] == ["course", "test"]


def test_a_working_environment_of_another_hand_is_taken_over(machine):
    machine.make(machine.start.VENV)
    machine.start.main(["lab"])
    assert machine.venvs == 1
    assert machine.stamp()["versions"] == ["3.11", "2.13.0+cpu"]


@pytest.mark.parametrize("stamp", ["", "{", "[1]", "7", '{"extras": []}'])
def test_an_unreadable_stamp_counts_as_none(machine, stamp):
    machine.start.main(["lab"])
    machine.steps()
    machine.start.STAMP.write_text(stamp, encoding="utf-8")
    assert machine.start.main(["lab"]) == 0
    assert machine.steps() == ["main"]


# What breaks is made anew


def test_a_broken_environment_is_made_anew(machine, capsys):
    machine.start.main(["test"])
    machine.healthy = False  # its base Python was removed
    capsys.readouterr()
    machine.start.main(["lab"])
    assert "made anew" in capsys.readouterr().out
    assert machine.venvs == 2
    assert machine.stamp()["extras"] == ["course", "test"]


def test_a_moved_folder_gets_a_new_environment(machine):
    machine.start.main(["lab"])
    machine.start.STAMP.write_text(json.dumps(dict(machine.stamp(), folder="/elsewhere")), encoding="utf-8")
    machine.start.main(["lab"])
    assert machine.venvs == 2
    assert machine.stamp()["folder"] == str(machine.folder)


@pytest.mark.parametrize("step", ["own", "main"])
def test_an_interrupted_installation_is_finished_by_the_next_start(machine, fails, step):
    machine.answers[step] = KeyboardInterrupt, ""
    assert fails("lab", code=130) == "Interrupted: run the same command again to go on.\n"
    assert not machine.start.STAMP.exists()
    machine.answers.clear()
    assert machine.start.main(["lab"]) == 0
    assert machine.venvs == 2  # pip leaves half a package behind, and would take it for a whole one
    assert machine.stamp()["extras"] == ["course"]


def test_an_interrupted_refresh_does_not_pass_for_a_whole_one(machine, fails):
    machine.start.main(["lab"])
    machine.handed.clear()
    machine.answers["main"] = KeyboardInterrupt, ""
    assert "Interrupted" in fails("test", code=130)
    machine.answers.clear()
    machine.start.main(["lab"])
    assert machine.venvs == 2


def test_a_pip_that_was_killed_is_not_trusted(machine, fails):
    machine.answers["own"] = -9, ""
    assert fails("lab").startswith("The installation failed (no word of why); ")
    assert machine.steps() == ["own"]
    machine.answers.clear()
    machine.start.main(["lab"])
    assert machine.venvs == 2


# Failures in one sentence


def test_an_old_python(machine, fails, monkeypatch):
    monkeypatch.setattr(machine.start, "sys", type("Old", (), {"version_info": (3, 10, 13), "stderr": sys.stderr}))
    assert fails("lab") == "This is Python 3.10; the course needs 3.11 or newer: try python3.11 start.py\n"
    assert machine.start.check_python((3, 11, 0, "final", 0)) is None
    assert machine.start.check_python((4, 0, 0, "final", 0)) is None


@pytest.mark.parametrize("minor", range(6, 11))
def test_a_real_old_python(minor):
    python = shutil.which(f"python3.{minor}")
    works = python and subprocess.run([python, "-c", ""], capture_output=True).returncode == 0
    if not works:
        pytest.skip(f"no Python 3.{minor} here")
    done = subprocess.run([python, str(ROOT / "start.py")], capture_output=True, text=True)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith(f"This is Python 3.{minor};")


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_no_module_for_environments(machine, fails, monkeypatch, module):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == module else find(name))
    package = f"python3.{sys.version_info[1]}-venv"
    assert (
        fails("lab") == f"This Python lacks its module {module}: install it (Debian, Ubuntu: apt install {package}).\n"
    )
    assert machine.venvs == 0


def test_a_small_disk(machine, fails):
    machine.gigabytes = 2
    assert fails("lab") == "Not enough disk: 2.5 GB are needed, 2.0 GB are free; make room first.\n"
    assert machine.venvs == 0


@pytest.mark.parametrize("step", ["venv", "own", "main"])
def test_a_disk_that_fills_up(machine, fails, step):
    machine.answers[step] = 1, NO_ROOM
    assert fails("lab").startswith("The disk or the temporary folder is full: ")
    assert "index" not in machine.steps()
    machine.answers.clear()
    machine.start.main(["lab"])
    assert machine.venvs == 2


def test_no_network_from_the_start(machine, fails):
    machine.answers.update(own=(1, UNREACHABLE), index=(1, UNREACHABLE))
    assert fails("lab").startswith("The package index does not answer: check the network, HTTPS_PROXY")


def test_no_network_later_leaves_what_is_done_so_far(machine, fails):
    machine.answers["main"] = 1, UNREACHABLE
    assert fails("lab").startswith("The package index does not answer: ")
    assert not machine.start.STAMP.exists()
    machine.answers.clear()
    machine.steps()
    machine.start.main(["lab"])
    assert (machine.steps(), machine.venvs) == (["main"], 1)


def test_a_folder_that_cannot_be_written_to(machine, fails):
    machine.answers["venv"] = 1, "Error: [Errno 13] Permission denied: '.venv'"
    assert fails("lab").startswith("This folder cannot be written to: ")


def test_a_stamp_that_cannot_be_written(machine, fails, monkeypatch):
    def refuse(*words):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(machine.start, "prepare", refuse)
    assert fails("lab").startswith("This folder cannot be written to: ")


def test_any_other_failure_names_its_reason_and_the_log(machine, fails):
    machine.answers["main"] = 1, "lots\nERROR: No matching distribution found for numpy==2.4.6\nmore\n"
    log = machine.folder / ".venv" / "install.log"
    reason = "ERROR: No matching distribution found for numpy==2.4.6"
    assert fails("lab") == f"The installation failed ({reason}); {log} says more.\n"
    assert reason in log.read_text(encoding="utf-8")


def test_the_callers_settings_cannot_lead_away_from_the_environment(machine, monkeypatch):
    for name, value in {"PYTHONPATH": "/x", "PYTHONHOME": "/x", "PIP_TARGET": "/x", "PIP_USER": "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PIP_FIND_LINKS", "/wheels")
    monkeypatch.setenv("HTTPS_PROXY", "proxy:1")
    kept = machine.start.environment()
    assert not {"PYTHONPATH", "PYTHONHOME", "PIP_TARGET"} & set(kept)
    assert (kept["PIP_USER"], kept["PIP_FIND_LINKS"], kept["HTTPS_PROXY"]) == ("0", "/wheels", "proxy:1")
    assert kept["PATH"].startswith(str(machine.start.BIN) + os.pathsep)


# The real file in a real process, with a stand-in for the environment's Python

PYTHON = """#!/bin/sh
case "$*" in
  *distributions*) echo 3.11 2.13.0+cpu ;;
  *"pip install"*) echo pip >> pips; touch begun; sleep $(cat seconds); echo some noise; exit $(cat code) ;;
  *) echo "$(pwd) $*"; exit 7 ;;
esac
"""
VENV = f"""import os, pathlib, sys
python = pathlib.Path(sys.argv[-1], "bin", "python")
python.parent.mkdir(parents=True)
python.write_text({PYTHON!r})
os.chmod(python, 0o755)
"""
CAREFUL = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"


@pytest.fixture
def door(tmp_path):
    """Start the real start.py in a folder of its own."""
    for name in ("start.py", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    for name, text in {"venv.py": VENV, "seconds": "0", "code": "0"}.items():
        (tmp_path / name).write_text(text)
    started = []

    def start(*words):
        command = [sys.executable, "-c", CAREFUL, sys.executable, str(tmp_path / "start.py"), *words]
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        started.append(subprocess.Popen(command, cwd=tmp_path.parent, start_new_session=True, **streams))
        return started[-1]

    yield start
    for process in started:
        with process:
            process.kill()


def wait_for(path):
    """Wait until the stand-in for pip is at work."""
    end = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < end
        time.sleep(0.01)


@posix
def test_the_child_gets_the_words_the_folder_and_the_last_word(door, tmp_path):
    first = door("run", "02 a")
    out, err = first.communicate()
    assert (first.returncode, err) == (7, "")
    assert out.splitlines()[-1] == f"{tmp_path} -m course_lib.cli run 02 a"
    second = door("test", "--quick")
    out, err = second.communicate()
    assert (second.returncode, err) == (7, "")
    assert out.splitlines()[-1] == f"{tmp_path} -m pytest -m not notebook and not browser"
    assert (tmp_path / ".venv" / "install.log").read_text() == "some noise\n"


@posix
def test_two_starts_at_once_install_once(door, tmp_path):
    (tmp_path / "seconds").write_text("0.3")
    first = door("lab")
    wait_for(tmp_path / "begun")
    second = door("lab")
    said, waited = first.communicate()[0], second.communicate()[0]
    assert (first.returncode, second.returncode) == (7, 7)
    assert "Another start" not in said
    assert waited.startswith("Another start is installing in this folder: waiting until it is done.\n")
    assert (tmp_path / "pips").read_text().count("pip") == 1


@posix
def test_killed_and_started_again_it_waits_for_the_orphaned_pip_and_begins_anew(door, tmp_path):
    (tmp_path / "seconds").write_text("0.3")
    first = door("lab")
    wait_for(tmp_path / "begun")
    os.kill(first.pid, signal.SIGKILL)
    first.communicate()
    assert not (tmp_path / ".venv" / "start.json").exists()
    second = door("lab")
    out, err = second.communicate()
    assert (second.returncode, err) == (7, "")
    assert "waiting until it is done" in out
    assert "made anew" in out
    assert (tmp_path / ".venv" / "start.json").exists()


@posix
def test_ctrl_c_while_installing_is_one_sentence(door, tmp_path):
    (tmp_path / "seconds").write_text("20")
    process = door("lab")
    wait_for(tmp_path / "begun")
    os.killpg(process.pid, signal.SIGINT)
    err = process.communicate(timeout=10)[1]
    assert (process.returncode, err) == (130, "Interrupted: run the same command again to go on.\n")
    assert (tmp_path / ".venv" / "underway").exists()
    assert not (tmp_path / ".venv" / "start.json").exists()


@posix
def test_a_pip_that_fails_is_one_sentence(door, tmp_path):
    (tmp_path / "code").write_text("1")
    process = door("lab")
    err = process.communicate()[1]
    assert process.returncode == 1
    assert err == f"The installation failed (some noise); {tmp_path}/.venv/install.log says more.\n"
