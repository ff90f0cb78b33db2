"""Checks of fair comparisons: equal parameters, what a published table shows, and a recipe with its defence."""

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from numbers import Integral

from course_lib.cells import LSTMCell
from course_lib.checks.exercise import Wrong, ask, exercise, got, is_number, plain_numbers
from course_lib.experiments import depth, depth_phrases, store
from course_lib.experiments.experiment import Metrics
from course_lib.experiments.fairness import width_for
from course_lib.models import Tagger
from course_lib.stack import Stack

SIZES = [(8000, 3), (8000, 1), (8000, 6), (3000, 2), (50_000, 4), (51_000, 4)]


@exercise(
    "06.1",
    hints=(
        "Write count(h, num_layers) first. Embedding: 8 vectors of 16. Read-out: 8 rows of h weights and a bias.",
        "Layer 1 has 4 gates that read 16 numbers from below, h from the past, and two biases a unit: 4h(16 + h + 2). "
        "Each further layer reads h from below: 4h(2h + 2).",
        "count = 128 + 4h(h + 18) + (L - 1) 4h(2h + 2) + 8(h + 1); then min(range(1, 500), key=lambda h: "
        "abs(count(h, L) - budget)).",
    ),
)
def width(answer: object, seed: int) -> str:
    """``width_for(budget, num_layers)`` for an LSTM tagger of the phrase source, against models that are built."""
    for budget, layers in SIZES:
        right, given = width_for(budget, partial(_tagger, layers=layers)), plain_numbers(ask(answer, budget, layers))
        case = f"budget {budget}, {layers} layer{'s' * (layers > 1)}"
        if not is_number(given) or given != int(given):
            raise Wrong(f"{case}: give back one width, a whole number, {got(given)}")
        if given != right:
            named = [name for name, wrong in _wrong_widths(budget, layers) if wrong == given]
            reason = ", or ".join(named) or f"width {right} has {_count(right, layers)} parameters, which is nearer"
            raise Wrong(f"{case}: you say {int(given)}; {reason}")
    one, three = (width_for(8000, partial(_tagger, layers=layers)) for layers in (1, 3))
    return f"the same budget at every depth: 8000 parameters are width {one} with one layer, {three} with three"


def _tagger(h: int, layers: int) -> Tagger:
    return Tagger(Stack.uniform(LSTMCell, 16, h, layers), 8, 8)


def _count(
    h: int, layers: int, first: int = 16, biases: int = 2, above: int = 2, outside: Callable = lambda h: 128 + 8 * h + 8
) -> int:
    """Parameters by the formula; the arguments are where it can go wrong."""
    return 4 * h * (first + h + biases) + (layers - 1) * 4 * h * (above * h + biases) + outside(h)


def _wrong_widths(budget: int, layers: int) -> list[tuple[str, int]]:
    """What typical slips lead to."""
    counts = {
        "that is with one bias a gate; torch has two": {"biases": 1},
        "that leaves out the embedding and the read-out": {"outside": lambda h: 0},
        "that leaves out the read-out, 8(h + 1)": {"outside": lambda h: 128},
        "that leaves out the embedding, 8 vectors of 16": {"outside": lambda h: 8 * h + 8},
        "there layer 1 reads h numbers from below; it reads 16": {"first": 0, "biases": 2, "above": 2},
    }
    nearest = [
        (name, min(range(1, 400), key=lambda h: abs(_count(h, layers, **slip) - budget)))
        for name, slip in counts.items()
    ]
    equal = min(range(1, 400), key=lambda h: abs(layers * 4 * h * (16 + h + 2) + 136 + 8 * h - budget))
    below = max(h for h in range(1, 400) if _count(h, layers) <= budget)
    one = min(range(1, 400), key=lambda h: abs(_count(h, 1) - budget))
    return [
        ("that is the width of one layer: the others have to be paid as well", one),
        ("there layers 2 and up read 16 numbers; they read h", equal),
        *nearest,
        ("that is the widest below the budget; the next one is nearer", below),
    ]


WORDS = ("survives", "falls", "open")
SENTENCES = ("worse", "one rate", "vanish", "words")


