"""What all tests share: float64, one seed, the shape hook's off switch, and the words for what is skipped."""

import contextlib
import os

import jaxtyping
import pytest
import torch


def pytest_sessionstart():
    """One compiled kernel for the whole run, also for processes with another home; without a compiler, none."""
    from course_lib.cache import cache_folder  # here, behind the hook that checks shapes
    from course_lib.fast.compiler import CompilerError, compiler

    with contextlib.suppress(FileNotFoundError):
        os.environ.setdefault("COURSE_CACHE", str(cache_folder()))
    try:
        compiler()
    except CompilerError:
        os.environ["COURSE_ENGINE"] = "python"


@pytest.fixture(scope="session", autouse=True)
def kernel():
    """Load the kernel before a test names a cache folder of its own."""
    from course_lib import fast

    fast.name()


@pytest.fixture(autouse=True)
def exact():
    """Every test computes in float64 from one seed, unless it says otherwise."""
    before = torch.get_default_dtype()
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


@pytest.fixture
def one_thread():
    """One thread: for operations as small as those of tests, more of them mostly wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def unchecked():
    """Without the shape hook, as a user runs the package: the package's own error messages must speak."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)
