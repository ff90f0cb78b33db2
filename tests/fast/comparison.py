"""A row by an engine against the plain loop in float64: outputs, last state and all gradients."""

import contextlib
from typing import NamedTuple
from unittest import mock

import pytest
import torch

from course_lib import RNNCell, fast
from course_lib.fast import engines, fused

NAMES = ("compiled", "python", "torch")
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-12}


@contextlib.contextmanager
def using(name):
    """Rows by one engine: the compiled kernel, Python by hand, torch's own call."""
    if name == "torch":
        with mock.patch.object(fused, "engine", return_value=None):
            yield
    elif name == "python":
        with fast.python_only(), mock.patch.object(engines, "ENOUGH", 0):  # by hand without gradients, too
            yield
    else:
        need_kernel()
        yield


def need_kernel():
    """Skip where the kernel cannot be compiled."""
    if fast.name() != "compiled":
        pytest.skip("needs a C++ compiler (g++ or clang++)")


def replaced(text, old, new):
    """The text with one passage changed, which must be there once."""
    assert text.count(old) == 1, f"{text.count(old)} times: {old}"
    return text.replace(old, new)


class Case(NamedTuple):
    """One row to compute."""

    cell: type = RNNCell
    input_size: int = 5
    hidden_size: int = 4
    batch_size: int = 3
    num_steps: int = 6
    dtype: torch.dtype = torch.float64
    padded: bool = False


class Drawn(NamedTuple):
    """A case's cell and random numbers; tensors are x, the state's fields and the four weights."""

    cell: torch.nn.Module
    below: torch.Tensor
    state: tuple
    ended: torch.Tensor | None

    @property
    def tensors(self):
        return [self.below, *self.state, *self.cell.parameters()]

    def exact(self):
        """The same numbers in float64."""
        cell = type(self.cell)(self.cell.input_size, self.cell.hidden_size).double()
        cell.load_state_dict(self.cell.state_dict())
        copies = [each.detach().double().requires_grad_(each.requires_grad) for each in (self.below, *self.state)]
        for own, other in zip(cell.parameters(), self.cell.parameters()):
            own.requires_grad_(other.requires_grad)
        return Drawn(cell, copies[0], type(self.state)(*copies[1:]), self.ended)


def draw(case):
    """A cell and random numbers, all of which require gradients."""
    cell = case.cell(case.input_size, case.hidden_size).to(case.dtype)
    below = torch.randn(case.num_steps, case.batch_size, case.input_size, dtype=case.dtype, requires_grad=True)
    fields = [
        torch.randn(case.batch_size, case.hidden_size, dtype=case.dtype, requires_grad=True)
        for _ in cell.state_type._fields
    ]
    lengths = torch.randint(1, case.num_steps + 1, (case.batch_size,))
    ended = torch.arange(case.num_steps)[:, None] >= lengths if case.padded else None
    return Drawn(cell, below, cell.state_type(*fields), ended)


def answers(drawn, row, outputs=None):
    """h and the last state, then the gradients of whatever requires them; ``outputs`` picks what enters the loss."""
    h, last = row(drawn.cell, drawn.below, drawn.state, drawn.ended)
    results = [h, *last]
    used = results if outputs is None else [results[place] for place in outputs]
    torch.manual_seed(99)
    weights = [torch.randn(each.shape, dtype=torch.float64) for each in used]
    sources = [each for each in drawn.tensors if each.requires_grad]
    if not sources:
        return results
    loss = sum((each * weight.to(each.dtype)).sum() for each, weight in zip(used, weights))
    return results + list(torch.autograd.grad(loss, sources, allow_unused=True, materialize_grads=True))


def difference(drawn, outputs=None, threads=1):
    """The largest difference to the plain loop in float64, each tensor in units of its largest number, at least 1."""
    expected = answers(drawn.exact(), fast.looped_row, outputs)
    torch.set_num_threads(threads)
    found = answers(drawn, fast.row, outputs)
    torch.set_num_threads(1)
    return max(map(apart, found, expected))


def apart(found, expected):
    """The largest difference, in units of the largest number expected, at least 1."""
    found, expected = found.detach(), expected.detach()
    if found.shape != expected.shape or not torch.isfinite(found).all():
        return float("inf")
    return ((found - expected).abs().max() / expected.abs().max().clamp(min=1)).item()


def agree(drawn, outputs=None, threads=1):
    """Assert that the row is the plain loop's, to 1e-5 in float32 and 1e-12 in float64."""
    apart = difference(drawn, outputs, threads)
    assert apart < TOLERANCE[drawn.below.dtype], f"differs by {apart:.1e}"
