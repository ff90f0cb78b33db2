"""Does a layer with several speeds draw a signal with several speeds better than one with one speed?"""

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from course_lib import init
from course_lib.cells import LSTMCell, RNNCell
from course_lib.data.batch import Batch
from course_lib.experiments.experiment import Experiment, exactly, fit_whole
from course_lib.experiments.fairness import count, width_for
from course_lib.relatives.clockwork import ClockworkRNN
from course_lib.stack import Stack
from course_lib.training import Settings

PERIODS = (1, 2, 4, 8, 16, 32)  # of the clockwork's modules
STEPS, BUDGET = 128, 640  # steps of the signal, parameters of every network
NETS = {
    "clockwork": lambda width: ClockworkRNN(1, len(PERIODS) * width, PERIODS),
    "vanilla": lambda width: Stack([RNNCell(1, width)]),
    "lstm": lambda width: Stack([LSTMCell(1, width)]),
    "lstm, forget bias 5": lambda width: init.forget_bias(Stack([LSTMCell(1, width)]), 5.0),
}


class Drawer(nn.Module):
    """A network and a linear read-out of one number a step: (time, batch, 1) in and out."""

    def __init__(self, net: Stack):
        super().__init__()
        self.net, self.read_out = net, nn.Linear(net.output_size, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.read_out(self.net(x)[0])


def signal(num_steps: int) -> Tensor:
    """A sum of a slow, a middling and a fast sine of random phase, variance 1: (time, 1, 1)."""
    time = torch.arange(num_steps)[:, None] / torch.tensor([96.0, 24.0, 6.0])
    wave = torch.sin(2 * math.pi * (time + torch.rand(3))).sum(1)
    return ((wave - wave.mean()) / wave.std(correction=0))[:, None, None]


def run(setting: Mapping[str, object], seed: int) -> dict[str, float]:
    """Mean squared error over the signal's variance after training to draw one signal from no input but silence."""
    with exactly(seed):
        y, make = signal(STEPS), NETS[setting["net"]]
        model = Drawer(make(width_for(BUDGET, lambda width: Drawer(make(width)))))
        batch = Batch(torch.zeros(STEPS, 1, 1), y, torch.tensor([STEPS]))
        settings = Settings(setting["steps"], setting["learning_rate"], weight_decay=0.0, seed=seed)
        fit_whole(model, [batch], error, settings)
        with torch.no_grad():
            return {"error": float(error(model, batch)), "parameters": count(model)}


def error(model: Drawer, batch: Batch) -> Tensor:
    """Mean squared error; the signal's variance is 1."""
    return (model(batch.x) - batch.y).square().mean()


# From 0.003, 0.01, 0.03 and 0.1 by fairness.best_rate on seeds 100 and 101.
RATES = {"clockwork": 0.1, "vanilla": 0.003, "lstm": 0.01, "lstm, forget bias 5": 0.03}
EXPERIMENT = Experiment(
    name="clockwork",
    question="Does a layer with several speeds draw a signal with several speeds better than a layer with one speed?",
    run=run,
    settings=(
        {"net": "vanilla", "steps": 100, "learning_rate": RATES["vanilla"]},
        *({"net": net, "steps": 500, "learning_rate": rate} for net, rate in RATES.items()),
    ),
)
