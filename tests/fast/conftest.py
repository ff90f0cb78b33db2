"""The engines, one after the other."""

import pytest

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
def alone(one_thread):
    """All of them on one thread."""
