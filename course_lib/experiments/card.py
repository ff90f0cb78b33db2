"""The recipe on one card: each advice with the stored runs for it, those against it, and the library's default."""

import inspect
from typing import NamedTuple

from course_lib.experiments import depth_rows, store
from course_lib.stack import Stack


class Line(NamedTuple):
    """An advice, its evidence, its exception, and what ``Stack`` does by itself."""

    advice: str
    evidence: str
    exception: str
    default: str


def card() -> tuple[Line, ...]:
    """All lines, their numbers read from the store. Errors: StoreError where runs are missing."""
    return _rate(), _layers(), _connection(), _widths(), _dropout()


def _rate() -> Line:
    low, own = (
        depth_rows.spread("depth_phrases", metric, "lstm", "plain", 3, at)
        for metric, at in (("valid", 0), ("loss", None))
    )
    return Line(
        "choose the learning rate for every depth, on validation data",
        f"phrases, 8,000 parameters, three plain LSTM layers: {low:.3f} nats at 0.003, {own:.3f} at the chosen rate",
        "none met",
        "none: Settings(learning_rate=...)",
    )


def _layers() -> Line:
    one, three = (depth_rows.spread("depth_words", "phones", "lstm", "residual", layers) for layers in (1, 3))
    enough = depth_rows.spread("depth_phrases", "loss", "vanilla", "plain", 1)
    return Line(
        "try one layer, then two to four with a residual",
        f"words, residual LSTM: share of wrong phones {one:.2f} with one layer, {three:.2f} with three",
        f"phrases: one layer reaches {enough:.3f} nats of the possible 0.092, more layers gain nothing",
        "none: num_layers is asked for",
    )


def _connection() -> Line:
    plain, residual = (depth_rows.spread("depth_phrases", "loss", "lstm", each, 3) for each in ("plain", "residual"))
    shallow, skipped = (
        depth_rows.spread("depth_phrases", "loss", "vanilla", each, 2) for each in ("plain", "residual")
    )
    return Line(
        "a residual from three layers on at the latest",
        f"phrases, 8,000 parameters, three LSTM layers: {plain:.3f} nats plain, {residual:.3f} residual",
        f"two vanilla layers: {shallow:.3f} plain, {skipped:.3f} residual",
        f"connection={_default('connection').__name__}, so ask for it",
    )


def _widths() -> Line:
    equal, pyramid, inverted = (
        store.spread("widths", "loss", cell="lstm", profile=each, steps=500)
        for each in ("equal", "pyramid", "inverted")
    )
    return Line(
        "equal widths, which a residual needs anyway",
        f"phrases, 3,000 parameters, three plain LSTM layers: {equal:.3f} nats, with a narrow top {pyramid:.3f}",
        f"a wide top is a little better: {inverted:.3f}",
        "Stack.uniform",
    )


def _dropout() -> Line:
    c = store.spread("recall_dropout", "accuracy", cell="lstm", place="fresh_c", steps=150)
    none, between, gal = (
        store.spread("dropout_placement", "test", place=place, steps=300) for place in ("none", "between", "gal")
    )
    return Line(
        "dropout between the layers, none on what is carried, and stop early",
        f"16 tunes: {none:.2f} nats without, {between:.2f} with; recall under fresh masks on c {c:.2f}",
        f"locked masks inside the recurrence as well are level: {gal:.2f}",
        f"dropout={_default('dropout')}",
    )


def _default(argument: str) -> object:
    return inspect.signature(Stack).parameters[argument].default
