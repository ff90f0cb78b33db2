"""Checks of work on real data: a depth chosen by validation, a sentence refuted, a probe, a recipe under a cap."""

import copy
from collections.abc import Mapping, Sequence
from functools import cache

import torch
from torch import Tensor, nn

from course_lib import probing
from course_lib.cells import GRUCell
from course_lib.checks.exercise import Wrong, ask, exercise, got, is_number, plain_numbers
from course_lib.data import pronunciation
from course_lib.experiments import store
from course_lib.models import Tagger
from course_lib.stack import Stack

SEARCHED = {"direction": "both", "steps": 842}
CAP, BASELINE, JUDGED = 20_000, 0.45, 500


@exercise(
    "07.1",
    hints=(
        "Take the medians of the validation words. Which number of layers has the lowest?",
        "Validation and test words come from one dictionary; neither was trained on. How different can the gaps be?",
        "(layers, gap): the layers with the lowest median, and the median of one layer minus theirs.",
    ),
)
def depth(answer: object, seed: int) -> str:
    """``(layers, gap)``: the depth that validation chooses both ways, and the test gap to one layer in points."""
    given = plain_numbers(ask(answer))
    if not isinstance(given, list | tuple) or len(given) != 2 or not all(is_number(each) for each in given):
        raise Wrong(f"give two numbers, (layers, gap), {got(given)}")
    layers, gap = given
    valid = {each: _published("valid_words", each).median for each in (1, 2, 3)}
    best = min(valid, key=valid.get)
    if layers not in valid:
        raise Wrong(f"layers is 1, 2 or 3, got {layers}")
    if layers != best:
        raise Wrong(
            f"{layers} layers have {valid[layers]:.1f} % of the validation words wrong; a lower median is there"
        )
    gaps = _gaps(best)
    if gap < 0:
        raise Wrong("the gap is that of one layer minus your choice: positive where your choice is better")
    if 0 < gap < 0.2 and gaps.low > 0.5:
        raise Wrong(f"{gap} is a share; the gap is asked in percentage points, 100 times as much")
    if not gaps.low - 1 <= gap <= gaps.high + 1:
        raise Wrong(
            f"the gap of the test words is not {gap:.1f}: it differs by more than a point from every seed's. "
            "Compare the medians of the validation words once more"
        )
    return f"{best} layers; on the test words the gap is {gaps:.1f} points"


def _published(metric: str, layers: int) -> store.Spread:
    """Words wrong in percent, both ways."""
    values = store.values("published_words", metric, layers=layers, **SEARCHED)
    return store.Spread(tuple(100 * value for value in values))


def _gaps(layers: int) -> store.Spread:
    """By seed, one layer minus that many, on the test words."""
    pairs = zip(_published("words", 1).values, _published("words", layers).values)
    return store.Spread(tuple(shallow - deep for shallow, deep in pairs))


@exercise(
    "07.2",
    hints=(
        "The sentence says *reliably*. One kind of cell on one task is enough to refute it.",
        "On which of the three tasks was one layer enough?",
        'losses = depth_rows.runs("depth_phrases", "loss", cell, "residual"): for which cell is sum(deep < one for '
        "deep, one in zip(losses[3], losses[1])) at most 2?",
    ),
)
def counterexample(answer: object, seed: int) -> str:
    """``{"experiment", "cell", "layers"}``: a stored residual row of 3 or 4 layers that one layer matches."""
    answer = ask(answer)
    if not isinstance(answer, Mapping):
        raise Wrong(f"give a dictionary with experiment, cell and layers, {got(answer)}")
    if missing := {"experiment", "cell", "layers"} - set(answer):
        raise Wrong(f"your dictionary lacks {', '.join(sorted(missing))}")
    if answer["layers"] not in (3, 4):
        raise Wrong(f"the sentence speaks of three or four layers, your row has {answer['layers']}")
    if answer["experiment"] not in ("depth_phrases", "depth_words", "depth_tunes"):
        raise Wrong(f"{answer['experiment']!r} compares no depths at equal parameters; take depth_phrases")
    row = {"cell": answer["cell"], "connection": "residual", "layers": answer["layers"]}
    shallow = {"cell": answer["cell"], "connection": "plain", "layers": 1}
    try:
        deep, one = (_whole(answer["experiment"], each) for each in (row, shallow))
    except store.StoreError as error:
        raise Wrong(f"the store has no such row: {str(error).partition(';')[0]}") from error
    if len(deep) < 3:
        raise Wrong(f"the row has {len(deep)} seed{'s' * (len(deep) > 1)}; a refutation needs at least three")
    better = sum(mine < other for mine, other in zip(deep, one))
    if 2 * better >= len(deep):
        raise Wrong(
            f"with {better} of {len(deep)} seeds the {answer['layers']} layers are better than one: depth pays there"
        )
    return f"with {better} of {len(deep)} seeds are {answer['layers']} layers better than one, at equal parameters"


def _whole(experiment: str, row: Mapping[str, object]) -> Sequence[float]:
    """The losses of a row with the full number of steps."""
    steps = max(each.setting["steps"] for each in store.load(experiment))
    return store.values(experiment, "loss", steps=steps, **row)


