"""Which layer knows what? Linear read-outs of each layer of a frozen stack, trained and untrained."""

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from course_lib import probing
from course_lib.cells import GRUCell
from course_lib.data import pronunciation, tunes
from course_lib.data.batch import Batch
from course_lib.experiments.experiment import Experiment, Metrics, Setting, exactly, fit_whole
from course_lib.models import Tagger, cross_entropy, ctc_loss
from course_lib.stack import Stack, residual
from course_lib.training import Settings

WIDTH, LAYERS, STEPS, DELAY = 48, 3, 600, 6
TUNE_STEPS = 120
NOTES = "ABCDEFG"


@dataclass(frozen=True)
class Samples:
    """Features of what a network reads and of each layer, (samples, width) each, and labels by name."""

    features: tuple[Tensor, ...]
    labels: dict[str, Tensor]


def word_samples(model: Tagger, split: str, number: int) -> Samples:
    """One sample a word of four letters or more, when the answer for its first letter is due: the fourth is read.

    Labels: the letter read now, the first letter, the word's first phone.
    """
    words = [word for word in pronunciation.load(split, number) if len(word.spelling) >= 4]
    x = torch.stack([pronunciation.encode(word.spelling)[: DELAY + 1] for word in words], dim=1)
    phones = torch.tensor([pronunciation.PHONES.index(word.pronunciations[0][0]) for word in words])
    return Samples(
        tuple(row[-1] for row in nodes(model, x)), {"letter": x[DELAY], "first letter": x[0], "first phone": phones}
    )


def tune_samples(model: Tagger, split: str, number: int) -> Samples:
    """One sample a character of a tune's beginning that names no note: a length, a space, a bar line, a sign.

    Labels: that character; the note named last, A to G in any octave; how many notes of the bar have been read, at
    most eight.
    """
    texts = [tune.text[:TUNE_STEPS] for tune in tunes.load(split, number)]
    texts = [text for text in texts if len(text) == TUNE_STEPS]
    x = torch.stack([tunes.encode(text) for text in texts], dim=1)
    found = [(time, column, *told) for column, text in enumerate(texts) for time, *told in heard(text)]
    times, columns, notes, counts = (torch.tensor(each) for each in zip(*found))
    labels = {"character": x[times, columns], "last note": notes, "place in bar": counts}
    return Samples(tuple(row[times, columns] for row in nodes(model, x)), labels)


def heard(text: str) -> Iterator[tuple[int, int, int]]:
    """At each character of the notes that names none: its place, the note named last, the notes of the bar so far."""
    begins, last, count = tunes.bars(text).tolist(), None, 0
    for time in range(text.index("\n", text.index("K:")), len(text)):
        count = 0 if begins[time] else count
        if text[time].upper() in NOTES:
            last, count = NOTES.index(text[time].upper()), min(count + 1, 8)
        elif last is not None:
            yield time, last, count


@torch.no_grad()
def nodes(model: Tagger, x: Tensor) -> tuple[Tensor, ...]:
    """What is read at each step, and h of each layer, (time, batch, width) each."""
    read = model.embedding(x)
    return read, *model.stack.rows(read)


def read_outs(known: Samples, others: Samples) -> dict[str, list[float]]:
    """For each label the held-out accuracy from what is read and from each layer."""
    return {
        name: [
            probing.accuracy(probing.fit(mine, labels), theirs, others.labels[name])
            for mine, theirs in zip(known.features, others.features, strict=True)
        ]
        for name, labels in known.labels.items()
    }


@dataclass(frozen=True)
class Task:
    """What a stack is trained for, and its samples: how many words or tunes the probes are fitted to and judged on."""

    symbols: int
    answers: int
    delay: int
    batches: Callable[[], list[Batch]]
    loss: Callable[[nn.Module, Batch], Tensor]
    samples: Callable[[Tagger, str, int], Samples]
    fitted: int
    judged: int


TASKS = {
    "words": Task(
        symbols=27,
        answers=1 + len(pronunciation.PHONES),
        delay=DELAY,
        batches=lambda: pronunciation.batches(pronunciation.load("train", 20_000), 64),
        loss=ctc_loss,
        samples=word_samples,
        fitted=6000,
        judged=2000,
    ),
    "tunes": Task(
        symbols=len(tunes.SYMBOLS),
        answers=len(tunes.SYMBOLS),
        delay=0,
        batches=lambda: tunes.batches(tunes.load("train"), 64, 32),
        loss=cross_entropy,
        samples=tune_samples,
        fitted=600,
        judged=150,
    ),
}


def run(setting: Setting, seed: int) -> Metrics:
    """Train a residual GRU stack, freeze it, and read each label off each layer; 0 steps leave it untrained.

    Every label has a list: the held-out accuracy from the embedded symbol, then from h of each layer, bottom to top;
    ``chance NAME`` is that of the commonest label. ``loss`` is the mean of the last 20 trainings' losses, in nats.
    """
    task = TASKS[setting["task"]]
    with exactly(seed):
        stack = Stack.uniform(GRUCell, WIDTH, WIDTH, LAYERS, connection=residual)
        model, losses = Tagger(stack, task.symbols, task.answers, task.delay), []
        if setting["steps"]:
            losses = fit_whole(model, task.batches(), task.loss, Settings(setting["steps"], 0.02, seed=seed)).losses
        known, others = task.samples(model, "train", task.fitted), task.samples(model, "test", task.judged)
        chance = {f"chance {name}": probing.chance(known.labels[name], others.labels[name]) for name in known.labels}
        return {**read_outs(known, others), **chance, **({"loss": statistics.fmean(losses[-20:])} if losses else {})}


EXPERIMENT = Experiment(
    name="probes",
    question="Which layer of a trained stack knows the letter, the phone, the note, the place in the bar?",
    run=run,
    settings=tuple({"task": task, "steps": steps} for steps in (0, STEPS) for task in TASKS),
)
