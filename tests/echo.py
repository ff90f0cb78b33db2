"""A small task and a small model, shared by the tests of the training loop."""

import contextlib
import copy

import torch
from torch.optim.optimizer import register_optimizer_step_pre_hook

from course_lib import RNNCell, Stack
from course_lib.data import Batch
from course_lib.models import Tagger


def make(dropout=0.0):
    """A small model, always with the same weights."""
    torch.manual_seed(1)
    return Tagger(Stack.uniform(RNNCell, 4, 8, 2, dropout=dropout), 4, 4)


def echo(num_batches=3):
    """The task: say the symbol before this one. Batch b is b + 1 sequences wide, so that it can be told."""
    xs = [torch.randint(4, (6, b + 1)) for b in range(num_batches)]
    lengths = [torch.full((b + 1,), 6) for b in range(num_batches)]
    return [Batch(x, torch.cat([x[:1] * 0, x[:-1]]), each) for x, each in zip(xs, lengths)]


def weights(model):
    """A copy of all weights."""
    return copy.deepcopy(dict(model.state_dict()))


def counting(loss, calls):
    """The loss; each call first goes to ``calls(number, model, batch)``, numbers from 1."""
    numbers = iter(range(1, 10_000))

    def counted(model, batch):
        calls(next(numbers), model, batch)
        return loss(model, batch)

    return counted


def interrupt_at(when):
    """Press Ctrl-C at that number."""

    def calls(number, *unused):
        if number == when:
            raise KeyboardInterrupt

    return calls


@contextlib.contextmanager
def before_steps(call):
    """Call a function with the optimizer before each of its steps."""
    hook = register_optimizer_step_pre_hook(lambda optimizer, *unused: call(optimizer))
    try:
        yield
    finally:
        hook.remove()
