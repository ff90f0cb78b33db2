"""How far do small stacks come on the published pronunciation split, by depth and direction, at equal parameters?"""

import copy
from collections.abc import Sequence
from functools import cache

import torch

from course_lib.cells import LSTMCell
from course_lib.data import pronunciation
from course_lib.data.batch import Batch
from course_lib.data.pronunciation import PUBLISHED_LETTERS, Word
from course_lib.experiments.experiment import Experiment, Metrics, Setting, exactly, fit_whole
from course_lib.experiments.fairness import count, width_for
from course_lib.models import Tagger, ctc_loss
from course_lib.relatives.bidirectional import BidirectionalStack
from course_lib.stack import Stack, residual
from course_lib.training import Settings

BUDGET, EMBEDDING, BATCH, RATES = 60_000, 32, 128, (0.01, 0.03)
WORDS, STEPS = 106_837, 842  # all; one epoch
DIRECTIONS = {"one": (Stack, 6), "both": (BidirectionalStack, 0)}  # one way, the answer waits for three letters


@cache
def words(split: str, limit: int) -> tuple[Word, ...]:
    """One part of the published split, no more than its first so many words."""
    return pronunciation.load_published(split)[:limit]


@cache
def train_batches(limit: int) -> Sequence[Batch]:
    """Every training word with each of its pronunciations, 128 of similar length in a batch: 842 are an epoch."""
    pairs = [Word(word.spelling, (spoken,)) for word in words("train", limit) for spoken in word.pronunciations]
    return pronunciation.batches(pairs, BATCH, letters=PUBLISHED_LETTERS)


def run(setting: Setting, seed: int) -> Metrics:
    """Choose the rate after a tenth of the steps, train with it from the same start, read the test set once.

    Of the test words: ``loss`` is CTC's, in nats a phone; ``phones`` and ``words`` are the shares of wrong phones and
    of wrong words, against the nearest pronunciation. ``valid`` is the loss on the validation words after a tenth of
    the steps, which chooses, one entry for each rate; ``valid_words`` is their share of wrong words at the end.
    """
    with exactly(seed, torch.float32):
        width = width_for(BUDGET, lambda width: make(setting, width))
        start, steps, limit = make(setting, width), setting["steps"], setting["words"]
        tried = [trained(start, Settings(max(1, steps // 10), rate, seed=seed), limit) for rate in RATES]
        valid = [measure(model, "valid", limit)["loss"] for model in tried]
        rate = RATES[valid.index(min(valid))]
        model = trained(start, Settings(steps, rate, seed=seed), limit)
        test = measure(model, "test", limit)
        return {
            **test,
            "valid_words": measure(model, "valid", limit)["words"],
            "rate": rate,
            "valid": valid,
            "failed": int(not test["phones"] < 0.95),  # CTC's first plateau: all slots are blank
            "parameters": count(model),
            "width": width,
        }


def make(setting: Setting, width: int) -> Tagger:
    """A residual LSTM stack of that width, in each direction where it reads both, that tags letters with phones."""
    kind, delay = DIRECTIONS[setting["direction"]]
    stack = kind.uniform(LSTMCell, EMBEDDING, width, setting["layers"], connection=residual)
    return Tagger(stack, 1 + len(PUBLISHED_LETTERS), 1 + len(pronunciation.PHONES), delay)


def trained(start: Tagger, settings: Settings, limit: int) -> Tagger:
    """A copy of the start after its training."""
    model = copy.deepcopy(start)
    fit_whole(model, train_batches(limit), ctc_loss, settings)
    return model


@torch.no_grad()
def measure(model: Tagger, split: str, limit: int) -> dict[str, float]:
    """Loss and errors on the words of a part, the best phone a slot."""
    judged = words(split, limit)
    made = pronunciation.batches(judged, 1000, letters=PUBLISHED_LETTERS)
    loss = sum(ctc_loss(model, batch).item() * len(batch.lengths) for batch in made) / len(judged)
    said = pronunciation.say(model, [word.spelling for word in judged], PUBLISHED_LETTERS)
    rates = pronunciation.error_rates(said, judged)
    return {"loss": loss, "phones": rates.phones, "words": rates.words}


EXPERIMENT = Experiment(
    name="published_words",
    question="How far do small LSTM stacks come on the published pronunciation split, by depth and direction?",
    run=run,
    settings=(
        {"direction": "both", "layers": 2, "steps": 10, "words": 300},
        *(
            {"direction": direction, "layers": layers, "steps": STEPS, "words": WORDS}
            for direction in DIRECTIONS
            for layers in (1, 2, 3)
        ),
    ),
    tolerance=1e-3,
)
