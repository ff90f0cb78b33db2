"""What learners get wrong: every mistake is rejected in words of its own, which no other mistake gets."""

import itertools
import math
import re

import pytest
import torch

from course_lib import RNNState
from course_lib.checks import broken, stacking
from tests import answers
from tests.answers import RIGHT

pytestmark = pytest.mark.usefixtures("unchecked")  # as a learner runs it: no shape hook speaks first


@pytest.fixture(autouse=True)
def in_memory(monkeypatch):
    """No test writes into a developer's own progress."""
    monkeypatch.setenv("COURSE_BUILD", "1")


VANILLA_STEP = {
    "the tanh is missing": lambda x, h, W, U, b: x @ W.T + h @ U.T + b,
    "does not depend on the old h: is h @ U.T in the sum?": lambda x, h, W, U, b: torch.tanh(x @ W.T + b),
    "does not depend on x: is x @ W.T in the sum?": lambda x, h, W, U, b: torch.tanh(h @ U.T + b),
    "the bias b is missing": lambda x, h, W, U, b: torch.tanh(x @ W.T + h @ U.T),
    "the bias b is added after the tanh": lambda x, h, W, U, b: torch.tanh(x @ W.T + h @ U.T) + b,
    "the tanh stands around one product only": lambda x, h, W, U, b: torch.tanh(x @ W.T) + h @ U.T + b,
    "multiply by its transpose, h @ U.T": lambda x, h, W, U, b: torch.tanh(x @ W.T + h @ U + b),
    "the numbers are not (largest difference": lambda x, h, W, U, b: torch.sigmoid(x @ W.T + h @ U.T + b),
    "cannot be multiplied (2x3 and 4x3): x is (batch, d) and W is (h, d)": lambda x, h, W, U, b: torch.tanh(
        x @ W + h @ U + b
    ),
    "cannot be multiplied (1x3 and 1x2)": lambda x, h, W, U, b: torch.tanh(x.squeeze() @ W.T + h @ U.T + b),
    "must be a tensor, got RNNState": lambda *args: RNNState(answers.vanilla_step(*args)),
    "must have shape (2, 4), got (2, 2, 4)": lambda *args: torch.stack([answers.vanilla_step(*args)] * 2),
    "must hold floating-point numbers, got torch.bool": lambda *args: answers.vanilla_step(*args) > 0,
    "holds numbers that are NaN or infinite": lambda *args: answers.vanilla_step(*args) / 0,
}


def walk(reads=lambda x, new, old: new.h, starts=lambda states, l, column: states[l], keep=lambda state: state):
    """A step that may be wrong in what layers 2.. read, in the old state a layer takes, or in what it keeps."""

    def step(cells, x_t, states):
        column = []
        for l, cell in enumerate(cells):
            below = x_t if l == 0 else reads(x_t, column[-1], states[l - 1])
            column.append(cell(below, starts(states, l, column)))
        return [keep(state) for state in column]

    return step


def stream_from(first):
    """A residual stack instead of a plain one: the stream starts at x (0), or at the h of layer 1 (1)."""

    def step(cells, x_t, states):
        column, below = [], x_t
        for l, (cell, state) in enumerate(zip(cells, states)):
            column.append(cell(below, state))
            below = below + column[-1].h if l >= first else column[-1].h
        return column

    return step


STEP = {
    "layer 2 does not depend on layer 1: did you pass x": walk(lambda x, new, old: x),
    "layer 2 reads the old h of layer 1": walk(lambda x, new, old: old.h),
    "layer 2 gets the sum of x and h": stream_from(0),
    "layer 3 gets the sum of all layers below": stream_from(1),
    "send only the h of a state up, state.h": walk(lambda x, new, old: new),
    "each cell reads what comes from below at its own width": lambda cells, x, states: answers.step(
        cells[::-1], x[:, :3], states[::-1]
    ),
    "layer 3 reads the c of layer 2": walk(lambda x, new, old: new[-1]),
    "layer 2 starts from the new state of layer 1": walk(starts=lambda states, l, new: new[-1] if l else states[0]),
    "layer 2 starts from the state of layer 1": walk(starts=lambda states, l, new: states[0]),
    "layer 1 starts from the state of layer 3": walk(starts=lambda states, l, new: states[-1 - l]),
    "layer 1 starts from zeros": walk(starts=lambda s, l, new: type(s[l])(*(torch.zeros_like(each) for each in s[l]))),
    "layer 2 uses the cell of layer 1": lambda cells, x, states: answers.step([cells[0]] * len(cells), x, states),
    "layer 1 gives back the state it was given": lambda cells, x, states: states,
    "come from the top down": lambda *args: answers.step(*args)[::-1],
    "layer 1 gives Tensor where the cell gives RNNState": walk(keep=lambda state: state.h),
    "layer 2 gives RNNState where the cell gives LSTMState": walk(keep=lambda state: RNNState(state.h)),
    "layer 1 has wrong numbers": walk(keep=lambda state: type(state)(*(each + 0.01 for each in state))),
    "bottom to top; got RNNState": lambda *args: answers.step(*args)[-1],
    "bottom to top; got 2 entries": lambda *args: answers.step(*args)[1:],
    "bottom to top; got Tensor": lambda *args: answers.step(*args)[-1].h,
}
TRUTH = broken.truth()
DIAGNOSIS = {
    "give back a dictionary such as {'A': 'raw input', ...}, got list": lambda: list(TRUTH.values()),
    "expected the letters A, B, C, D, E, got A, B": lambda: {letter: TRUTH[letter] for letter in "AB"},
    "expected the letters A, B, C, D, E, got a, b": lambda: {letter.lower(): TRUTH[letter] for letter in TRUTH},
    "expected the letters A, B, C, D, E, got none": dict,
    "no such fault: C: 'dropout'": lambda: TRUTH | {"C": "dropout"},
    "3 of 5 are right. Look again at A: for": lambda: TRUTH | {"A": TRUTH["B"], "B": TRUTH["A"]},
    "1 of 5 are right. Look again at": lambda: dict.fromkeys(TRUTH, TRUTH["A"]),
}


