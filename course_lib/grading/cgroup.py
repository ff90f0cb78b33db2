"""Control groups: the kernel's own limits on the memory and the processes of a whole box, where we may set them."""

import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from course_lib.grading.limits import Limits

ROOT = Path("/sys/fs/cgroup")
OWN = Path("/proc/self/cgroup")
COUNTERS = ("memory.oom_control", "memory.events")


class Cgroup:
    """Folders below our own control group, or none where the system does not let us make any (``held`` is False)."""

    def __init__(self, pids: Sequence[int], limits: Limits, root: Path = ROOT, own: Path = OWN):
        self.folders: list[Path] = []
        for places, settings in _wanted(limits, root, own):
            folder = next((made for place in places if (made := _make(place, settings, pids))), None)
            if folder:
                self.folders.append(folder)
        self.held = any((folder / name).exists() for folder in self.folders for name in COUNTERS)

    def out_of_memory(self) -> bool:
        """Whether the kernel ended a process for its memory."""
        return any(_killed(folder / name) for folder in self.folders for name in COUNTERS)

    def remove(self) -> None:
        """Remove the folders; their processes must be gone, and the kernel may need a moment to notice."""
        for folder in self.folders:
            for _ in range(100):
                try:
                    folder.rmdir()
                    break
                except FileNotFoundError:
                    break
                except OSError:
                    time.sleep(0.02)
        self.folders = []


def _wanted(limits: Limits, root: Path, own: Path) -> Iterator[tuple[list[Path], dict[str, int]]]:
    """Places to try and what to write there: one group in version 2, one for each controller in version 1."""
    with contextlib.suppress(OSError):
        for line in own.read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            mine = path.lstrip("/")
            if not controllers and (root / "cgroup.controllers").exists():
                # A group with processes of its own, as ours is, may have no limited children: its parent may.
                settings = {"memory.max": limits.memory, "memory.swap.max": 0, "pids.max": limits.processes}
                yield [root / mine, (root / mine).parent], settings
            elif controllers == "memory":
                yield [root / "memory" / mine], {"memory.limit_in_bytes": limits.memory, "memory.swappiness": 0}
            elif controllers == "pids":
                yield [root / "pids" / mine], {"pids.max": limits.processes}


def _make(place: Path, settings: dict[str, int], pids: Sequence[int]) -> Path | None:
    """A new group with the settings and the processes in it, or None and no trace."""
    folder = place / f"course-box-{os.getpid()}-{time.monotonic_ns()}"
    try:
        folder.mkdir()
    except OSError:
        return None
    try:
        for name, value in settings.items():
            if "swap" not in name or (folder / name).exists():  # a kernel may not count swap
                (folder / name).write_text(str(value))
        for pid in pids:
            (folder / "cgroup.procs").write_text(str(pid))
    except OSError:
        with contextlib.suppress(OSError):
            folder.rmdir()
        return None
    return folder


def _killed(path: Path) -> bool:
    with contextlib.suppress(OSError):
        return any(line.split()[0] == "oom_kill" and line.split()[1] != "0" for line in path.read_text().splitlines())
    return False
