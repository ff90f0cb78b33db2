"""Published numbers and what was measured here beside them: who claims what, on which scale, and what differs."""

import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from course_lib.experiments import store


@dataclass(frozen=True)
class Card:
    """One claim of the literature beside what the store holds, and why the two are not one experiment.

    ``claimed`` and ``differs`` are lines as they are shown; ``ours`` computes its lines from the store.
    Errors of ``str(card)``: StoreError where the store lacks a row.
    """

    title: str
    claimed: tuple[str, ...]
    source: str
    ours: Callable[[], Iterator[str]]
    scale: str
    differs: str

    def __str__(self) -> str:
        told = {"claimed": self.claimed, "by": [self.source], "ours": self.ours(), "at": [self.scale]}
        lines = [self.title]
        for label, parts in {**told, "differs": [self.differs]}.items():
            for i, part in enumerate(parts):
                start = f"  {label if i == 0 else '':8}"
                lines += textwrap.wrap(part, 96, initial_indent=start, subsequent_indent=" " * 10)
        return "\n".join(lines)


def percent(experiment: str, metric: str, **setting: object) -> store.Spread:
    """A stored share in percent."""
    return store.Spread(tuple(100 * value for value in store.values(experiment, metric, **setting)))


def words() -> Iterator[str]:
    """Words wrong on the published split, by direction and depth."""
    for direction, name in (("one", "one way"), ("both", "both ways")):
        for layers in (1, 2, 3):
            found = percent("published_words", "words", direction=direction, layers=layers, steps=842)
            yield f"{found:.1f}  LSTM {name}, {layers} layer{'s' * (layers > 1)}"


def chorales() -> Iterator[str]:
    """Nats a frame of one layer on the published split, every stored cell."""
    stored = {each.setting["cell"] for each in store.known("chorales") if each.setting["set"] == "jsb"}
    for cell, name in (("lstm", "LSTM"), ("gru", "GRU"), ("vanilla", "vanilla")):
        if cell in stored:
            yield f"{store.spread('chorales', 'nats', set='jsb', cell=cell):.2f}  one {name} layer"


def nottingham() -> Iterator[str]:
    """Nats a frame of one LSTM layer on the published split."""
    yield f"{store.spread('chorales', 'nats', set='nottingham', cell='lstm'):.2f}  one LSTM layer"


def digits() -> Iterator[str]:
    """Digits wrong of a speaker who was not heard in training, every stored row."""
    rows = {str(each.setting): each.setting for each in store.load("digits") if each.setting["steps"] >= 300}
    for row in rows.values():
        way, layers = "one way" if row["direction"] == "one" else "both ways", row["layers"]
        skip = f", {row['connection']}" * (layers > 1)
        yield f"{percent('digits', 'digits', **row):.0f}  LSTM {way}, {layers} layer{'s' * (layers > 1)}{skip}"


def eight() -> Iterator[str]:
    """How many LSTM stacks of eight layers learn to echo."""
    for connection in ("plain", "residual"):
        failed = store.values(
            "trainability", "failed", task="echo", cell="lstm", layers=8, connection=connection, forget_bias="default"
        )
        yield f"{failed.count(0)} of {len(failed)} {connection} stacks of eight layers learn to echo"


CARDS = {
    "words": Card(
        title="CMUdict, published split: words wrong of 12,000, in percent",
        claimed=(
            "25.8  deep bidirectional LSTM with CTC",
            "21.3  the same, joined with a 5-gram of letters and phones",
            "31.3  LSTM encoder and decoder, 2 layers of 64",
            "23.3  LSTM encoder and decoder, 2 layers of 512",
        ),
        source="Rao et al. 2015 (first two), the README of cmusphinx/g2p-seq2seq (last two)",
        ours=words,
        scale="60,000 parameters; each training word read once; the rate of two chosen after a tenth of the steps",
        differs="size, passes over the data, and no part that knows which phones follow each other",
    ),
    "chorales": Card(
        title="Bach's chorales, split of Boulanger-Lewandowski: nats a frame",
        claimed=("8.45  LSTM", "8.43  GRU", "8.91  vanilla"),
        source="Bai, Kolter and Koltun 2018, table 1; for the LSTM a search took two layers of 200",
        ours=chorales,
        scale="200,000 parameters in one layer, the best epoch and rate by validation",
        differs="their depth, width and dropout were searched, ours are fixed",
    ),
    "nottingham": Card(
        title="Nottingham, folk tunes with chords, split of Boulanger-Lewandowski: nats a frame",
        claimed=("3.29  LSTM", "3.46  GRU", "4.05  vanilla"),
        source="Bai, Kolter and Koltun 2018, table 1; for the LSTM a search took three layers of 280 or one of 500",
        ours=nottingham,
        scale="200,000 parameters in one layer, at most 6 epochs, the best epoch and rate by validation",
        differs="theirs have a million parameters; their depth, width and dropout were searched, ours are fixed",
    ),
    "digits": Card(
        title="Connected speech: phones wrong (claimed) and digits wrong (ours), in percent",
        claimed=("18.6  TIMIT, bidirectional LSTM with CTC, 3 layers", "18.4  the same, 5 layers"),
        source="Graves, Mohamed and Hinton 2013",
        ours=digits,
        scale="300 steps on joined recordings of English digits; the test speaker is not heard in training",
        differs="another corpus, another unit and far less speech; the ranges are too wide to compare even the shape",
    ),
    "eight": Card(
        title="Eight layers",
        claimed=(
            "LSTM layers stacked plainly work well up to 4 layers, barely with 6, very poorly beyond 8;",
            "8 and 8 layers, residual from the third on, carried a translation service",
        ),
        source="Wu et al. 2016, section 3.1: experience, without a table",
        ours=eight,
        scale="8,000 parameters, 200 steps, repeating the symbol of four steps ago",
        differs="a toy for a translation system: it shows that a signal gets through, not that depth is of use",
    ),
}
