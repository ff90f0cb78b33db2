"""How do the paths of a stack with known edges add up: as one, as their root, or as their number?"""

import math

import torch

from course_lib import gradients, init
from course_lib.cells import RNNCell
from course_lib.experiments.experiment import Experiment, Metrics, Setting, exactly
from course_lib.experiments.untrained import orthogonal_edges, started, uniform
from course_lib.gradients import ALIGNED, ONE_PATH, RANDOM

WIDTH = 32
STARTS = {"orthogonal": orthogonal_edges, "aligned": init.aligned}
SIZES = ((1, 1), (2, 2), (4, 4), (10, 4), (40, 4), (4, 40), (8, 8), (12, 12), (16, 16), (18, 18))  # steps, layers
FACTORS = ((0.4, 0.4), (0.6, 0.6), (0.9, 0.3), (0.3, 0.9), (0.95, 0.31))


def run(setting: Setting, seed: int) -> Metrics:
    """log10 of the gradient: its root mean square over directions, its largest, and what the three regimes say."""
    sizes = setting["a"], setting["b"], setting["steps"], setting["layers"]
    with exactly(seed):
        make = started(uniform(RNNCell), STARTS[setting["start"]], *sizes[:2])
        grid = make(WIDTH, setting["layers"]).grid(torch.zeros(setting["steps"], 1, WIDTH))
        whole = gradients.jacobian(grid.h(setting["layers"], setting["steps"]), grid.h(0, 1))[0]
        return {
            "mean": math.log10(float(whole.norm()) / WIDTH**0.5),
            "largest": math.log10(float(torch.linalg.matrix_norm(whole, 2))),
            **{each.name: math.log10(each.size(*sizes)) for each in (ONE_PATH, RANDOM, ALIGNED)},
        }


EXPERIMENT = Experiment(
    name="regimes",
    question="How do the paths of a stack with known edges add up: as one, as their root, or as their number?",
    run=run,
    settings=tuple(
        {"start": start, "steps": steps, "layers": layers, "a": a, "b": b}
        for start in ("orthogonal", "aligned")
        for (steps, layers), (a, b) in [
            *((size, (1.0, 1.0)) for size in SIZES),
            *(((12, 12), each) for each in FACTORS),
        ]
    ),
)
