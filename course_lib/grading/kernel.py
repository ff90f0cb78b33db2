"""What a box asks of the kernel: a process without our environment, its limits, and what it uses."""

import contextlib
import os
import resource
import select
import socket
import subprocess
from collections.abc import Sequence
from io import FileIO
from pathlib import Path

from course_lib.grading.limits import Limits

OPEN_FILES = 256
SPARE = 5  # CPU seconds between the signal of the limit and the kernel's own end, in which the box ends it first


def spawn(
    line: Sequence[str], channel: socket.socket | None, printed: int, inherited: Sequence[int]
) -> subprocess.Popen:
    """Start a program without our environment, which could be read in the box, in a process group of its own."""
    return subprocess.Popen(
        line,
        stdin=channel or subprocess.DEVNULL,
        stdout=channel or printed,
        stderr=printed,
        pass_fds=inherited,
        env={"PATH": "/usr/bin:/bin"},
        start_new_session=True,
    )


def restrict(pid: int, limits: Limits, counted: bool) -> None:
    """Limit a process and all that it starts; ``counted`` memory needs no limit on addresses.

    At the soft limit of its CPU time a process gets a signal that names the reason, at the hard one it is killed.
    """
    wanted = {
        resource.RLIMIT_CPU: (limits.cpu, limits.cpu + SPARE),
        resource.RLIMIT_NPROC: (limits.processes, limits.processes),
        resource.RLIMIT_FSIZE: (limits.file, limits.file),
        resource.RLIMIT_NOFILE: (OPEN_FILES, OPEN_FILES),
        resource.RLIMIT_CORE: (0, 0),
    }
    if not counted:
        wanted[resource.RLIMIT_AS] = (limits.memory, limits.memory)
    for kind, pair in wanted.items():
        _, hard = resource.prlimit(pid, kind)
        top = [value if hard == resource.RLIM_INFINITY else min(value, hard) for value in pair]
        resource.prlimit(pid, kind, (top[0], top[1]))


def awaited(pid: int) -> int | None:
    """The child that a process sleeps for, or None while it does something else."""
    with contextlib.suppress(OSError, IndexError, ValueError):
        folder = Path("/proc") / str(pid)
        child = int((folder / "task" / str(pid) / "children").read_text().split()[0])
        state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
        return child if state == "S" else None
    return None


def spent(pid: int) -> float:
    """CPU seconds that a process and its threads have used; 0 for one that is gone."""
    with contextlib.suppress(OSError, IndexError):
        fields = (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def used(pid: int) -> int:
    """Bytes of memory that a process and all its descendants use, shared pages once."""
    total, waiting = 0, [str(pid)]
    while waiting:
        folder = Path("/proc") / waiting.pop()
        with contextlib.suppress(OSError):
            lines = (folder / "smaps_rollup").read_text().splitlines()
            total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(("Pss:", "SwapPss:")))
        with contextlib.suppress(OSError):
            for thread in (folder / "task").iterdir():
                waiting += (thread / "children").read_text().split()
    return total


def pipe(stack: contextlib.ExitStack) -> tuple[FileIO, FileIO]:
    """The two ends of a pipe, which the stack closes."""
    reader, writer = os.pipe()
    return stack.enter_context(FileIO(reader, "r")), stack.enter_context(FileIO(writer, "w"))


def in_memory(name: str, data: bytes, stack: contextlib.ExitStack) -> int:
    """The descriptor of a file without a place, open at its start."""
    file = stack.enter_context(FileIO(os.memfd_create(name), "r+"))
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]
    file.seek(0)
    return file.fileno()


def ready(descriptor: int, seconds: float) -> bool:
    """Whether there is something to read, or for a process an end, within so many seconds."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(max(0.0, seconds) * 1000))
