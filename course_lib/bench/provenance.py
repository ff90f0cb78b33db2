"""Where and with what was it measured? The machine, as far as it tells, and the versions."""

import os
import platform
import subprocess
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

import torch

from course_lib import fast
from course_lib.fast.compiler import CompilerError, compiler
from course_lib.version import __version__

CPUINFO, CACHES = Path("/proc/cpuinfo"), Path("/sys/devices/system/cpu/cpu0/cache")


def machine() -> dict[str, object]:
    """The processor's model, its cores, its caches, the system, and how busy the machine was (average of a minute)."""
    load = round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None
    return {
        "processor": _model(),
        "cores": os.cpu_count(),
        "caches": _caches(),
        "system": f"{platform.system()} {platform.machine()}",
        "load": load,
    }


def _model() -> str:
    """The name in /proc/cpuinfo, else what Python knows."""
    if CPUINFO.is_file():
        for line in CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _caches() -> dict[str, str]:
    """The sizes of the first core's caches, such as {"L1 data": "48K"}; empty where the system does not tell."""
    found = {}
    for folder in sorted(CACHES.glob("index*")):
        try:
            level, kind, size = ((folder / name).read_text().strip() for name in ("level", "type", "size"))
        except OSError:
            continue
        if kind != "Instruction":
            found[f"L{level}" if kind == "Unified" else f"L{level} {kind.lower()}"] = size
    return found


def versions(peers: Iterable[str]) -> dict[str, str]:
    """Python, what the course stands on, the compiler, the engine of its rows, and the installed ones of ``peers``."""
    found = {"python": platform.python_version(), "course_lib": __version__, "torch": torch.__version__}
    found["numpy"] = metadata.version("numpy")
    for name in peers:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    said = _compiler()
    return found | ({"compiler": said} if said else {}) | {"engine": fast.name()}


def _compiler() -> str | None:
    try:
        path = compiler()
    except CompilerError:
        return None
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    return next(iter(said.splitlines()), None)