@exercise(
    "06.2",
    hints=(
        "Compare ranges, min and max of five seeds: worse survives only if every seed of the deep row is above every "
        "seed of the shallow one; it falls if every seed is below; else it is open.",
        'store.values("depth_phrases", "valid", cell="lstm", connection="plain", layers=2) has five lists; entry 0 of '
        "each belongs to the lowest rate, 0.003.",
        "For vanish no run is needed: if depth kept the model from learning, which of its two losses in the table of "
        "section 1 would be higher?",
    ),
)
def sentences(answer: object, seed: int) -> str:
    """``sentences()`` gives {"worse": "open", ...}, compared with the ranges of the stored seeds."""
    given = ask(answer)
    if not isinstance(given, Mapping):
        raise Wrong(f"give back a dictionary such as {{'worse': 'open', ...}}, {got(given)}")
    if set(given) != set(SENTENCES):
        raise Wrong(f"expected the sentences {', '.join(SENTENCES)}, got {', '.join(map(str, given)) or 'none'}")
    if odd := [f"{name}: {word!r}" for name, word in given.items() if word not in list(WORDS)]:
        raise Wrong(f"no such verdict: {', '.join(odd)}; a verdict is one of {', '.join(WORDS)}")
    wrong = [name for name in SENTENCES if given[name] != verdict(name)]
    if wrong and len(set(given.values())) == 1:
        raise Wrong(f"all four {given['worse']}? Each stands on other numbers: look at them one by one")
    if wrong:
        raise Wrong(f"{4 - len(wrong)} of 4 as the runs say. Look again at {wrong[0]!r}: {_evidence(wrong[0])}")
    return "; ".join(f"{name} {verdict(name)}" for name in SENTENCES)


def _pair(name: str) -> tuple[store.Spread, store.Spread]:
    """The losses of the shallow and the deep row on which a sentence stands."""
    shallow, deep = {"cell": "lstm", "layers": 1}, {"cell": "lstm", "layers": 2}
    if name == "words":
        deep |= {"connection": "residual"}
        return store.spread("depth_words", "loss", **shallow), store.spread("depth_words", "loss", **deep)
    deep |= {"connection": "plain"}
    metric, at = ("valid", 0) if name == "one rate" else ("loss", None)
    return tuple(store.spread("depth_phrases", metric, at, **row) for row in (shallow, deep))


@cache
def verdict(name: str) -> str:
    """What the runs say of a sentence: that the deep row is worse, or for "vanish" what the book's own table says."""
    if name == "vanish":
        return "falls"
    shallow, deep = _pair(name)
    return "survives" if deep.low > shallow.high else "falls" if deep.high < shallow.low else "open"


def _evidence(name: str) -> str:
    if name == "vanish":
        return "the table says how well each model learnt its training text: 0.646 and 0.604"
    shallow, deep = _pair(name)
    return f"one layer {shallow:.3f}, two layers {deep:.3f}; do the ranges lie apart?"


CONTEST = replace(depth_phrases.CONTEST, budget=50_000, rates=(0.01, 0.03), side_by_side=())
MOST_STEPS = 60
KEYS = ("recipe", "rival", "recipe_losses", "rival_losses", "verdict")
VERDICTS = ("better", "no difference", "worse")


