"""How deep should a stack be that pronounces words, at equal parameters?"""

import statistics
from collections.abc import Sequence
from functools import cache

import torch
from torch import nn

from course_lib.data import pronunciation
from course_lib.data.batch import Batch
from course_lib.data.pronunciation import Word
from course_lib.experiments.depth import Contest
from course_lib.experiments.experiment import Experiment
from course_lib.models import ctc_loss

WORDS, BATCH, JUDGED = 20_000, 32, 1000


@cache
def words(split: str, number: int) -> tuple[Word, ...]:
    """The first words of a split."""
    return pronunciation.load(split, number)


def train(seed: int, steps: int) -> Sequence[Batch]:
    """All 20,000 words in batches of similar length; an epoch is 625 steps."""
    return pronunciation.batches(words("train", WORDS), BATCH, seed)


def measure(model: nn.Module, split: str) -> dict[str, float]:
    """CTC loss in nats a phone, and the shares of phones and of words that are wrong."""
    judged = words(split, JUDGED)
    loss = statistics.fmean(ctc_loss(model, batch).item() for batch in pronunciation.batches(judged, 250))
    rates = pronunciation.error_rates(pronunciation.say(model, [word.spelling for word in judged]), judged)
    return {"loss": loss, "phones": rates.phones, "words": rates.words}


CONTEST = Contest(
    task="words",
    symbols=27,
    answers=1 + len(pronunciation.PHONES),
    budget=20_000,
    steps=1000,
    rates=(0.01, 0.03),
    train=train,
    loss=ctc_loss,
    validate=lambda model: measure(model, "valid"),
    test=lambda model: measure(model, "test"),
    failed=lambda valid: not valid["phones"] < 0.95,  # CTC's first plateau: all slots are blank
    delay=6,
    dtype=torch.float32,
)
EXPERIMENT = Experiment(
    name="depth_words",
    question="How deep should a stack be that pronounces words, at equal parameters?",
    run=CONTEST.run,
    settings=CONTEST.settings(),
    tolerance=1e-3,
)
