"""Is doubling the depth of an untrained stack like doubling its horizon?"""

import torch

from course_lib import gradients
from course_lib.experiments.experiment import Experiment, Metrics, Setting, exactly
from course_lib.experiments.untrained import STACKS, last_output_loss

WIDTH, BATCH_SIZE = 32, 8
NAMES = ("vanilla", "vanilla, residual", "GRU", "GRU, residual", "LSTM", "LSTM, residual")
SIZES = ((4, 16), (4, 32), (8, 16), (16, 4))  # layers, steps


def run(setting: Setting, seed: int) -> Metrics:
    """log10 of the last output's gradient at h of layer 1 at step 1."""
    with exactly(seed):
        stack = STACKS[setting["stack"]](WIDTH, setting["layers"])
        grid = stack.grid(torch.randn(setting["steps"], BATCH_SIZE, WIDTH))
        return {"far": float(gradients.gradient_map(last_output_loss(grid), grid)[0, 0].log10())}


EXPERIMENT = Experiment(
    name="doubling",
    question="Is doubling the depth of an untrained stack like doubling its horizon?",
    run=run,
    settings=tuple({"stack": name, "layers": layers, "steps": steps} for name in NAMES for layers, steps in SIZES),
)
