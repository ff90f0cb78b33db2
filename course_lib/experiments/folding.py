"""Does depth fold for free? Monotone pieces by layer in vanilla stacks whose weights are drawn, not set."""

import torch

from course_lib import folds
from course_lib.cells import RNNCell
from course_lib.experiments.experiment import Experiment, Metrics, Setting, exactly
from course_lib.stack import Stack

WIDTH, LAYERS, POINTS = 32, 6, 10_001


def run(setting: Setting, seed: int) -> Metrics:
    """The mean number of monotone pieces of a coordinate by layer, along one input x in [-3, 3] at step 1.

    torch's initial weights and biases times ``scale``; the count is of a curve sampled at 10,001 points.
    """
    with exactly(seed):
        stack = Stack.uniform(RNNCell, 1, WIDTH, LAYERS)
        with torch.no_grad():
            for parameter in stack.parameters():
                parameter.mul_(setting["scale"])
        found = folds.pieces_by_layer(stack, torch.linspace(-3, 3, POINTS)[:, None])
    return {"pieces": [layer.double().mean().item() for layer in found]}


EXPERIMENT = Experiment(
    name="folding",
    question="how many monotone pieces has a coordinate of a random vanilla stack, layer by layer?",
    run=run,
    settings=tuple({"scale": scale} for scale in (1.0, 2.0, 4.0, 8.0, 16.0)),
)
