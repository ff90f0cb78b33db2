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

    The file's name holds two digests: of source, flags, compiler's name and processor, and of the library itself, so
    that a damaged one is built anew. Each process builds in a folder of its own and moves the whole file to its place:
    two may build at once, and a killed one leaves nothing that is loaded.
    Errors: CompilerError if there is no compiler, or it fails, or the cache folder cannot be used.
    """
    try:
        folder, stem = cache_folder() / "compiled", f"{source.stem}-{_digest(source)}"
        library = _kept(folder, stem)
        if library is None:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            library = _build(source, folder, stem)
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


def _kept(folder: Path, stem: str) -> Path | None:
    """The library in the cache folder, whole: loading a file that was cut off can end the process."""
    return next((each for each in sorted(folder.glob(f"{stem}-*.so")) if each == _place(folder, stem, each)), None)


def _place(folder: Path, stem: str, library: Path) -> Path:
    return folder / f"{stem}-{hashlib.sha256(library.read_bytes()).hexdigest()[:16]}.so"


def _build(source: Path, folder: Path, stem: str) -> Path:
    """Compile with OpenMP, without its library: torch has loaded one, and two would fight for the cores."""
    told = ""
    path = compiler()
    for extra in (["-fopenmp"], []):
        with tempfile.TemporaryDirectory(dir=folder, prefix="building-") as building:
            thing, made = f"{building}/{source.stem}.o", f"{building}/{source.stem}.so"
            commands = [[path, *FLAGS, *extra, "-c", str(source), "-o", thing], [path, "-shared", thing, "-o", made]]
            told = _run(commands) or _loading(made)
            if not told:
                library = _place(folder, stem, Path(made))
                os.replace(made, library)
                return library
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
