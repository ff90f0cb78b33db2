"""Canary attacks in a real box before anything is graded: each must fail, or this machine must not grade."""

import contextlib
import os
import secrets
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy

from course_lib.grading import judge
from course_lib.grading.box import Box, Limits
from course_lib.grading.bubblewrap import PACKAGE
from course_lib.grading.limits import MIB
from course_lib.grading.problem import Case, Part, ProblemSet

SHORT = Limits(wall=20.0, cpu=10, memory=512 * MIB, processes=32, output=MIB // 16)
READ = "import sys\nfor path in sys.argv[1:]:\n try: print(open(path).read())\n except OSError as error: print(error)"
WRITE = (
    "import os, sys\nfor folder in sys.argv[2:]:\n try: open(os.path.join(folder, sys.argv[1]), 'w').write('x')\n"
    " except OSError as error: print(error)"
)
CONNECT = (
    "import socket, sys\ntry: socket.create_connection(('127.0.0.1', int(sys.argv[1])), 5)\n"
    "except OSError as error: print(error)"
)
DAEMON = (
    "import subprocess, sys\nline = [sys.executable, '-c', 'import time; time.sleep(60)', sys.argv[1]]\n"
    "subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)\n"
    "print('started')"
)
ALLOCATE = (
    "import sys\nheld = []\nfor each in range(int(sys.argv[1])): held.append(b'x' * (1 << 20))\n"
    "print('escaped with', len(held), 'MiB')"
)
FORK = (
    "import os, sys, time\nmade = 0\nfor each in range(int(sys.argv[1])):\n try: child = os.fork()\n"
    " except OSError: break\n if not child: time.sleep(30); os._exit(0)\n made += 1\nprint('made', made)"
)
FLOOD = "import os\nwhile True: os.write(1, b'x' * 65536)"
PATCH = """
import numpy, torch
torch.allclose = torch.equal = numpy.allclose = numpy.array_equal = lambda *_, **__: True
numpy.testing.assert_allclose = lambda *_, **__: None
class Always(float):
    __eq__ = __le__ = __ge__ = lambda *_: True
    __hash__ = float.__hash__
def patched(x): return Always(0)
"""


@dataclass(frozen=True)
class Finding:
    """What an attack tried, whether the box held (``ok``), and how it ended."""

    attack: str
    ok: bool
    told: str


def examine(limits: Limits = SHORT, box: Callable[..., Box] = Box, quick: bool = False) -> list[Finding]:
    """Run all attacks, or the quick ones, and say of each how it ended; grade only if all are ok.

    Errors: BoxError for root, and if there is no box.
    """
    with tempfile.TemporaryDirectory(prefix="course-doctor-") as folder:
        run = _Runner(limits, box)
        return [attack(run, Path(folder)) for attack in (QUICK if quick else ATTACKS)]


class _Runner:
    """Runs Python text in a box and remembers nothing."""

    def __init__(self, limits: Limits, box: Callable[..., Box]):
        self.limits, self.box = limits, box

    def __call__(self, source: str, *arguments: object) -> tuple[str, str]:
        """What the text printed and the limit that ended it."""
        command = (sys.executable, "-c", source, *map(str, arguments))
        with self.box(command, {}, self.limits) as box:
            box.wait()
        return box.output, box.why


def _read(run: _Runner, folder: Path) -> Finding:
    token = secrets.token_hex(16)
    canary = folder / "canary.txt"
    canary.write_text(token, encoding="ascii")
    said, _ = run(READ, canary, "/etc/passwd", "/proc/1/environ")
    escaped = token in said or "root:" in said
    return Finding("read a file outside", not escaped, "it was read" if escaped else "there is no such file")


def _write(run: _Runner, folder: Path) -> Finding:
    name = f"course-doctor-{secrets.token_hex(8)}"
    places = [folder, PACKAGE, Path(sys.prefix), Path.home()]
    run(WRITE, name, *places, f"/course/{PACKAGE.name}")
    left = [place / name for place in places if (place / name).exists()]
    for path in left:
        path.unlink()
    return Finding("write a file outside", not left, f"written: {left[0]}" if left else "nothing was written")


def _connect(run: _Runner, _: Path) -> Finding:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        said, _why = run(CONNECT, listener.getsockname()[1])
        listener.settimeout(0.2)
        with contextlib.suppress(TimeoutError):
            listener.accept()[0].close()
            return Finding("connect to this machine", False, "the connection was made")
    return Finding("connect to this machine", True, said.strip()[-80:] or "refused")


def _survive(run: _Runner, _: Path) -> Finding:
    token = secrets.token_hex(16)
    said, _why = run(DAEMON, token)
    end, alive = time.monotonic() + 1.0, []
    while not alive and time.monotonic() < end:  # it shows its name only once it has started
        alive = [path for path in Path("/proc").glob("[0-9]*/cmdline") if token.encode() in _bytes(path)]
    for path in alive:
        os.kill(int(path.parent.name), signal.SIGKILL)
    ok = "started" in said and not alive
    told = "its process ended with the box" if ok else f"{len(alive)} processes live on; it said: {said[-80:]!r}"
    return Finding("outlive the box", ok, told)


def _allocate(run: _Runner, _: Path) -> Finding:
    said, why = run(ALLOCATE, 4 * run.limits.memory // MIB)
    ok = "escaped" not in said and ("MemoryError" in said or why == "memory limit")
    return Finding("use four times the memory", ok, (why or said.strip()[-80:]) if not ok else "stopped at the limit")


def _fork(run: _Runner, _: Path) -> Finding:
    said, _why = run(FORK, 4 * run.limits.processes)
    made = said.partition("made ")[2].strip()
    ok = made.isdecimal() and int(made) < run.limits.processes
    return Finding("start processes without end", ok, f"{made or 'an unknown number'} were made")


def _flood(run: _Runner, _: Path) -> Finding:
    said, why = run(FLOOD)
    ok = bool(why) and len(said) <= run.limits.output
    return Finding("print without end", ok, f"{len(said)} characters were kept; stopped by: {why or 'nothing'}")


def _patch(run: _Runner, _: Path) -> Finding:
    """An honest answer gets its points beside a patched one, which gets none."""
    cells = [("patch", PATCH), ("honest", "def honest(x): return 2 * x")]
    problems = ProblemSet(
        "doctor", "Doctor", [Part(name, name, 1.0, _doubles(name)) for name in ("patched", "honest")], dict
    )
    limits = replace(run.limits, wall=60.0, cpu=45, memory=max(run.limits.memory, 2048 * MIB), output=MIB)
    outcome = judge.grade(cells, problems, {}, numpy.random.default_rng(secrets.randbits(64)), limits, run.box)
    points = {name: mark.points for name, mark in outcome.marks.items()}
    ok = points == {"patched": 0.0, "honest": 1.0}
    told = "it got no points" if ok else f"{outcome.status} {outcome.reason} {points} {outcome.output[-200:]}"
    return Finding("make every comparison true", ok, told)


def _doubles(name: str) -> Callable[..., Sequence[Case]]:
    return lambda _, rng: [Case(name, (x := rng.standard_normal(3),), 2 * x)]


def _bytes(path: Path) -> bytes:
    with contextlib.suppress(OSError):
        return path.read_bytes()
    return b""


QUICK = (_read, _write, _connect, _survive)
ATTACKS = (*QUICK, _allocate, _fork, _flood, _patch)
