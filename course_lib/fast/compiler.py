"""C++ to a library that Python can call: compiled once for this processor, kept in the cache folder."""

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from course_lib.cache import cache_folder

FLAGS = ("-std=c++17", "-O3", "-march=native", "-fPIC")
PATIENCE = 300  # seconds for the compiler; it needs about 5


class CompilerError(RuntimeError):
    """Why there is no library, in one sentence."""


def load_library(source: Path) -> ctypes.CDLL:
    """The compiled source, loaded. It is built on first use; later processes find it in the cache folder.

    The file's name is a digest of source, flags, compiler's name and processor. Each process builds in a folder of its
    own and moves the whole file to its place, so two may build at once and a killed one leaves nothing that is loaded.
    Errors: CompilerError if there is no compiler, or it fails, or the cache folder cannot be used.
    """
    try:
        folder = cache_folder() / "compiled"
        library = folder / f"{source.stem}-{_digest(source)}.so"
        if not library.exists():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            _build(source, library)
        _check_owner(library)
        return ctypes.CDLL(str(library))
    except OSError as error:
        raise CompilerError(f"{source.name} cannot be compiled or loaded: {error}") from error


def compiler() -> str:
    """The C++ compiler: ``$CXX``, else the first of c++, g++ and clang++.

    Errors: CompilerError if there is none.
    """
    # Apple's c++ without its tools is a window that offers to install them.
    is_stub = sys.platform == "darwin" and subprocess.run(["xcode-select", "-p"], capture_output=True).returncode
    names = [os.environ.get("CXX") or "", *([] if is_stub else ["c++", "g++", "clang++"])]
    for name in names:
        if name and (path := shutil.which(name)):
            return path
    raise CompilerError("no C++ compiler is installed (g++ or clang++)")


def _build(source: Path, library: Path) -> None:
    """Compile with OpenMP, without its library: torch has loaded one, and two would fight for the cores."""
    told = ""
    path = compiler()
    for extra in (["-fopenmp"], []):
        with tempfile.TemporaryDirectory(dir=library.parent, prefix="building-") as folder:
            thing, made = f"{folder}/{source.stem}.o", f"{folder}/{source.stem}.so"
            commands = [[path, *FLAGS, *extra, "-c", str(source), "-o", thing], [path, "-shared", thing, "-o", made]]
            told = _run(commands) or _loading(made)
            if not told:
                os.replace(made, library)
                return
    raise CompilerError(f"{path} failed on {source.name}: {told}")


def _run(commands: list[list[str]]) -> str:
    """Nothing, or the last line of what the first command that failed said."""
    for command in commands:
        try:
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            return f"it took longer than {PATIENCE} s"
        if done.returncode:
            return (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    return ""


def _loading(library: str) -> str:
    """Nothing, or why the library cannot be loaded: an OpenMP function that torch's library lacks."""
    try:
        ctypes.CDLL(library)
    except OSError as error:
        return str(error)
    return ""


def _digest(source: Path) -> str:
    name = os.environ.get("CXX") or "c++"
    words = (source.read_bytes(), " ".join(FLAGS).encode(), name.encode(), _processor().encode())
    return hashlib.sha256(b"\0".join(words)).hexdigest()[:16]


def _processor() -> str:
    """Model and instruction sets: a home folder may be shared by machines of several kinds."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    return "\n".join(sorted({line for line in lines if line.startswith(("model name", "flags", "Features"))}))


def _check_owner(library: Path) -> None:
    """A library is code: it must come from this user or the administrator."""
    if hasattr(os, "getuid") and library.stat().st_uid not in (os.getuid(), 0):
        raise CompilerError(
            f"{library} belongs to another user and is not loaded; name a folder of yours in COURSE_CACHE"
        )
