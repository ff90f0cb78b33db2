"""Does a second layer learn what one does not? The inner product of each step's bits with those of the step before."""

import torch
from jaxtyping import Float, Integer
from torch import Tensor, nn

from course_lib.cells import RNNCell
from course_lib.data import synthetic
from course_lib.experiments.experiment import Experiment, Metrics, Setting, exactly, fit_whole
from course_lib.models import cross_entropy
from course_lib.stack import Stack
from course_lib.training import Settings

BATCH_SIZE = 64


class Reader(nn.Module):
    """Bits in, two scores out at every step: a vanilla stack and a linear read-out."""

    def __init__(self, num_bits: int, width: int, num_layers: int):
        super().__init__()
        self.stack = Stack.uniform(RNNCell, num_bits, width, num_layers)
        self.read_out = nn.Linear(width, 2)

    def forward(
        self, x: Float[Tensor, "time batch num_bits"], lengths: Integer[Tensor, " batch"] | None = None
    ) -> Float[Tensor, "time batch 2"]:
        return self.read_out(self.stack(x, lengths=lengths)[0])


def run(setting: Setting, seed: int) -> Metrics:
    """Train on fresh batches, then the share of right answers on 400 new sequences of 50 steps.

    ``bits``, ``width`` and ``layers`` make the network; ``steps``, ``rate`` and ``length``, of the sequences, train it.
    """
    task = synthetic.inner_product(setting["bits"])
    with exactly(seed):
        model = Reader(setting["bits"], setting["width"], setting["layers"])
        batches = task.batches(setting["steps"], setting["length"], BATCH_SIZE, seed)
        settings = Settings(steps=setting["steps"], learning_rate=setting["rate"], weight_decay=0.0, seed=seed)
        fit_whole(model, batches, cross_entropy, settings)
        test = task.sample(50, 400, seed=10_000 + seed)
        with torch.no_grad():
            right = synthetic.accuracy(model(test.x), test.y)
    return {"accuracy": right, "parameters": sum(p.numel() for p in model.parameters())}


def _row(bits: int, width: int, layers: int, **training: float | int) -> Setting:
    return {"bits": bits, "width": width, "layers": layers, **training}


SMALL = {"steps": 1000, "rate": 2e-2, "length": 10}
LARGE = {"steps": 4000, "rate": 1e-2, "length": 10}
EXPERIMENT = Experiment(
    name="separation",
    question="does a stack learn the inner product of two steps where one vanilla layer does not?",
    run=run,
    settings=(
        _row(3, 6, 1, **SMALL),  # equal widths: 80 and 164 parameters
        _row(3, 6, 2, **SMALL),
        _row(3, 4, 2, **SMALL),  # 86 parameters, against 80
        _row(3, 10, 1, **SMALL),  # 172 parameters, against 164
        _row(6, 58, 1, **LARGE),  # 3,946 and 3,878 parameters
        _row(6, 34, 2, **LARGE),
        _row(6, 58, 1, **LARGE | {"length": 40}),  # four times the answers a step
    ),
)
