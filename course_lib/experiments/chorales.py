"""How well does one recurrent layer predict chorales and tunes with chords, against the published numbers?"""

import copy
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from course_lib.cells import GRUCell, LSTMCell, RNNCell
from course_lib.data import chorales
from course_lib.data.batch import Batch
from course_lib.data.chorales import KEYS, chorale_loss, negative_log_likelihood
from course_lib.experiments.experiment import Experiment, Metrics, Setting, exactly, fit_whole
from course_lib.experiments.fairness import count, width_for
from course_lib.models import FrameTagger
from course_lib.stack import Stack
from course_lib.training import Settings

CELLS = {"lstm": LSTMCell, "gru": GRUCell, "vanilla": RNNCell}
BUDGET, BATCH, DROPOUT = 200_000, 8, 0.3  # parameters, pieces, share of keys and of units that are dropped
RATES = (0.003, 0.01)


class Player(nn.Module):
    """A stack with dropout below and above it; frames are divided by their spread, lest sparse keys hardly count."""

    def __init__(self, stack: Stack, spread: float):
        super().__init__()
        self.stack, self.dropout, self.spread = stack, nn.Dropout(DROPOUT), spread
        self.input_size, self.output_size = stack.input_size, stack.output_size

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, tuple]:
        output, state = self.stack(self.dropout(x / self.spread), lengths=lengths)
        return self.dropout(output), state


def run(setting: Setting, seed: int) -> Metrics:
    """Nats a frame on the test pieces, frames 2 to T, with the rate and the epoch that validation chose."""
    with exactly(seed, torch.float32):
        pieces = {split: chorales.load(setting["set"], split, setting.get("pieces")) for split in chorales.SPLITS}
        train, valid, test = (chorales.batches(each, BATCH) for each in pieces.values())
        frames = torch.cat(pieces["train"])
        width = width_for(BUDGET, lambda width: make(setting["cell"], width, frames))
        start = make(setting["cell"], width, frames)
        models, lowest, epochs = {}, {}, {}
        for rate in RATES:  # both start from the same weights
            models[rate] = copy.deepcopy(start)
            steps = setting["epochs"] * len(train)
            settings = Settings(steps, rate, weight_decay=0.0, warmup=0.02, seed=seed, validate_every=len(train))
            lowest[rate], epochs[rate] = fit_best(models[rate], train, valid, settings)
        rate = min(RATES, key=lowest.get)
        return {
            "nats": negative_log_likelihood(models[rate].eval(), test),
            "train_nats": negative_log_likelihood(models[rate], train),
            "rate": rate,
            "valid": list(lowest.values()),
            "epoch": epochs[rate],
            "failed": int(not lowest[rate] < marginal(frames, valid)),
            "parameters": count(start),
            "width": start.stack.output_size,
        }


def make(cell: str, width: int, frames: Tensor) -> FrameTagger:
    """One layer of that width, and a read-out that starts at how often each key sounds in these frames.

    From zero, 88 biases would fall more slowly than all units together can push the scores down, and the units would
    saturate on that alone.
    """
    model = FrameTagger(Player(Stack.uniform(CELLS[cell], KEYS, width, 1), frames.std().item()), KEYS)
    with torch.no_grad():
        model.read_out.bias.copy_(log_odds(frames))
    return model


def log_odds(frames: Tensor) -> Tensor:
    """log p/(1 - p) of each key, p how often it sounds; a key that never does is taken for one in 10,000 frames."""
    return frames.mean(0).clamp(1e-4, 1 - 1e-4).logit()


def fit_best(model: nn.Module, train: Sequence[Batch], valid: Sequence[Batch], settings: Settings) -> tuple[float, int]:
    """Train, then go back to the weights of the best validation; its nats a frame, and its epoch.

    A training that diverges has validations before that or none: then infinity and epoch 0.
    """
    lowest, weights = math.inf, copy.deepcopy(model.state_dict())

    def validate(model: nn.Module) -> float:
        nonlocal lowest, weights
        nats = negative_log_likelihood(model, valid)
        if nats < lowest:
            lowest, weights = nats, copy.deepcopy(model.state_dict())
        return nats

    history = fit_whole(model, train, chorale_loss, settings, validate)
    model.load_state_dict(weights)
    scores = [score for _, score in history.scores]
    return lowest, scores.index(lowest) + 1 if lowest in scores else 0


def marginal(frames: Tensor, batches: Sequence[Batch]) -> float:
    """Nats a frame of keys that sound as often as in these frames, whatever sounded before: who stays above failed."""
    return negative_log_likelihood(Constant(log_odds(frames)), batches)


class Constant(nn.Module):
    """The same scores for every frame."""

    def __init__(self, scores: Tensor):
        super().__init__()
        self.scores = scores

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        return self.scores.expand(*x.shape[:2], -1)


EXPERIMENT = Experiment(
    name="chorales",
    question="How well does one recurrent layer predict chorales and tunes with chords, against the published numbers?",
    run=run,
    settings=(
        {"set": "music21", "cell": "vanilla", "pieces": 8, "epochs": 2},
        *({"set": "jsb", "cell": cell, "epochs": 12} for cell in CELLS),
        {"set": "nottingham", "cell": "lstm", "epochs": 6},
    ),
    tolerance=1e-3,
)
