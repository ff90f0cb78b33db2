"""What lies around the box and must be as before: files, listeners, processes, control groups, temporary folders."""

import contextlib
import hashlib
import os
import socket
import tempfile
import time
from pathlib import Path

import psutil

from course_lib.grading import bubblewrap, sets
from course_lib.grading.cgroup import ROOT


def hashes(*folders):
    """Every file, link and folder below, with its rights and content."""
    found = {}
    for path in sorted(each for folder in folders for each in (Path(folder), *Path(folder).rglob("*"))):
        if "__pycache__" not in path.parts:
            status = path.lstat()
            content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() and status.st_size < 1e8 else ""
            found[str(path)] = (status.st_mode, status.st_uid, content)
    return found


def ours():
    """The course, its problem sets, and the names in the environment."""
    prefix = Path(os.__file__).parent
    return hashes(bubblewrap.PACKAGE, sets.INSTRUCTOR), sorted(os.listdir(prefix))


def processes():
    """This account's processes, without this one and what Python keeps beside it: by number, the command line."""
    found = {}
    for each in psutil.process_iter(["uids", "cmdline"]):
        words = " ".join(each.info["cmdline"] or [])
        if _owner(each) == os.getuid() and each.pid != os.getpid() and "resource_tracker" not in words:
            found[each.pid] = words
    return found


def survivors(before, seconds=5.0):
    """Processes that are new and nobody else's, after they had some seconds to end."""
    end = time.monotonic() + seconds
    while (new := _new(before)) and time.monotonic() < end:
        time.sleep(0.1)
    return new


def _new(before):
    found = processes()
    return {pid: found[pid] for pid in found.keys() - before.keys() if not _is_foreign(pid, before)}


def _is_foreign(pid, before):
    """Whether something else that this account runs has started it; what has lost its parent is ours."""
    with contextlib.suppress(psutil.Error):
        for each in psutil.Process(pid).parents():
            if each.pid in (1, os.getpid()) or each.name() == "systemd":
                return False
            if each.pid in before or _owner(each) != os.getuid():
                return True
    return False


def _owner(process):
    with contextlib.suppress(psutil.Error):
        return process.uids().real
    return None


def shared():
    """Files in shared memory, without the locks that Python keeps there while its pools are alive."""
    return {name for name in os.listdir("/dev/shm") if not name.startswith("sem.mp-")}


def groups():
    return {str(path) for path in ROOT.glob("**/course-box-*")}


class Listeners:
    """Servers on this machine: a port, a socket in a folder, an abstract one; who connected to them."""

    def __init__(self):
        self._stack = contextlib.ExitStack()
        short = self._stack.enter_context(tempfile.TemporaryDirectory(dir="/tmp"))
        self.inet = self._stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        self.unix = self._stack.enter_context(socket.socket(socket.AF_UNIX))
        self.abstract = self._stack.enter_context(socket.socket(socket.AF_UNIX))
        name = f"course-acceptance-{os.getpid()}"
        self.unix.bind(f"{short}/s")
        self.abstract.bind(f"\0{name}")
        self.places = {"port": self.inet.getsockname()[1], "socket": f"{short}/s", "abstract": name}
        self.unix.listen()
        self.abstract.listen()

    def met(self):
        """The connections that were made; closes the listeners."""
        found = []
        for each in (self.inet, self.unix, self.abstract):
            each.settimeout(0.05)
            with contextlib.suppress(TimeoutError):
                found.append(each.accept())
        self._stack.close()
        return found
