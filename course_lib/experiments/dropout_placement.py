"""Where should the dropout go in a stack that over-fits a few tunes, and does early stopping do the same?"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

import torch
from torch import nn

from course_lib.cells import LSTMCell
from course_lib.data import tunes
from course_lib.data.batch import Batch
from course_lib.experiments.experiment import Experiment, Metrics, exactly, fit_whole
from course_lib.experiments.placements import placed
from course_lib.models import Tagger, cross_entropy
from course_lib.stack import Stack
from course_lib.training import Settings

PLACES = ("none", "between", "fresh_h", "fresh_c", "gal", "candidate", "weight_drop")
NUM_TUNES, NUM_HELD_OUT, LENGTH, BATCH = 16, 40, 25, 16
WIDTH, LAYERS, P = 48, 2, 0.4
RATES = (0.003, 0.01, 0.03)
LONG_RATE = 0.01  # the one at which all places are compared without stopping early
MARKS = 20  # how often the validation loss is looked at


@cache
def pieces(split: str) -> tuple[Batch, ...]:
    """The few tunes to learn, or those held out, in pieces of 25 characters, each read from an empty state."""
    if split == "train":
        return tuple(tunes.batches(tunes.load("train", NUM_TUNES), LENGTH, BATCH))
    return tuple(tunes.batches(tunes.load(split, NUM_HELD_OUT), LENGTH, 256))


@torch.no_grad()
def nats(model: nn.Module, split: str) -> float:
    """Nats a character in eval mode."""
    batches = pieces(split)
    return sum(cross_entropy(model, batch).item() for batch in batches) / len(batches)


@dataclass
class Watch:
    """The validation losses of a training, and the weights at the lowest of them."""

    curve: list[float] = field(default_factory=list)
    weights: dict[str, torch.Tensor] = field(default_factory=dict)

    def __call__(self, model: nn.Module) -> float:
        """Measure, and keep the weights of a new best."""
        loss = nats(model, "valid")
        if not self.curve or loss < min(self.curve):
            self.weights = copy.deepcopy(model.state_dict())
        self.curve.append(loss)
        return loss


def run(setting: Mapping[str, object], seed: int) -> Metrics:
    """Train once a rate; the rate and the step to stop at are chosen on validation, and tested once.

    ``curve``, ``long_valid`` and ``long_train`` tell what happens to who does not stop: validation loss in 20 places
    and training loss at the end, at one rate for all.
    """
    with exactly(seed, torch.float32):
        trained = {rate: _train(setting, seed, rate) for rate in RATES}
        best = {rate: min(watch.curve) for rate, (_, watch) in trained.items()}
        rate = min(RATES, key=best.get)
        ends = {rate: nats(model, "train") for rate, (model, _) in trained.items()}
        model, watch = trained[rate]
        model.load_state_dict(watch.weights)
        long_run = trained[LONG_RATE][1].curve
        return {
            "test": nats(model, "test"),
            "best_valid": best[rate],
            "best_step": setting["steps"] * (watch.curve.index(best[rate]) + 1) // len(watch.curve),
            "final_valid": watch.curve[-1],
            "final_train": ends[rate],
            "rate": rate,
            "valid": list(best.values()),
            "curve": long_run,
            "long_valid": long_run[-1],
            "long_train": ends[LONG_RATE],
        }


def _train(setting: Mapping[str, object], seed: int, rate: float) -> tuple[Tagger, Watch]:
    torch.manual_seed(seed)  # every place and rate starts from the same weights
    stack = Stack.uniform(LSTMCell, WIDTH, WIDTH, LAYERS)
    model = Tagger(stack, len(tunes.SYMBOLS), len(tunes.SYMBOLS))
    model.stack = placed(stack, setting["place"], P)
    watch, steps = Watch(), setting["steps"]
    settings = Settings(steps, rate, seed=seed, validate_every=max(steps // MARKS, 1))
    fit_whole(model, pieces("train"), cross_entropy, settings, watch)
    return model, watch


EXPERIMENT = Experiment(
    name="dropout_placement",
    question="Where should the dropout go in a stack of two that over-fits 16 tunes?",
    run=run,
    settings=({"place": "weight_drop", "steps": 5}, *({"place": place, "steps": 300} for place in PLACES)),
    tolerance=1e-3,
)
