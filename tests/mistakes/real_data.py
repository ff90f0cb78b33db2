"""Real data: right and wrong answers."""

from functools import cache

import torch
from torch.nn.functional import one_hot

from course_lib import GRUCell, checks
from course_lib.data import pronunciation
from course_lib.experiments import store
from course_lib.models import Tagger, ctc_loss
from course_lib.relatives.bidirectional import BidirectionalStack
from course_lib.training import Settings, fit


def medians(metric):
    """Words wrong in percent, both ways, by depth."""
    rows = {layers: {"direction": "both", "steps": 842, "layers": layers} for layers in (1, 2, 3)}
    return {layers: 100 * store.spread("published_words", metric, **row).median for layers, row in rows.items()}


def depth():
    valid = medians("valid_words")
    best = min(valid, key=valid.get)
    return best, valid[1] - valid[best]


def with_ones(features):
    return torch.cat([features, torch.ones(len(features), 1).to(features)], 1)


def probe(features, labels, others):
    weight = torch.linalg.lstsq(with_ones(features), one_hot(labels).to(features)).solution
    return (with_ones(others) @ weight).argmax(1)


def scores(features, labels, others):
    weight = torch.linalg.lstsq(with_ones(features), one_hot(labels).to(features)).solution
    return with_ones(others) @ weight


def without_bias(features, labels, others):
    return (others @ torch.linalg.lstsq(features, one_hot(labels).to(features)).solution).argmax(1)


def tagger(width=43, symbols=27):
    return Tagger(BidirectionalStack.uniform(GRUCell, 16, width, 1), symbols, 40)


@cache
def recipe():
    torch.manual_seed(0)
    model = tagger()
    words = pronunciation.load("train", 20_000)
    fit(model, pronunciation.batches(words, 64), ctc_loss, Settings(100, 0.03))
    return model


def silent():
    model = tagger()
    torch.nn.init.constant_(model.read_out.weight, 0)
    torch.nn.init.constant_(model.read_out.bias, 0)
    model.read_out.bias.data[0] = 9
    return model


def babble():
    model = silent()
    model.read_out.bias.data[5] = 10
    return model


FOUND = {"experiment": "depth_phrases", "cell": "vanilla", "layers": 3}
RIGHT = {
    "07.1": (checks.real_data.depth, depth),
    "07.2": (checks.real_data.counterexample, lambda: FOUND),
    "07.3": (checks.real_data.probe, probe),
    "07.4": (checks.real_data.recipe, recipe),
}
MISTAKES = {
    "07.1": {
        "give two numbers, (layers, gap), got int": lambda: 3,
        "layers is 1, 2 or 3, got 4": lambda: (4, 2.0),
        "of the validation words wrong; a lower median is there": lambda: (1, 0.0),
        "the gap is that of one layer minus your choice": lambda: (depth()[0], -depth()[1]),
        "is a share; the gap is asked in percentage points": lambda: (depth()[0], depth()[1] / 100),
        "it differs by more than a point from every seed's": lambda: (depth()[0], 20.0),
    },
    "07.2": {
        "give a dictionary with experiment, cell and layers, got str": lambda: "depth_phrases",
        "your dictionary lacks experiment": lambda: {"cell": "vanilla", "layers": 3},
        "speaks of three or four layers, your row has 2": lambda: FOUND | {"layers": 2},
        "'gaps' compares no depths": lambda: FOUND | {"experiment": "gaps"},
        "the store has no such row": lambda: FOUND | {"cell": "LSTM"},
        "layers are better than one: depth pays there": lambda: FOUND | {"experiment": "depth_words"},
    },
    "07.3": {
        "return a label for each of the others, got None": lambda features, labels, others: None,
        "scores of every label": scores,
        "return 600 labels, one for each of the others, got shape (1,)": lambda f, labels, o: labels[:1],
        "is no better than the commonest label": lambda f, labels, o: labels.mode().values.repeat(len(o)),
        "where a linear read-out with a bias has": without_bias,
    },
    "07.4": {
        "return the trained Tagger, got tuple": lambda: (tagger(), 0.1),
        "parameters; the cap is 20,000": lambda: tagger(60),
        "the model cannot read words": lambda: tagger(symbols=20),
        "the model says nothing": silent,
        "of the phones are wrong; the board begins at 45%": babble,
    },
}
