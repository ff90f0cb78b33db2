"""One column, what a node reads directly, and five broken stacks: right and wrong answers."""

import torch

from course_lib import RNNState, checks
from course_lib.checks import broken


def step(cells, x_t, states):
    column, below = [], x_t
    for cell, state in zip(cells, states):
        column.append(cell(below, state))
        below = column[-1].h
    return tuple(column)


def diagnosis():
    return broken.truth()


def sources(layer, time):
    stream = {(0, time)} if layer == 1 else {(under, time) for under in range(1, layer)}
    return stream | {(layer, time - 1)}


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
    "each cell reads what comes from below at its own width": lambda cells, x, states: step(
        cells[::-1], x[:, :3], states[::-1]
    ),
    "layer 3 reads the c of layer 2": walk(lambda x, new, old: new[-1]),
    "layer 2 starts from the new state of layer 1": walk(starts=lambda states, l, new: new[-1] if l else states[0]),
    "layer 2 starts from the state of layer 1": walk(starts=lambda states, l, new: states[0]),
    "layer 1 starts from the state of layer 3": walk(starts=lambda states, l, new: states[-1 - l]),
    "layer 1 starts from zeros": walk(starts=lambda s, l, new: type(s[l])(*(torch.zeros_like(each) for each in s[l]))),
    "layer 2 uses the cell of layer 1": lambda cells, x, states: step([cells[0]] * len(cells), x, states),
    "layer 1 gives back the state it was given": lambda cells, x, states: states,
    "come from the top down": lambda *args: step(*args)[::-1],
    "layer 1 gives Tensor where the cell gives RNNState": walk(keep=lambda state: state.h),
    "layer 2 gives RNNState where the cell gives LSTMState": walk(keep=lambda state: RNNState(state.h)),
    "layer 1 has wrong numbers": walk(keep=lambda state: type(state)(*(each + 0.01 for each in state))),
    "bottom to top; got RNNState": lambda *args: step(*args)[-1],
    "bottom to top; got 2 entries": lambda *args: step(*args)[1:],
    "bottom to top; got Tensor": lambda *args: step(*args)[-1].h,
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
SOURCES = {
    "at layer 1, time 1: a node does not read itself": lambda l, t: sources(l, t) | {(l, t)},
    "the recurrence is missing, the node reads (1, 0)": lambda l, t: sources(l, t) - {(l, t - 1)},
    "the recurrence is missing, the node reads (1, 2)": lambda l, t: sources(l, t) - {(l, t - 1)} | {(l, 0)},
    "at layer 2, time 1: x is listed": lambda l, t: sources(l, t) | {(0, t)},
    "at layer 3, time 1: these are the arrows of a plain stack": lambda l, t: {(l, t - 1), (l - 1, t)},
    "at layer 1, time 1: (0, 0) is not read directly": lambda l, t: sources(l, t) | {(l - 1, t - 1)},
    "at layer 1, time 1: (0, 1) is missing": lambda l, t: {(l, t - 1)},
    "at layer 4, time 1: (1, 1) is missing": lambda l, t: sources(l, t) - ({(1, t)} if l == 4 else set()),
    "at layer 1, time 3: your pairs are (time, layer)": lambda l, t: {node[::-1] for node in sources(l, t)},
    "got tuple (1, 0)": lambda l, t: (l, t - 1),
    "got list [[1, 0, 0]]": lambda l, t: [[l, t - 1, 0]],
}
RIGHT = {
    "02.1": (checks.stacking.step, step),
    "02.2": (checks.stacking.sources, sources),
    "02.3": (checks.stacking.diagnosis, diagnosis),
}
MISTAKES = {"02.1": STEP, "02.2": SOURCES, "02.3": DIAGNOSIS}
