"""What lengthens an untrained stack's memory: width, depth, gates that keep more, or longer sequences?"""

import torch

from course_lib import init, timescales
from course_lib.cells import LSTMCell
from course_lib.experiments.experiment import Experiment, Metrics, Setting, exactly
from course_lib.stack import Stack

INPUT_SIZE, NUM_LAYERS, BATCH_SIZE = 16, 5, 2


def run(setting: Setting, seed: int) -> Metrics:
    """Gradient lags of layers 1..5 of an LSTM stack reading white noise, and the parameters of the whole."""
    with exactly(seed):
        stack = Stack.uniform(LSTMCell, INPUT_SIZE, setting["width"], NUM_LAYERS)
        init.forget_bias(stack, setting["forget_bias"])
        noise = torch.randn(setting["steps"], BATCH_SIZE, INPUT_SIZE)
        return {
            "lags": timescales.gradient_lags(stack, noise),
            "parameters": sum(each.numel() for each in stack.parameters()),
        }


BASE = {"width": 32, "forget_bias": 0.0, "steps": 60}
EXPERIMENT = Experiment(
    name="reach",
    question="What lengthens an untrained stack's memory: width, depth, the gates or more steps?",
    run=run,
    settings=(
        BASE,
        BASE | {"width": 8},
        BASE | {"width": 128},
        BASE | {"steps": 240},
        BASE | {"forget_bias": 2.0, "steps": 240},
    ),
)
