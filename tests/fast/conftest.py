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


@pytest.fixture
def threads():
    """Sets the number of threads; afterwards it is what it was."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)
