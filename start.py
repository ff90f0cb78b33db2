#!/usr/bin/env python3
"""The one door to the course: it makes the environment, then opens the lessons, runs them or tests everything.

python3 start.py [lab [--no-browser] [--port N] [lesson]]   open the lessons in JupyterLab
python3 start.py run [lesson ...]                           run lessons without a browser
python3 start.py test [--quick] [pytest arguments]          run all tests; --quick: only the fast unit tests
python3 start.py WORD ...     any other words go to the course command: build, reset, new-lesson, ...

The first start makes .venv beside this file, later ones use it. Paths are relative to this file's folder.
"""

import contextlib
import hashlib
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = str(BIN / ("python.exe" if os.name == "nt" else "python"))
STAMP, LOG = VENV / "start.json", VENV / "install.log"  # what a whole installation was made from; what pip said
UNDERWAY = VENV / "underway"  # lies there while pip works; found later, pip was cut off

CPU_INDEX = "https://download.pytorch.org/whl/cpu"
HASTE = ["--no-deps", "--timeout", "15", "--retries", "1"]
ENGINE = "from course_lib import fast; print(fast.name())"
NEW, REFRESH, CUDA = 2.5, 0.5, 8  # free disk to ask for, in GB, pip's cache included
PROBE = """import sys, importlib.metadata as metadata
assert sys.version_info >= (3, 11) and metadata.version("pip")
print("%d.%d" % sys.version_info[:2], *[found.version for found in metadata.distributions(name="torch")])"""
FULL = "no space left|errno 28|quota exceeded|not enough space"
CLOSED = "permission denied|read-only|errno 13|errno 30|access is denied"
OFFLINE = "connection broken|connectionerror|max retries|timed out|name resolution|proxyerror|sslerror|reset by peer"
SENTENCES = {
    FULL: "The disk or the temporary folder is full: free some space and run the same command again.",
    CLOSED: "This folder cannot be written to: copy the project to a folder of your own and start there.",
    OFFLINE: "The package index does not answer: check the network, HTTPS_PROXY and PIP_CERT, then start again.",
}


class Stop(Exception):
    """A failure, told in one sentence."""


def main(words):
    """Do what the words ask and return the exit code."""
    try:
        check_python(sys.version_info)
        if sys.stdout is not None:
            sys.stdout.reconfigure(line_buffering=True)
        if words in (["-h"], ["--help"]):
            print(__doc__)
            return 0
        extras, command = plan(words or ["lab"])
        ensure(extras)
        return hand_over([PYTHON, *command])
    except KeyboardInterrupt:
        print("Interrupted: run the same command again to go on.", file=sys.stderr)
        return 130
    except (Stop, OSError) as failure:
        print(failure if isinstance(failure, Stop) else explain(str(failure)), file=sys.stderr)
        return 1


def check_python(version):
    """Refuse an old Python; this file uses the syntax of 3.6 and nothing but the standard library to get so far."""
    if version < (3, 11):
        raise Stop("This is Python {}.{}; the course needs 3.11 or newer: try python3.11 start.py".format(*version))


def plan(words):
    """Return the extras that the words need, and the words for the environment's Python."""
    if words[0] != "test":
        return ["course"], ["-m", "course_lib.cli", *words]
    quick = ["-m", "not notebook and not browser"] if "--quick" in words else []
    return ["course", "test"], ["-m", "pytest", *quick, *(word for word in words[1:] if word != "--quick")]


def hand_over(command):
    """Let the command take this process's place, or (Windows) run it and return its exit code."""
    os.chdir(str(ROOT))
    if os.name != "nt":
        os.execve(command[0], command, environment())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the child's, which shuts down cleanly
    return subprocess.call(command, env=environment())


def environment():
    """Return the caller's environment, less what would lead Python or pip away from .venv."""
    away = ("PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT")
    kept = {name: value for name, value in os.environ.items() if name not in away}
    path = str(BIN) + os.pathsep + kept.get("PATH", os.defpath)
    return dict(kept, PATH=path, VIRTUAL_ENV=str(VENV), PYTHONNOUSERSITE="1", PIP_USER="0")


def ensure(extras):
    """Make .venv whole for these extras, one start at a time."""
    with alone():
        if stamp() == goal(extras):
            return
        began, extras = time.monotonic(), goal(extras)["extras"]
        prepare(extras)
        install_torch()
        print("Installing the course and what it needs.")
        done, text = pip("-c", "constraints.txt", "-e", ".[" + ",".join(extras) + "]")
        if not done:
            raise Stop(explain(text))
        compile_kernel()
        STAMP.write_text(json.dumps(goal(extras)), encoding="utf-8")
        print(f"The environment is ready ({time.monotonic() - began:.0f} s).\n")


def compile_kernel():
    """Compile what computes the stacks now, not in somebody's first cell; without a compiler they run in Python."""
    print("Compiling the kernel of the stacks.")
    if "compiled" not in run([PYTHON, "-c", ENGINE])[1].split():
        print("There is none here, so stacks run in Python: the same numbers, but training takes longer.")


def stamp():
    """Return the stamp that the last whole installation left; empty if there is none."""
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        found = dict(json.loads(STAMP.read_text(encoding="utf-8")))
        sorted([*found["extras"], ""])  # a list of words, or else a TypeError
        return found
    return {}


def goal(extras):
    """Return the stamp that an installation, whole and made now, would leave; extras once installed stay."""
    files = b"".join((ROOT / name).read_bytes() for name in ("pyproject.toml", "constraints.txt"))
    extras = sorted(set(extras) | set(stamp().get("extras", [])))
    return {"files": hashlib.sha256(files).hexdigest(), "folder": str(ROOT), "versions": look(), "extras": extras}