def wide(change):
    """The pipelined layer of the right answer, changed: ``change(weight_ih, weight_hh, bias, stack, h)``."""

    @torch.no_grad()
    def pipeline(stack):
        parts = answers.pipeline(stack)
        changed = change(*parts, stack, stack.hidden_sizes[0])
        return parts if changed is None else changed

    return pipeline


def put(rows, cols, value):
    """A change of one block of weight_hh."""

    def change(weight_ih, weight_hh, bias, stack, h):
        weight_hh[rows * h : (rows + 1) * h, cols * h : (cols + 1) * h] = value(stack)

    return wide(change)


def up_to_layer_3(matrix, h):
    return matrix.index_fill(0, torch.arange(3 * h, len(matrix)), 0)


def above_the_diagonal(weight_ih, weight_hh, bias, stack, h):
    weight_hh[h : 2 * h, 2 * h : 3 * h] = stack.cells[2].weight_ih
    weight_hh[2 * h : 3 * h, h : 2 * h] = 0


PIPELINE = {
    "x enters a block above the first": wide(lambda ih, hh, b, stack, h: (ih + 0.1, hh, b)),
    "the first block of weight_ih is not": wide(lambda ih, hh, b, stack, h: (ih * 0, hh, b)),
    "weight_hh is transposed": wide(lambda ih, hh, b, stack, h: (ih, hh.T, b)),
    "block (1, 1) of weight_hh must be the W_hh of layer 1": put(0, 0, lambda stack: 0),
    "block (3, 3) of weight_hh must be the W_hh of layer 3": put(2, 2, lambda stack: stack.cells[1].weight_hh),
    "block (2, 1) of weight_hh must be the W_ih of layer 2": put(1, 0, lambda stack: stack.cells[1].weight_hh),
    "one step late; yours is its transpose": put(2, 1, lambda stack: stack.cells[2].weight_ih.T),
    "one step late; yours stands on the other side of the diagonal": wide(above_the_diagonal),
    "block (1, 2) of weight_hh must be zero": put(0, 1, lambda stack: stack.cells[1].weight_ih),
    "block (3, 1) of weight_hh must be zero": put(2, 0, lambda stack: stack.cells[2].weight_ih),
    "block (4, 4) of weight_hh must be the W_hh of layer 4": wide(
        lambda ih, hh, b, s, h: (ih, up_to_layer_3(hh, h), b)
    ),
    "the bias is not b_ih + b_hh": wide(lambda ih, hh, b, s, h: (ih, hh, torch.cat([c.bias_ih for c in s.cells]))),
    "give back three tensors (weight_ih, weight_hh, bias), got tuple": wide(lambda ih, hh, b, stack, h: (ih, hh)),
    "weight_ih must have shape (12, 3), got (4, 3)": wide(lambda ih, hh, b, stack, h: (ih[:h], hh, b)),
    "bias must be a tensor, got None": wide(lambda ih, hh, b, stack, h: (ih, hh, None)),
    "weight_hh holds numbers that are NaN": wide(lambda ih, hh, b, stack, h: (ih, hh * math.nan, b)),
}


def total(first, other, biases=2, factor=1, h=20, layers=1):
    return factor * (h * (first + h + biases) + (layers - 1) * h * (other + h + biases))


