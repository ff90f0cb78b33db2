"""Does depth help who writes down connected digits, read in one direction or in both, at equal parameters?"""

import statistics
from collections.abc import Sequence
from functools import cache

import torch
from torch import nn

from course_lib.cells import LSTMCell
from course_lib.data import digits
from course_lib.data.batch import Batch
from course_lib.experiments.experiment import Experiment, Metrics, Setting, exactly, fit_whole
from course_lib.experiments.fairness import count, width_for
from course_lib.models import FrameTagger, ctc_loss
from course_lib.relatives.bidirectional import BidirectionalStack
from course_lib.stack import Stack, plain, residual
from course_lib.training import Settings

STACKS = {"one": Stack, "both": BidirectionalStack}
CONNECTIONS = {"plain": plain, "residual": residual}
BUDGET, RATES, STEPS = 40_000, (0.01, 0.03), 300
STRINGS, BATCH, JUDGED = 2000, 16, 200
STUCK = 0.95  # of all digits wrong: CTC's first plateau, where every step is blank


def run(setting: Setting, seed: int) -> Metrics:
    """Train once a rate, choose by the validation speaker's errors, test the chosen model on another speaker."""
    with exactly(seed, torch.float32):
        width = width_for(BUDGET, lambda width: _make(setting, width))
        batches = digits.batches("train", min(STRINGS, BATCH * setting["steps"]), BATCH, seed)
        models = {rate: _train(setting, width, batches, Settings(setting["steps"], rate, seed=seed)) for rate in RATES}
        valid = {rate: measure(model, "valid") for rate, model in models.items()}
        rate = min(valid, key=lambda rate: (valid[rate]["digits"], valid[rate]["loss"]))
        return {
            **measure(models[rate], "test"),
            "rate": rate,
            "valid": [each["digits"] for each in valid.values()],
            "valid_loss": [each["loss"] for each in valid.values()],
            "stuck": sum(not each["digits"] < STUCK for each in valid.values()),
            "failed": int(not valid[rate]["digits"] < STUCK),
            "parameters": count(models[rate]),
            "width": width,
        }


@torch.no_grad()
def measure(model: nn.Module, split: str) -> dict[str, float]:
    """The share of digits that are wrong, and CTC's loss in nats a digit."""
    batches = _judged(split)
    loss = statistics.fmean(ctc_loss(model, batch).item() for batch in batches)
    return {"digits": digits.digit_error_rate(model, batches), "loss": loss}


@cache
def _judged(split: str) -> Sequence[Batch]:
    """The same strings for every run."""
    return digits.batches(split, JUDGED, 50, seed=1_000_000)


def _make(setting: Setting, width: int) -> FrameTagger:
    kind, connection = STACKS[setting["direction"]], CONNECTIONS[setting["connection"]]
    stack = kind.uniform(LSTMCell, digits.WIDTH, width, setting["layers"], connection=connection)
    return FrameTagger(stack, 1 + len(digits.DIGITS))


def _train(setting: Setting, width: int, batches: Sequence[Batch], settings: Settings) -> FrameTagger:
    torch.manual_seed(settings.seed)  # every rate starts from the same weights
    model = _make(setting, width)
    fit_whole(model, batches, ctc_loss, settings)
    return model


ROWS = [("one", "plain", 1), *(("one", "residual", layers) for layers in (2, 3, 5))]
ROWS += [("both", "plain", 1), *(("both", "residual", layers) for layers in (2, 3, 5)), ("both", "plain", 3)]
EXPERIMENT = Experiment(
    name="digits",
    question="Does depth help who writes down connected digits, in one direction or in both, at equal parameters?",
    run=run,
    settings=(
        {"direction": "one", "connection": "residual", "layers": 2, "steps": 5},
        *({"direction": way, "connection": skip, "layers": layers, "steps": STEPS} for way, skip, layers in ROWS),
    ),
    tolerance=1e-2,  # of a thousand digits, a few stand between two symbols
)
