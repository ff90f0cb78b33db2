"""Compile a C++ file once and load it; stands in until course_lib.fast has its own."""

import ctypes
import hashlib
import pathlib
import shutil
import subprocess
import tempfile

FLAGS = ["-O3", "-march=native", "-mprefer-vector-width=512", "-shared", "-fPIC"]


def load_library(source: pathlib.Path) -> ctypes.CDLL | None:
    """The library of a C++ file, compiled for this machine; None without a compiler or if it refuses the file."""
    compiler = shutil.which("g++")
    if compiler is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        library = pathlib.Path(folder) / f"{hashlib.sha1(source.read_bytes()).hexdigest()[:12]}.so"
        done = subprocess.run([compiler, *FLAGS, "-o", library, source], capture_output=True, check=False)
        return ctypes.CDLL(str(library)) if done.returncode == 0 else None
