"""The command line of bubblewrap: what a box can see, and what it cannot."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from course_lib.grading.limits import BoxError, Limits

HOME = "/box"  # the one folder that can be written; it exists only inside
CODE = "/course"
OLDEST = (0, 8)  # --disable-userns
PACKAGE = Path(__file__).resolve().parents[1]
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "HOME": HOME,
    "TMPDIR": HOME,
    "USER": "student",
    "LOGNAME": "student",
    "LANG": "C.UTF-8",
    "PYTHONPATH": CODE,
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUNBUFFERED": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "COURSE_ENGINE": "python",  # there is no compiler in a box, and no cache to read
    "IPYTHONDIR": f"{HOME}/.ipython",
    "MPLCONFIGDIR": HOME,
    "MPLBACKEND": "Agg",
}
MISSING = (
    "bubblewrap is not installed, and without a box no student's code runs; install the package bubblewrap, "
    "for example: sudo apt-get install bubblewrap"
)

REFUSED = (
    "On Ubuntu 24.04, AppArmor blocks them: install an AppArmor profile for bwrap, or run: "
    "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0. Inside Docker, its seccomp filter blocks them: "
    "grade on the machine itself with the container backend."
)


def program() -> str:
    """The path of ``bwrap``. Errors: BoxError if it is missing or too old to close nested user namespaces."""
    path = shutil.which("bwrap")
    if path is None:
        raise BoxError(MISSING)
    said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10).stdout
    found = tuple(int(number) for number in re.findall(r"\d+", said)[:2])
    if found < OLDEST:
        raise BoxError(f"{said.strip() or path} is too old; a box needs bubblewrap 0.8 or newer: use a newer system")
    return path


def options(files: Mapping[str, int], limits: Limits) -> list[str]:
    """All options but the descriptors that control the box; ``files`` has an open descriptor by each name."""
    scratch = ["--size", str(limits.scratch), "--tmpfs"]
    listed = [*_isolation(), *_system(), *scratch, HOME, *scratch, "/dev/shm"]
    folders = readable()
    for folder in folders:
        listed += ["--ro-bind", folder, folder]
    listed += ["--ro-bind", str(PACKAGE), f"{CODE}/{PACKAGE.name}"]
    for name, descriptor in files.items():
        listed += ["--file", str(descriptor), f"{HOME}/{name}"]
    # The root and /dev are in memory as well, and without this could be filled to half of the machine's.
    if not any(folder.startswith("/tmp/") for folder in folders):
        listed += ["--symlink", HOME, "/tmp"]
    listed += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", HOME]
    for name, value in ENVIRONMENT.items():
        listed += ["--setenv", name, value]
    return listed


def readable() -> Sequence[str]:
    """The folders of the Python environment in use that lie outside /usr.

    Errors: BoxError for an environment that is a home folder or the root: all in there could be read.
    """
    given = (sys.prefix, sys.base_prefix, os.path.dirname(os.path.dirname(os.path.realpath(sys.executable))))
    folders = dict.fromkeys(folder for prefix in given for folder in (prefix, os.path.realpath(prefix)))
    for folder in folders:
        if folder in ("/", "/home", "/tmp", os.path.expanduser("~")):
            raise BoxError(f"Python is installed in {folder} itself, which a student's code could read; use a venv")
    return [folder for folder in folders if not f"{folder}/".startswith("/usr/")]


def cure(said: str) -> str:
    """What to do about what bubblewrap said when it could not start."""
    said = " ".join(said.split())[-400:] or "nothing"
    refused = ("namespace", "uid map", "RTM_NEWADDR", "mount proc", "Permission denied", "not permitted")
    if not any(word in said for word in refused):
        return f"the box did not start; bubblewrap said: {said}"
    return f"this machine refuses the user namespaces that a box needs (bubblewrap said: {said}). {REFUSED}"


def _isolation() -> list[str]:
    names = ["--unshare-all", "--unshare-user", "--disable-userns", "--new-session", "--die-with-parent", "--clearenv"]
    return [*names, "--cap-drop", "ALL", "--uid", "65534", "--gid", "65534", "--hostname", "box"]


def _system() -> list[str]:
    listed = ["--ro-bind", "/usr", "/usr", "--proc", "/proc", "--dev", "/dev"]
    for name in ("bin", "sbin", "lib", "lib32", "lib64"):
        path = f"/{name}"
        if os.path.islink(path):
            listed += ["--symlink", os.readlink(path), path]
        elif os.path.isdir(path):
            listed += ["--ro-bind", path, path]
    for path in ("/etc/ld.so.cache", "/etc/fonts"):
        listed += ["--ro-bind-try", path, path]
    return listed
