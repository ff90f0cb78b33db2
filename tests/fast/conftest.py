"""The engines, one after the other."""

import pytest
import torch

from tests.fast.comparison import NAMES, using


@pytest.fixture(params=NAMES)
def engine(request):
    """Each way to compute a row."""
    with using(request.param):
        yield request.param


@pytest.fixture(params=["compiled", "python"])
def own(request):
    """Each way of the package's own."""
    with using(request.param):
        yield request.param


@pytest.fixture(autouse=True)
def one_thread():
    """One thread: for operations this small, more of them mostly wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
