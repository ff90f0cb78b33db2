"""Problem 4 of set 1: an LSTM whose gates look at c, and a stack of them with faults to be found."""

import numpy

from course_lib.grading.problem import Part
from course_lib.grading.sets import asked

from .gated import CELLS, sigmoid

FAULTS = ("reads c", "late", "raw input", "borrowed state")


def peephole_step(
    variant, x, h, c, weight_ih, weight_hh, bias, *, looks="new", peepholes=(0, 1, 2), order="ifgo", bare=False
):
    """Source: Gers, Schraudolph and Schmidhuber 2002, with one strength a gate.

    ``peepholes`` are the places of p_i, p_f, p_o in the variant; -1 is none.
    """
    p_i, p_f, p_o = (variant["peepholes"][place] if place >= 0 else 0 for place in peepholes)
    blocks = dict(zip(order, numpy.split(x @ weight_ih.T + h @ weight_hh.T + bias, 4, axis=-1)))
    i, f, g = sigmoid(blocks["i"] + p_i * c), sigmoid(blocks["f"] + p_f * c), numpy.tanh(blocks["g"])
    new = f * c + i * g
    o = sigmoid(blocks["o"] + p_o * (new if looks == "new" else c))
    return [o * (new if bare else numpy.tanh(new)), new]


def node(variant, fault, x_t, h, c, t, layer, cell):
    """What a layer (from 0) with a fault gives at step t (from 1); h and c have the initial states at 0."""
    if layer == 0:
        return peephole_step(variant, x_t, h[t - 1, 0], c[t - 1, 0], *cell)
    read = {"reads c": c[t, layer - 1], "late": h[t - 1, layer - 1], "raw input": x_t}.get(fault, h[t, layer - 1])
    own = layer - (fault == "borrowed state")
    return peephole_step(variant, read, h[t - 1, own], c[t - 1, own], *cell)


def diagnose(variant, x, h, c, cells):
    words = ["healthy"]
    for layer in range(1, len(cells)):
        off = {}
        for word in ("healthy", *FAULTS):
            given = [node(variant, word, x[t - 1], h, c, t, layer, cells[layer])[0] for t in range(1, len(h))]
            off[word] = numpy.abs(numpy.stack(given) - h[1:, layer]).max()
        words.append(min(off, key=off.get))
    return words


def _exchanged(variant, *given):
    other = {"late": "reads c", "reads c": "late"}
    return [other.get(word, word) for word in diagnose(variant, *given)]


def _lowest(variant, *given):
    words = diagnose(variant, *given)
    first = next(layer for layer, word in enumerate(words) if word != "healthy")
    return [word if layer == first else "healthy" for layer, word in enumerate(words)]


STEP_MISTAKES = {
    "the output gate looks at the old c; it looks at the new one": {"looks": "old"},
    "the peepholes are missing: three gates look at c": {"peepholes": (-1, -1, -1)},
    "p_i and p_f are exchanged": {"peepholes": (1, 0, 2)},
    "the blocks stand in the order i, f, g, o; yours are i, f, o, g": {"order": "ifog"},
    "h is o * tanh(c); the tanh is missing": {"bare": True},
}
DIAGNOSIS_MISTAKES = {
    "every layer is called healthy; compute each one from what it should read": lambda v, x, h, c, cells: (
        ["healthy"] * len(cells)
    ),
    "your list runs from the top down; layer 1 comes first": lambda v, *given: diagnose(v, *given)[::-1],
    "'late' and 'reads c' are exchanged": _exchanged,
    "only the lowest fault is named; a layer above a fault can have one of its own": _lowest,
}


def _draw_step(variant, rng):
    batch, d, n = (int(size) for size in rng.integers(2, 5, 3))
    shapes = ((batch, d), (batch, n), (batch, n), (4 * n, d), (4 * n, n), (4 * n,))
    return tuple(rng.standard_normal(shape) for shape in shapes)


def _draw_stack(variant, rng):
    """Six layers: the bottom one is healthy, the others have each fault once and one more is healthy."""
    n, steps = 3, 4
    words = ["healthy", *rng.permutation([*FAULTS, "healthy"])]
    x, h, c = (rng.standard_normal(shape) for shape in ((steps, n), (steps + 1, 6, n), (steps + 1, 6, n)))
    cells = [[rng.standard_normal(shape) for shape in ((4 * n, n), (4 * n, n), (4 * n,))] for _ in words]
    for t in range(1, steps + 1):
        for layer, word in enumerate(words):
            h[t, layer], c[t, layer] = node(variant, word, x[t - 1], h, c, t, layer, cells[layer])
    return x, h, c, cells


def _swapped(variant, *arguments):
    return peephole_step(variant, *arguments)[::-1]


def _step_mistake(options):
    return lambda variant, *arguments: peephole_step(variant, *arguments, **options)


PARTS = (
    Part(
        "4a",
        "the peephole step",
        2.0,
        asked(
            "peephole_step",
            _draw_step,
            peephole_step,
            {hint: _step_mistake(options) for hint, options in STEP_MISTAKES.items()}
            | {"c comes first in your answer; give back h, then c": _swapped},
        ),
        CELLS,
    ),
    Part("4b", "which layers are broken", 3.0, asked("diagnose", _draw_stack, diagnose, DIAGNOSIS_MISTAKES, 3)),
)
