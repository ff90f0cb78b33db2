"""The real start.py in a real process, with a stand-in for the environment's Python."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from tests.start.machine import ROOT

posix = pytest.mark.skipif(os.name == "nt", reason="the stand-in for Python is a shell script")

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