def look():
    """Return the versions of Python and PyTorch in .venv; none if it is missing, broken, half-made or moved here."""
    if UNDERWAY.exists() or stamp().get("folder", str(ROOT)) != str(ROOT):
        return []
    with contextlib.suppress(OSError):
        status, output = run([PYTHON, "-I", "-c", PROBE])
        return output.strip().split("\n")[-1].split() if status == 0 else []
    return []


@contextlib.contextmanager
def alone():
    """Wait until no other start, and no pip that a killed one left behind, works here: the lock ends with them."""
    with open(str(ROOT / "start.py"), "rb") as handle:
        os.set_inheritable(handle.fileno(), True)
        with contextlib.suppress(OSError, ImportError):  # a shared disk may have no such locks
            fcntl = importlib.import_module("fcntl")  # Windows has none
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print("Another start is installing in this folder: waiting until it is done.")
                fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def prepare(extras):
    """Say what is about to happen and what it costs, check the disk, and make .venv unless a working one is there."""
    check_folder(str(ROOT))
    found, what = look(), " and ".join(extras)
    if BIN.exists() and not found:
        print("The environment in .venv is broken, half-made or from another folder, so it is made anew.")
    has_torch = len(found) == 2
    print(f"Installing into .venv ({what}){'' if has_torch else ': 0.4 GB to download, 1.5 GB on disk, once'}.")
    need_disk(REFRESH if has_torch else NEW)
    if not found:
        make_venv()


def check_folder(folder):
    """Stop if the folder's path has a sign that Python's own tools for environments and packages cannot take."""
    signs = [sign for sign in ("$", "{", "}", os.pathsep) if sign in folder]
    if signs:
        raise Stop(f"The path {folder} has a {signs[0]} in it, which pip cannot take: move the project elsewhere.")


def need_disk(wanted):
    """Stop if the disk has less room than that, in GB."""
    free = shutil.disk_usage(str(ROOT)).free / 1e9
    if free < wanted:
        raise Stop(f"Not enough disk: {wanted:.1f} GB are needed, {free:.1f} GB are free; make room first.")


def make_venv():
    """Make .venv from nothing, with the Python that runs this file."""
    lacking = [module for module in ("venv", "ensurepip") if importlib.util.find_spec(module) is None]
    if lacking:
        package = "python{}.{}-venv".format(*sys.version_info)
        raise Stop(f"This Python lacks its module {lacking[0]}: install it (Debian, Ubuntu: apt install {package}).")
    shutil.rmtree(str(BIN), ignore_errors=True)  # first, so that a clearing cut off half-way leaves no Python
    status, output = run([sys.executable, "-m", "venv", "--clear", str(VENV)])
    if status:
        raise Stop(explain(output))


def install_torch():
    """Install PyTorch's CPU build where the default one would bring gigabytes of CUDA for nothing."""
    version = re.search(r"(?m)^torch==(\S+)", (ROOT / "constraints.txt").read_text(encoding="utf-8")).group(1)
    driver = shutil.which("nvidia-smi") or os.path.exists("/proc/driver/nvidia")
    if look()[1:] and look()[1].split("+")[0] == version:
        return
    if driver or not sys.platform.startswith("linux"):
        why = "there is an NVIDIA driver; it brings CUDA, several GB" if driver else f"this is {sys.platform}"
        print(f"PyTorch {version}: the default build, because {why}.")
        need_disk(NEW + CUDA if driver else NEW)
        return
    print(f"PyTorch {version}: the CPU build, because there is no NVIDIA driver.")
    build = f"torch=={version}+cpu"
    done, text = pip(*HASTE, build)  # wherever pip itself is set up to look
    if done or pip(*HASTE, "--index-url", CPU_INDEX, build)[0]:
        return
    if re.search(OFFLINE, text, re.I):
        raise Stop(explain(text))
    print("No CPU build can be reached, so the default build is taken; it brings CUDA, several GB.")
    need_disk(NEW + CUDA)


def pip(*words):
    """Let pip install something; return whether it did, and what it said. The marker of a cut-off pip stays."""
    UNDERWAY.touch()
    status, text = run([PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", *words], LOG)
    if status not in (0, 1) or ("due to an OSError" in text and explain(text) != SENTENCES[OFFLINE]):
        raise Stop(explain(text))
    UNDERWAY.unlink()
    return status == 0, text


def run(command, log=None):
    """Run a command; return its exit code and what it printed. With a log, a terminal shows pip's progress."""
    began, terminal = time.monotonic(), log and sys.stdout.isatty()
    with open(str(log), "w+b") if log else tempfile.TemporaryFile() as kept, contextlib.ExitStack() as ending:
        streams = {"stdin": subprocess.DEVNULL, "stdout": None if terminal else kept, "stderr": kept}
        child = subprocess.Popen(command, cwd=str(ROOT), env=environment(), close_fds=False, **streams)
        ending.callback(child.terminate)  # on Ctrl-C
        while child.poll() is None:
            try:
                child.wait(20)
            except subprocess.TimeoutExpired:
                if not terminal:
                    print(f"  ... {time.monotonic() - began:.0f} s")
        kept.seek(0)
        return child.returncode, kept.read().decode("utf-8", "replace")


def explain(text):
    """Turn what a failed step said into one sentence."""
    for signs, sentence in SENTENCES.items():
        if re.search(signs, text, re.I):
            return sentence
    reasons = re.findall(r"(?m)^ERROR.*\S", text) or re.findall(r"(?m)^.*\S", text) or ["no word of why"]
    more = f"; {LOG} says more" if LOG.exists() else ""
    return f"The installation failed ({reasons[-1][:200]}){more}."


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
