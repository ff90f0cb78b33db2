"""The verdict on the machine: what it says when it is fast, and when it is slow."""

import dataclasses

import torch

from course_lib import default_device, machine


def test_a_check_trains_once_at_least_and_tells_what_it_found():
    report = machine.check(seconds=0.0)
    assert report.milliseconds > 0
    assert (report.torch, report.threads) == (torch.__version__, torch.get_num_threads())
    assert report.device == str(default_device())
    text = repr(report)
    assert machine.ENGINES[report.engine] in text
    assert all(getattr(report, name) in text for name in ("python", "torch", "numpy", "matplotlib", "device"))


def test_the_verdict_turns_at_one_minute():
    report = machine.check(seconds=0.0)
    fast = dataclasses.replace(report, milliseconds=0.99 * 60_000 / machine.LESSON_STEPS)
    slow = dataclasses.replace(report, milliseconds=1.01 * 60_000 / machine.LESSON_STEPS)
    assert fast.ready
    assert "Ready: the longest training, in lesson 02, will take about 59 s here." in repr(fast)
    assert not slow.ready
    assert "slowly" in repr(slow)
    assert "61 s" in repr(slow)


def test_the_check_leaves_no_trace():
    state = torch.get_rng_state()
    torch.set_default_dtype(torch.float32)
    machine.check(seconds=0.0)
    assert torch.get_default_dtype() == torch.float32
    assert torch.equal(torch.get_rng_state(), state)