@exercise(
    "07.3",
    hints=(
        "Write the labels as rows of 0 and 1. Which matrix maps features to these rows with the least squared error?",
        "Append a column of ones to the features for the bias; torch.linalg.lstsq solves the rest.",
        "W = torch.linalg.lstsq(with_ones(features), one_hot(labels).double()).solution; "
        "return (with_ones(others) @ W).argmax(1).",
    ),
)
def probe(answer: object, seed: int) -> str:
    """``probe(features, labels, others)`` gives the labels of the others by a linear read-out."""
    for name, features, labels, others, wanted in (_planted(seed), _letters(seed)):
        given = ask(answer, features, labels, others)
        labels_only = plain_numbers(given)
        given = torch.tensor(labels_only) if _is_whole(labels_only) else given
        if not isinstance(given, Tensor):
            raise Wrong(f"return a label for each of the others, {got(given)}")
        if given.dim() == 2 and len(given) == len(others):
            raise Wrong(f"that is {tuple(given.shape)}: scores of every label. Return the label with the largest")
        if given.shape != (len(others),):
            raise Wrong(f"return {len(others)} labels, one for each of the others, got shape {tuple(given.shape)}")
        found = (given.long() == wanted).double().mean().item()
        best = probing.accuracy(probing.fit(features, labels), others, wanted)
        if found <= probing.chance(labels, wanted) + 0.02:
            raise Wrong(f"{name}: {found:.2f} right is no better than the commonest label")
        if found < best - 0.05:
            raise Wrong(
                f"{name}: {found:.2f} right where a linear read-out with a bias has {best:.2f}. "
                "Does your map fit rows of 0 and 1, with a bias for the means, and treat the others in the same way?"
            )
    return f"{found:.2f} of the letters read off an untrained layer; the least-squares read-out has {best:.2f}"


def _is_whole(value: object) -> bool:
    """Whether it is a list of whole numbers, as an array of labels gives it."""
    return isinstance(value, list) and bool(value) and all(type(each) is int for each in value)


def _planted(seed: int) -> tuple[str, Tensor, Tensor, Tensor, Tensor]:
    """Labels that a linear map tells, in features whose mean is far from zero."""
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(1200, 5, generator=generator, dtype=torch.float64)
    labels = torch.stack([features[:, 0], features[:, 2], -features[:, 0] - features[:, 2]], 1).argmax(1)
    features = 0.5 * features + 3
    return "planted labels", features[:600], labels[:600], features[600:], labels[600:]


@torch.no_grad()
def _letters(seed: int) -> tuple[str, Tensor, Tensor, Tensor, Tensor]:
    """The second layer of an untrained stack, and the letter that it read one step before."""
    letters = torch.randint(12, (3, 1600))
    stack = Stack.uniform(GRUCell, 12, 24, 2).to(torch.float64)
    states = stack.rows(nn.functional.one_hot(letters).double())[1][-1]
    return "letters of an untrained layer", states[:1200], letters[1, :1200], states[1200:], letters[1, 1200:]


@exercise(
    "07.4",
    hints=(
        "What did section 2 show to be worth more than depth? The cap counts both directions.",
        "BidirectionalStack.uniform(GRUCell, 16, 43, 1) has 19,650 parameters inside a Tagger, and needs no delay.",
        "200 steps of 64 words at rate 0.03 take it below 20 % of phones wrong.",
    ),
)
def recipe(answer: object, seed: int) -> str:
    """``recipe()`` returns a trained Tagger of at most 20,000 parameters; it is judged on 500 test words."""
    model = ask(answer)
    if not isinstance(model, Tagger):
        raise Wrong(f"return the trained Tagger, {got(model)}")
    if (size := sum(parameter.numel() for parameter in model.parameters())) > CAP:
        raise Wrong(f"your model has {size:,} parameters; the cap is {CAP:,}")
    words = pronunciation.load("test", JUDGED)  # the notebook has the validation words at hand
    model = copy.deepcopy(model).eval()  # the learner's may go on training
    try:
        said = pronunciation.say(model, [word.spelling for word in words])
    except Exception as error:  # whatever the stack inside does
        raise Wrong(f"the model cannot read words; it takes 27 symbols and gives 40 scores: {error}") from error
    if not any(said):
        raise Wrong("the model says nothing: all slots are blank. Train longer, or at another rate")
    wrong = pronunciation.error_rates(said, words).phones
    if wrong > BASELINE:
        raise Wrong(f"{wrong:.1%} of the phones are wrong; the board begins at {BASELINE:.0%}")
    return f"{wrong:.1%} of the phones wrong: place {_place(wrong)}"


@cache
def _board() -> dict[str, float]:
    """The stored recipes of 20,000 parameters: phones wrong on test words, median of the seeds."""
    rows = {str(each.setting): each.setting for each in store.load("depth_words") if each.setting["steps"] >= 1000}
    return {
        f"{row['layers']} {row['connection']} {row['cell']}": store.spread("depth_words", "phones", **row).median
        for row in rows.values()
    }


def _place(wrong: float) -> str:
    """Where that stands among the stored recipes, and the best of them."""
    board = _board()
    best = min(board, key=board.get)
    place = 1 + sum(each < wrong for each in board.values())
    return f"{place} of {len(board) + 1} on the board, led by {best} with {board[best]:.1%}"