def counted(blocks=(1, 3, 4), biases=2, reads_first=None, upper=None, directions=2):
    """A count that may be wrong in the blocks, the biases, what layer 1 and what the upper layers read."""

    def count(kind, d, h, layers, bidirectional):
        factor = directions if bidirectional else 1
        first = (reads_first or (lambda d, h: d))(d, h)
        other = (upper or (lambda d, h, factor: factor * h))(d, h, factor)
        gates = dict(zip(("vanilla", "gru", "lstm"), blocks))[kind]
        return gates * total(first, other, biases, factor, h, layers)

    return count


COUNT = {
    "vanilla, d=10, h=20, 1 layer: you count 620, torch has 640. That is the count with one bias": counted(biases=1),
    "count with no bias at all": counted(biases=0),
    "count with every layer reading d": counted(upper=lambda d, h, factor: d),
    "count with every layer reading h": counted(reads_first=lambda d, h: h),
    "count with twice the one-way stack": counted(upper=lambda d, h, factor: h),
    "count with one direction": counted(directions=1),
    "gru, d=10, h=20, 1 layer: you count 640, torch has 1920. That is the count with the gates": counted((1, 1, 1)),
    "gru, d=10, h=20, 1 layer: you count 2560, torch has 1920": counted((1, 4, 4)),
    "lstm, d=10, h=20, 1 layer: you count 1920, torch has 2560": counted((1, 3, 3)),
    "you count nan": lambda *args: math.nan,
    "1 layer: give back a number, got str '640'": lambda *args: str(answers.count(*args)),
}
SOURCES = {
    "at layer 1, time 1: a node does not read itself": lambda l, t: answers.sources(l, t) | {(l, t)},
    "the recurrence is missing, the node reads (1, 0)": lambda l, t: answers.sources(l, t) - {(l, t - 1)},
    "the recurrence is missing, the node reads (1, 2)": lambda l, t: answers.sources(l, t) - {(l, t - 1)} | {(l, 0)},
    "at layer 2, time 1: x is listed": lambda l, t: answers.sources(l, t) | {(0, t)},
    "at layer 3, time 1: these are the arrows of a plain stack": lambda l, t: {(l, t - 1), (l - 1, t)},
    "at layer 1, time 1: (0, 0) is not read directly": lambda l, t: answers.sources(l, t) | {(l - 1, t - 1)},
    "at layer 1, time 1: (0, 1) is missing": lambda l, t: {(l, t - 1)},
    "at layer 4, time 1: (1, 1) is missing": lambda l, t: answers.sources(l, t) - ({(1, t)} if l == 4 else set()),
    "at layer 1, time 3: your pairs are (time, layer)": lambda l, t: {node[::-1] for node in answers.sources(l, t)},
    "got tuple (1, 0)": lambda l, t: (l, t - 1),
    "got list [[1, 0, 0]]": lambda l, t: [[l, t - 1, 0]],
}
MISTAKES = {
    "00.1": VANILLA_STEP,
    "02.1": STEP,
    "02.2": SOURCES,
    "02.3": DIAGNOSIS,
    "02.4": COUNT,
    "02.5": PIPELINE,
}
EACH = [(identity, words, answer) for identity, mistakes in MISTAKES.items() for words, answer in mistakes.items()]


@pytest.mark.parametrize(("identity", "words", "answer"), EACH, ids=[f"{each[0]} {each[1]}" for each in EACH])
def test_a_mistake_is_named_in_words_that_no_other_gets(identity, words, answer):
    for seed in (0, 7):
        verdict = RIGHT[identity][0](answer, seed=seed)
        assert not verdict.passed
        assert verdict.message.startswith(f"{identity}: ")
        told = re.sub("at the line `.*`", "", verdict.message)  # a line of this file, which holds the words
        assert [each for each in MISTAKES[identity] if each in told] == [words]


def test_a_wrong_diagnosis_gets_the_clue_of_the_fault_that_was_claimed():
    for (letter, fault), claimed in itertools.product(TRUTH.items(), stacking.CLUES):
        verdict = stacking.diagnosis(lambda letter=letter, claimed=claimed: TRUTH | {letter: claimed})
        assert verdict.passed is (fault == claimed)
        if not verdict.passed:
            assert verdict.message.endswith(
                f"4 of 5 are right. Look again at {letter}: for {claimed!r}, {stacking.CLUES[claimed]}; "
                f"{letter} is healthy in that"
            )


def test_numbers_of_any_kind_are_counts():
    import numpy

    assert RIGHT["02.4"][0](lambda *args: numpy.int64(answers.count(*args))).passed
    assert RIGHT["02.4"][0](lambda *args: float(answers.count(*args))).passed
    assert "give back a number, got bool True" in RIGHT["02.4"][0](lambda *args: True).message


def test_pairs_in_any_collection_are_sources():
    for kind in (list, tuple, frozenset, lambda nodes: [list(node) for node in nodes]):
        assert RIGHT["02.2"][0](lambda l, t, kind=kind: kind(answers.sources(l, t))).passed
