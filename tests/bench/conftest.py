"""The tests of the bench compute as the bench does."""

import pytest

from course_lib.bench.alone import alone


@pytest.fixture(autouse=True)
def one_thread():
    """One thread, one core, and torch as the backend of Keras."""
    with alone():
        yield
