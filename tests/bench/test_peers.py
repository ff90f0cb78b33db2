"""Does every candidate compute the stack? Those that are installed agree, and who does not is refused."""

import dataclasses
import subprocess
import sys
import warnings

import numpy
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from course_lib import Stack, residual
from course_lib.bench import agreement, measure
from course_lib.bench.peers import BASE, CANDIDATES, STACK
from course_lib.bench.peers.task import Job, make_task
from course_lib.bench.shapes import CELLS, MODES, Shape, flops
from tests.bench.worlds import TINY

PAIRS = [(name, mode) for name, candidate in CANDIDATES.items() for mode in candidate.modes]


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("plain", [False, True])
def test_the_judge_is_the_stack_in_double_precision(cell, plain):
    task = make_task(cell, TINY)
    stack = Stack(Stack.from_torch(task.module).cells, **({} if plain else {"connection": residual})).double()
    x = task.x.double().requires_grad_()
    grid = stack.grid(x)
    output = torch.stack([grid.up(3, t) for t in range(1, TINY.steps + 1)])
    gradients = torch.autograd.grad(output.sum(), [x, stack.cells[0].weight_hh])
    [forward] = agreement.expected(task, "forward", residual=not plain)
    assert forward == pytest.approx(output.detach().numpy(), abs=1e-5)
    for found, wanted in zip(agreement.expected(task, "training", residual=not plain), gradients):
        assert found == pytest.approx(wanted.numpy(), abs=1e-4)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(("name", "mode"), PAIRS)
def test_every_installed_candidate_agrees(cell, name, mode):
    for package in CANDIDATES[name].packages:
        pytest.importorskip(package, exc_type=ImportError)
    task = make_task(cell, TINY)
    with warnings.catch_warnings():
        if CANDIDATES[name].packages:  # what peers deprecate among themselves is not ours to mend
            warnings.simplefilter("ignore", DeprecationWarning)
        job = CANDIDATES[name].build(task, mode)
        agreement.check(job, agreement.expected(task, mode, CANDIDATES[name].residual))
        again = job.read(job.run())  # gradients are made afresh, not added up
    for found, wanted in zip(again, agreement.expected(task, mode, CANDIDATES[name].residual), strict=True):
        assert found == pytest.approx(wanted, abs=2e-4)


def spoilt(name, spoil):
    """A candidate whose results are changed before they are read."""

    class Spoilt(type(CANDIDATES[name])):
        def build(self, task, mode):
            job = super().build(task, mode)
            return Job(job.run, lambda found: [spoil(each) for each in job.read(found)])

    fields = {field.name: getattr(CANDIDATES[name], field.name) for field in dataclasses.fields(CANDIDATES[name])}
    return Spoilt(**fields)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda found: found + 0.01, "differs by"),
        (lambda found: found * numpy.nan, "differs by nan"),
        (lambda found: found[1:], "shapes"),
    ],
)
@pytest.mark.parametrize("mode", MODES)
def test_a_candidate_that_disagrees_is_named_and_not_timed(mode, spoil, reason):
    candidates = {BASE: CANDIDATES[BASE], STACK: CANDIDATES[STACK], "loop": spoilt("loop", spoil)}
    row = measure.row(make_task("GRU", TINY), mode, 2, candidates, None)
    assert set(row.seconds) == set(row.speed) == {BASE, STACK}
    assert list(row.problems) == ["loop"]
    assert reason in row.problems["loop"]


def test_a_small_error_is_forgiven_and_a_larger_one_is_not():
    task = make_task("LSTM", TINY)
    wanted = agreement.expected(task, "forward", True)
    agreement.check(Job(lambda: None, lambda found: [wanted[0] + 5e-5]), wanted)
    with pytest.raises(agreement.DisagreementError, match=r"more than 0\.0001"):
        agreement.check(Job(lambda: None, lambda found: [wanted[0] + 2e-4]), wanted)


def test_wiring_is_told_apart():
    task = make_task("RNN", TINY)
    with pytest.raises(agreement.DisagreementError):
        agreement.check(CANDIDATES[BASE].build(task, "forward"), agreement.expected(task, "forward", True))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("mode", MODES)
def test_the_operations_are_those_that_torch_counts(cell, mode):
    shape = Shape(3, 8, 2, 6)
    job = CANDIDATES["loop"].build(make_task(cell, shape), mode)
    with FlopCounterMode(display=False) as counter:
        job.run()
    counted = counter.get_total_flops()
    unneeded = 0  # the plain loop has no gradient of the first state to compute: autograd skips those products
    if mode == "training":
        unneeded = flops(cell, shape._replace(steps=1), "forward") // 2
    assert flops(cell, shape, mode) - unneeded == counted


def test_a_task_leaves_the_caller_s_random_numbers_alone():
    before = torch.get_rng_state()
    first, again = make_task("GRU", TINY), make_task("GRU", TINY)
    assert torch.equal(first.x, again.x)
    assert first.x.dtype == first.module.weight_hh_l0.dtype == torch.float32
    assert torch.equal(torch.get_rng_state(), before)


def test_alone_is_one_thread_and_gives_everything_back():
    code = """
import os, torch
from course_lib.bench.alone import alone, usable_cores
torch.set_num_threads(2)
os.environ["KERAS_BACKEND"] = "jax"
before = dict(os.environ), usable_cores()
with alone():
    assert torch.get_num_threads() == 1
    assert os.environ["KERAS_BACKEND"] == "torch"
    assert len(usable_cores()) <= 1
assert torch.get_num_threads() == 2
assert (dict(os.environ), usable_cores()) == before
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
