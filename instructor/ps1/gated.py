"""Problem 1 of set 1: a minimal gated unit that moves at most a part of the way, and how long it remembers."""

import math

import numpy
from numpy import ndarray

from course_lib.grading.problem import Part
from course_lib.grading.sets import asked

CELLS = ("nn.RNN", "nn.GRU", "nn.LSTM", "RNNCell", "GRUCell", "LSTMCell", "Stack")


def sigmoid(z):
    return 1 / (1 + numpy.exp(-z))


def gated_step(
    variant, x, h, weight_ih, weight_hh, bias, *, reads="before", leak=None, shares=None, kept=False, rows=(0, 1)
):
    """Source: Zhou, Wu, Zhang and Zhou 2016, with a leak before the gate."""
    n, leak = h.shape[1], variant["leak"] if leak is None else leak
    gate, candidate = (slice(row * n, (row + 1) * n) for row in rows)
    f = sigmoid(x @ weight_ih[gate].T + h @ weight_hh[gate].T + bias[gate])
    past = {
        "before": (f * h) @ weight_hh[candidate].T,
        "after": f * (h @ weight_hh[candidate].T),
        "whole": h @ weight_hh[candidate].T,
    }[reads]
    g = numpy.tanh(x @ weight_ih[candidate].T + past + bias[candidate])
    lost, won = shares or (leak, leak)
    return leak * f * h + (1 - leak * f) * g if kept else (1 - lost * f) * h + won * f * g


def half_life(variant, bias, gate=sigmoid):
    with numpy.errstate(invalid="ignore"):  # without the sigmoid a step may lose more than all
        return math.log(0.5) / numpy.log(1 - variant["leak"] * gate(bias))


STEP_MISTAKES = {
    "the candidate reads h whole; the gate first chooses what it reads, f * h": {"reads": "whole"},
    "the gate multiplies U h, as in torch's GRU; here it multiplies h, and U comes after": {"reads": "after"},
    "the leak is missing: a unit moves leak * f of the way to the candidate": {"leak": 1.0},
    "the leak is missing where the old h is kept": lambda leak: {"shares": (1.0, leak)},
    "the leak is missing where the candidate comes in": lambda leak: {"shares": (leak, 1.0)},
    "old and new are exchanged: leak * f is the part that is replaced": {"kept": True},
    "the blocks are exchanged: the gate's rows come first, then the candidate's": {"rows": (1, 0)},
}
LIFE_MISTAKES = {
    "the leak is missing": lambda v, b: math.log(0.5) / numpy.log(1 - sigmoid(b)),
    "that is the time until 1/e is left, not one half": lambda v, b: -1 / numpy.log(1 - v["leak"] * sigmoid(b)),
    "lost or kept? you use what a step loses as what it keeps": lambda v, b: (
        math.log(0.5) / numpy.log(v["leak"] * sigmoid(b))
    ),
    "that holds only where a step loses little: how do many steps join?": lambda v, b: (
        math.log(2) / (v["leak"] * sigmoid(b))
    ),
    "you round to whole steps": lambda v, b: numpy.ceil(half_life(v, b)),
    "the sigmoid is missing: `bias` is not yet f": lambda v, b: half_life(v, b, gate=lambda z: z),
}


def _draw_step(variant, rng) -> tuple[ndarray, ...]:
    batch, d, n = (int(size) for size in rng.integers(2, 6, 3))
    shapes = ((batch, d), (batch, n), (2 * n, d), (2 * n, n), (2 * n,))
    return tuple(rng.standard_normal(shape) for shape in shapes)


def _draw_bias(variant, rng) -> tuple[ndarray]:
    return (rng.uniform(-3, 3, int(rng.integers(3, 7))),)


def _step_mistake(options):
    def wrong(variant, *arguments):
        own = options(variant["leak"]) if callable(options) else options
        return gated_step(variant, *arguments, **own)

    return wrong


PARTS = (
    Part(
        identity="1a",
        title="the gated unit's step",
        points=2.0,
        cases=asked(
            "gated_step", _draw_step, gated_step, {hint: _step_mistake(each) for hint, each in STEP_MISTAKES.items()}
        ),
        forbidden=CELLS,
    ),
    Part(
        identity="1b",
        title="how long it remembers",
        points=1.0,
        cases=asked("half_life", _draw_bias, half_life, LIFE_MISTAKES),
    ),
)
