"""What all tests share: float64, one seed, the shape hook's off switch, and the words for what is skipped."""

import jaxtyping
import pytest
import torch


@pytest.fixture(autouse=True)
def exact():
    """Every test computes in float64 from one seed, unless it says otherwise."""
    before = torch.get_default_dtype()
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


@pytest.fixture
def unchecked():
    """Without the shape hook, as a user runs the package: the package's own error messages must speak."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)
