"""The kernel built otherwise: under the sanitizers, and for processors with narrower vectors."""

import os
import platform
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from course_lib.fast import compiler, engines
from course_lib.fast.compiler import load_library
from course_lib.fast.kernel import SOURCE, Kernel
from tests.fast.comparison import Case, agree, draw, replaced
from tests.worlds import TORCH

DRIVER = Path(__file__).with_name("driver.cpp")
CHECKED = ("-std=c++17", "-w", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
needs_gcc = pytest.mark.skipif(not shutil.which("g++"), reason="needs g++")
needs_x86 = pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="needs an x86 processor")


@pytest.fixture
def checked(tmp_path):
    """checked(flags, change) -> the process that ran the driver on the source, and the numbers it wrote."""
    if subprocess.run(["g++", "-xc++", *CHECKED, "-", "-o", tmp_path / "empty"], input=b"int main() {}").returncode:
        pytest.skip("needs the sanitizers of g++")

    def run(flags, change=lambda text: text):
        # Small rows are to be shared by threads too; without OpenMP one does the work of all.
        source, program = tmp_path / "kernel.cpp", tmp_path / "driver"
        source.write_text(change(replaced(SOURCE.read_text(), "/ 2000000;", "/ 200;")))
        subprocess.run(["g++", *CHECKED, *flags, f'-DKERNEL="{source}"', str(DRIVER), "-o", program], check=True)
        options = {"ASAN_OPTIONS": "detect_leaks=0", "LD_PRELOAD": ""}
        done = subprocess.run(
            [program, tmp_path / "numbers"], env={**os.environ, **options}, capture_output=True, text=True
        )
        return done, np.fromfile(tmp_path / "numbers")

    return run


@needs_gcc
@needs_x86
def test_the_sanitizers_find_nothing_and_narrow_vectors_give_the_same_numbers(checked):
    """Wide vectors stay inside the arrays, and so do narrow ones; at most the rounding of float32 is between them."""
    results = []
    for flags in (["-march=native"], ["-march=x86-64"]):
        done, numbers = checked(flags)
        assert (done.returncode, done.stderr) == (0, "")
        results.append(numbers)
    np.testing.assert_allclose(*results, rtol=1e-4, atol=1e-4)


@needs_gcc
def test_the_sanitizers_find_a_number_too_far(checked):
    loop = "for (int64_t lane = 0; lane < left; lane++) to[lane]"
    done, _ = checked([], lambda text: replaced(text, loop, loop.replace("< left", "<= left")))
    assert "heap-buffer-overflow" in done.stderr


@needs_gcc
@needs_x86
@pytest.mark.parametrize("processor", ["x86-64", "haswell"])
def test_processors_with_narrower_vectors_compute_the_rows(processor, tmp_path, monkeypatch):
    if processor == "haswell" and "avx2" not in compiler._processor():
        pytest.skip("needs AVX2")
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    monkeypatch.setattr(compiler, "FLAGS", ("-std=c++17", "-O1", f"-march={processor}", "-w", "-fPIC"))
    library = load_library(SOURCE)
    assert library.vector_bytes() == {"x86-64": 16, "haswell": 32}[processor]
    kernels = {(cell, dtype): Kernel(library, cell, dtype) for cell in TORCH for dtype in engines.DTYPES}
    monkeypatch.setattr(engines, "_kernels", lambda: kernels)
    for cell in TORCH:
        for dtype in (torch.float32, torch.float64):
            for shape in ((1, 1, 1, 1), (3, 9, 5, 4), (18, 17, 13, 60)):
                agree(draw(Case(cell, *shape, dtype, padded=True)))
