"""What every candidate gets and gives back: weights and input in torch's layout, a job with numbers to compare."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy
import torch
from torch import Tensor, nn

from course_lib.bench.shapes import Shape

MODULES = {"LSTM": nn.LSTM, "GRU": nn.GRU, "RNN": nn.RNN}
NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


@dataclass(frozen=True)
class Task:
    """One cell in one shape, in float32: the torch module whose weights all share, and x, (time, batch, input)."""

    cell: str
    shape: Shape
    module: nn.RNNBase
    x: Tensor

    def weights(self, layer: int) -> list[Tensor]:
        """W_ih, W_hh, b_ih, b_hh of a layer, counted from 0, detached."""
        return [getattr(self.module, f"{name}_l{layer}").detach() for name in NAMES]


@dataclass(frozen=True)
class Job:
    """What is timed, and how its result is read for comparison, outside the clock.

    ``read`` gives arrays in torch's layout. Forward: what leaves the top layer, (time, batch, hidden). Training: the
    gradients of the output's sum with respect to x and to layer 1's W_hh.
    """

    run: Callable[[], object]
    read: Callable[[object], Sequence[numpy.ndarray]]


def make_task(cell: str, shape: Shape, seed: int = 0) -> Task:
    """Random weights as torch.nn draws them, and normal x. The caller's random numbers stay as they were."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        sizes = (shape.hidden_size, shape.hidden_size, shape.num_layers)
        module = MODULES[cell](*sizes, dtype=torch.float32)
        x = torch.randn(shape.steps, shape.batch, shape.hidden_size, dtype=torch.float32)
    return Task(cell, shape, module, x)


def torch_job(
    output: Callable[[Tensor], object], parameters: Sequence[Tensor], first: Tensor, x: Tensor, mode: str
) -> Job:
    """The job of a computation in torch: ``output(x)`` alone, or with the gradients of its sum, made afresh.

    ``first`` is layer 1's W_hh, one of the parameters.
    """
    if mode == "forward":

        def forward() -> object:
            with torch.no_grad():
                return output(x)

        return Job(forward, lambda found: [found.numpy()])
    leaf = x.clone().requires_grad_()

    def train() -> tuple[Tensor, Tensor]:
        for each in (leaf, *parameters):
            each.grad = None
        output(leaf).sum().backward()
        return leaf.grad, first.grad

    return Job(train, lambda found: [each.numpy() for each in found])
