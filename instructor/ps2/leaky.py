"""Problem 3 of set 2: the edges of a leaky cell, and what comes back through a residual stack of them."""

import math

import numpy

from course_lib.grading.problem import Part
from course_lib.grading.sets import asked

from .paths import AUTOGRAD


def edges(variant, x, h, weight_ih, weight_hh, bias, *, keeps=True, scaled=True, slope="tanh", columns=False):
    """Both Jacobians of h' = (1 - leak) h + leak tanh(W x + U h + b). Source: Jaeger, Lukosevicius et al. 2007."""
    leak = variant["leak"]
    inner = numpy.tanh(weight_ih @ x + weight_hh @ h + bias)
    new = (1 - leak) * h + leak * inner
    tangent = {"tanh": 1 - inner**2, "new": 1 - new**2, "none": numpy.ones_like(h)}[slope]
    tangent = tangent * (leak if scaled else 1.0)
    by_time = weight_hh * tangent if columns else tangent[:, None] * weight_hh
    return [by_time + (1 - leak) * numpy.eye(len(h)) * keeps, tangent[:, None] * weight_ih]


def stream_gradient(variant, lag, num_layers, w, *, first=0, leak_up=True, one_way=False, of_h=False):
    """du/dx over a lag: G (1 + G)^(L-1), G = leak w / (1 - (1 - leak) z), by the binomial theorem."""
    leak = variant["leak"]
    up, total = (leak if leak_up else 1.0) * w, 0.0
    for m in range(1 - first, num_layers + 1):  # the path passes m cells
        chosen = math.comb(num_layers - 1 + first, m - 1 + first)
        if of_h:  # the top cell is one of them, and so is the bottom one
            chosen = math.comb(num_layers - 2, m - 2) if m > 1 else 0
        waits = math.comb(lag + m - 1, lag) if m else float(lag == 0)
        total += chosen * up**m * (1 - leak) ** lag * (1 if one_way else waits)
    return total


def plain_gradient(variant, lag, num_layers, w):
    leak = variant["leak"]
    return (leak * w) ** num_layers * (1 - leak) ** lag * math.comb(lag + num_layers - 1, lag)


EDGE_MISTAKES = {
    "the leak's own path is missing: h' keeps (1 - leak) h, which adds to the edge in time": {"keeps": False},
    "the leak scales the tanh, so it scales its slope too": {"scaled": False},
    "the slope is 1 - tanh(z)^2; the new h is not tanh(z) here": {"slope": "new"},
    "the slope of tanh is missing": {"slope": "none"},
    "the slope belongs to the rows of U, the units that are computed": {"columns": True},
}
STREAM_MISTAKES = {
    "that is a plain stack: which layers can a path pass by?": plain_gradient,
    "layer 1 is passed by in yours: has it a skip?": lambda v, *case: stream_gradient(v, *case, first=1),
    "in how many orders can a path spend its lag? yours is one": lambda v, *case: stream_gradient(
        v, *case, one_way=True
    ),
    "the leak is missing on the way up": lambda v, *case: stream_gradient(v, *case, leak_up=False),
    "that is the gradient of the top h; the output is the stream": lambda v, *case: stream_gradient(
        v, *case, of_h=True
    ),
}


def _draw_cell(variant, rng):
    d, n = int(rng.integers(2, 4)), int(rng.integers(4, 6))
    shapes = ((d,), (n,), (n, d), (n, n), (n,))
    return tuple(rng.standard_normal(shape) for shape in shapes)


def _draw_stream(variant, rng):
    return int(rng.integers(1, 8)), int(rng.integers(3, 7)), round(float(rng.uniform(0.5, 1.5)), 2)


def _edge_mistake(options):
    return lambda variant, *arguments: edges(variant, *arguments, **options)


def _exchanged(variant, *arguments):
    return edges(variant, *arguments)[::-1]


PARTS = (
    Part(
        "3a",
        "the edges of a leaky cell",
        2.0,
        asked(
            "edges",
            _draw_cell,
            edges,
            {hint: _edge_mistake(options) for hint, options in EDGE_MISTAKES.items()}
            | {"the edge in time comes first, then the one in depth": _exchanged},
        ),
        AUTOGRAD,
    ),
    Part(
        "3b",
        "the gradient of the stream",
        4.0,
        asked("stream_gradient", _draw_stream, stream_gradient, STREAM_MISTAKES, 6),
        AUTOGRAD,
    ),
)