@exercise(
    "06.5",
    hints=(
        "contest.run(setting, seed) does all for one seed: equal parameters, a training for each rate, the choice on "
        "validation. You choose two settings and read off the loss.",
        'setting = {"cell": "vanilla", "connection": "residual", "layers": 3, "steps": 30}; losses = '
        '[contest.run(setting, seed)["loss"] for seed in range(5)].',
        "The verdict is better if max(recipe_losses) < min(rival_losses), worse if the reverse holds, else no "
        "difference.",
    ),
)
def defence(answer: object, seed: int) -> str:
    """``defence()`` gives two settings, five test losses of each and a verdict; one run of each is made again."""
    given = ask(answer)
    if not isinstance(given, Mapping) or set(given) != set(KEYS):
        what = (
            f"the keys {', '.join(map(str, given))}" if isinstance(given, Mapping) else got(given).removeprefix("got ")
        )
        raise Wrong(f"give back a dictionary with the keys {', '.join(KEYS)}; got {what}")
    for name in ("recipe", "rival"):
        _check_setting(name, given[name])
    if given["recipe"]["steps"] != given["rival"]["steps"]:
        raise Wrong("recipe and rival have unequal steps: a budget of training is part of a fair comparison")
    unlike = [key for key, value in given["recipe"].items() if given["rival"][key] != value]
    if len(unlike) != 1:
        raise Wrong(f"recipe and rival differ in {' and '.join(unlike) or 'nothing'}; a rival differs in one thing")
    mine, theirs = (_losses(name, given[f"{name}_losses"]) for name in ("recipe", "rival"))
    found = "better" if max(mine) < min(theirs) else "worse" if min(mine) > max(theirs) else "no difference"
    if given["verdict"] not in list(VERDICTS):
        raise Wrong(f"the verdict is one of {', '.join(VERDICTS)}, {got(given['verdict'])}")
    ranges = f"recipe {store.Spread(tuple(mine)):.2f}, rival {store.Spread(tuple(theirs)):.2f}"
    if given["verdict"] != found:
        raise Wrong(f"{ranges}: you say {given['verdict']!r}, the ranges say {found!r}")
    for name, losses in (("recipe", mine), ("rival", theirs)):
        own = random.SystemRandom().randrange(5)  # nobody can know which one has to be right
        _check_again(name, losses, own, _again(tuple(sorted(given[name].items())), own))
    return f"{ranges}: {found}"


@cache
def _again(setting: tuple[tuple[str, object], ...], seed: int) -> Metrics:
    """One run of a setting, made here."""
    return CONTEST.run(dict(setting), seed)


def _check_setting(name: str, setting: object) -> None:
    """A setting that the contest runs, and not for too long."""
    known = {"cell": list(depth.CELLS), "connection": list(depth.CONNECTIONS)}
    if not isinstance(setting, Mapping) or set(setting) != {*known, "layers", "steps"}:
        raise Wrong(f"{name}: a setting has cell, connection, layers and steps, {got(setting)}")
    for key, choices in known.items():
        if setting[key] not in choices:
            raise Wrong(f"{name}: {key} is one of {', '.join(choices)}, {got(setting[key])}")
    for key, most in (("layers", 12), ("steps", MOST_STEPS)):
        if not isinstance(setting[key], Integral) or isinstance(setting[key], bool) or not 1 <= setting[key] <= most:
            raise Wrong(f"{name}: {key} must be a whole number in 1..{most}, {got(setting[key])}")


def _losses(name: str, given: object) -> list[float]:
    given = plain_numbers(given)
    if is_number(given):
        raise Wrong(f"{name}: one seed has no spread; give the losses of seeds 0 to 4")
    if not isinstance(given, Sequence) or isinstance(given, str) or not all(map(is_number, given)):
        raise Wrong(f"{name}: the losses are a list of five finite numbers, {got(given)}")
    if len(given) != 5:
        raise Wrong(f"{name}: five seeds give five losses, you give {len(given)}")
    if len(set(given)) == 1:
        raise Wrong(f"{name}: all five losses are equal; does every run get a seed of its own?")
    return [float(each) for each in given]


def _check_again(name: str, losses: list[float], seed: int, metrics: Metrics) -> None:
    """A seed made again must give its loss."""

    def near(value: float, other: float) -> bool:
        return math.isclose(value, other, rel_tol=1e-3)

    if near(losses[seed], metrics["loss"]):
        return
    again = f"{name}: seed {seed} made again has the test loss {metrics['loss']:.4f}, yours is {losses[seed]:.4f}"
    if near(losses[seed], min(metrics["valid"])):
        raise Wrong(f"{again}; that is its validation loss, which chose the rate and so is no test")
    if any(near(each, metrics["loss"]) for each in losses):
        raise Wrong(f"{again}; keep the losses in the order of the seeds, do not sort them")
    raise Wrong(again)
