"""What breaks is made anew, and each failure is told in one sentence."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys

import pytest

from tests.start.machine import NO_ROOM, ROOT, UNREACHABLE, Machine

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


@pytest.mark.parametrize("sign", ["$", "{", "}", os.pathsep])
def test_a_folder_that_pip_cannot_take(tmp_path, monkeypatch, capsys, sign):
    folder = tmp_path / f"a{sign}b"
    folder.mkdir()
    machine = Machine(folder, monkeypatch)
    assert machine.start.main(["lab"]) == 1
    sentence = f"The path {folder} has a {sign} in it, which pip cannot take: move the project elsewhere.\n"
    assert capsys.readouterr().err == sentence
    assert (machine.venvs, machine.pips) == (0, [])


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
