"""How slow is each layer of a stack that nobody has trained?"""

import torch

from course_lib import timescales
from course_lib.cells import GRUCell, LSTMCell, RNNCell
from course_lib.experiments.experiment import Experiment, Metrics, Setting, exactly
from course_lib.relatives.clocked import ClockedStack
from course_lib.stack import Stack

CELLS = {"vanilla": RNNCell, "gru": GRUCell, "lstm": LSTMCell}
WIRINGS = {"plain": Stack, "clocked": ClockedStack}
WIDTH, NUM_LAYERS, NUM_STEPS, SETTLED, NUM_LAGS = 64, 5, 3000, 200, 60


def run(setting: Setting, seed: int) -> Metrics:
    """Autocorrelation times, relative step changes and gradient lags of layers 1..5, reading white noise.

    The first 200 of the 3,000 steps, in which the states leave zero, do not count; lags are over the last 60.
    """
    with exactly(seed):
        stack = WIRINGS[setting["wiring"]].uniform(CELLS[setting["cell"]], WIDTH, WIDTH, NUM_LAYERS)
        noise = torch.randn(NUM_STEPS, 1, WIDTH)
        with torch.no_grad():
            rows = [row[SETTLED:] for row in stack.rows(noise)]
        return {
            "times": [timescales.autocorrelation_time(row) for row in rows],
            "changes": [timescales.relative_step_change(row) for row in rows],
            "lags": timescales.gradient_lags(stack, noise[-NUM_LAGS:]),
        }


EXPERIMENT = Experiment(
    name="timescales",
    question="How slow is each layer of an untrained stack, plain and with a clock?",
    run=run,
    settings=tuple({"wiring": wiring, "cell": cell} for wiring in WIRINGS for cell in CELLS),
)
