"""How deep should a stack be that writes folk tunes character by character, at equal parameters?"""

import statistics
from collections.abc import Sequence
from functools import cache

import torch
from torch import nn

from course_lib.data import tunes
from course_lib.data.batch import Batch
from course_lib.experiments.depth import Contest
from course_lib.experiments.experiment import Experiment
from course_lib.models import cross_entropy

LENGTH, BATCH = 50, 16


@cache
def batches(split: str, batch_size: int) -> Sequence[Batch]:
    """The tunes of a split in pieces of 50 characters."""
    return tunes.batches(tunes.load(split), LENGTH, batch_size)


@cache
def unigram_nats() -> float:
    """The loss of who knows how frequent each character is and no more: the entropy of the training text."""
    text = torch.cat([batch.y.flatten() for batch in batches("train", BATCH)])
    frequencies = torch.bincount(text).double() / len(text)
    return torch.special.entr(frequencies).sum().item()


def measure(model: nn.Module, split: str) -> dict[str, float]:
    """Nats a character, each piece read from an empty state."""
    return {"loss": statistics.fmean(cross_entropy(model, batch).item() for batch in batches(split, 256))}


CONTEST = Contest(
    task="tunes",
    symbols=len(tunes.SYMBOLS),
    answers=len(tunes.SYMBOLS),
    budget=20_000,
    steps=400,
    rates=(0.01, 0.03),
    train=lambda seed, steps: batches("train", BATCH),
    loss=cross_entropy,
    validate=lambda model: measure(model, "valid"),
    test=lambda model: measure(model, "test"),
    failed=lambda valid: not valid["loss"] < 0.95 * unigram_nats(),
    dtype=torch.float32,
    side_by_side=("vanilla", "gru"),
)
EXPERIMENT = Experiment(
    name="depth_tunes",
    question="How deep should a stack be that writes folk tunes character by character, at equal parameters?",
    run=CONTEST.run,
    run_seeds=CONTEST.run_seeds,
    settings=CONTEST.settings(),
    tolerance=1e-3,
)
