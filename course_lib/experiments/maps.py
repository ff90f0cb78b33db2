"""How much of the last output's gradient does each node of an untrained stack get?"""

import torch
from torch import Tensor

from course_lib import gradients
from course_lib.experiments.experiment import Experiment, Metrics, Setting, exactly
from course_lib.experiments.untrained import STACKS, last_output_loss

WIDTH, NUM_LAYERS, NUM_STEPS, BATCH_SIZE, LAG = 32, 8, 32, 8, 16


def draw(name: str, of: str = "h") -> Tensor:
    """The gradient map of a stack of 8 layers over 32 steps of white noise, (layers, time)."""
    grid = STACKS[name](WIDTH, NUM_LAYERS).grid(torch.randn(NUM_STEPS, BATCH_SIZE, WIDTH))
    return gradients.gradient_map(last_output_loss(grid), grid, of)


def run(setting: Setting, seed: int) -> Metrics:
    """log10 of the map at three corners, along the last column by layer, and along the top row by lag.

    ``down``: bottom layer, last step. ``back``: top layer, 16 steps earlier. ``far``: bottom layer, first step.
    """
    with exactly(seed):
        found = draw(setting["stack"], setting["of"]).log10()
    return {
        "down": float(found[0, -1]),
        "back": float(found[-1, -1 - LAG]),
        "far": float(found[0, 0]),
        "by_layer": found[:, -1].tolist(),
        "by_lag": found[-1].flip(0).tolist(),
    }


EXPERIMENT = Experiment(
    name="maps",
    question="How much of the last output's gradient does each node of an untrained stack get?",
    run=run,
    settings=tuple(
        {"stack": name, "of": of} for name in STACKS for of in ("h", "c") if of == "h" or name.startswith("LSTM")
    ),
)
