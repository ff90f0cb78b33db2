"""Problem 2 of set 1: a stack in which some upper layers read the input too, after Graves 2013."""

import numpy

from course_lib.grading.problem import Part
from course_lib.grading.sets import asked

from .gated import CELLS


def is_fed(variant, layer, counted_from=1, below=False) -> bool:
    first, every = variant["feed"]["first"], variant["feed"]["every"]
    layer = layer - 1 + counted_from
    return (below or layer >= first) and (layer - first) % every == 0


def reads(variant, d, widths, fed=is_fed):
    below = [d, *widths[:-1]]
    return [read + d * (layer > 1 and fed(variant, layer)) for layer, read in enumerate(below, start=1)]


def count(variant, d, widths, *, fed=is_fed, past=True, **cell):
    cell = {**variant["cell"], **cell}
    total = 0
    for read, n in zip(reads(variant, d, widths, fed), widths):
        total += cell["blocks"] * n * (read + n * past + cell["biases"]) + cell["peepholes"] * n
    return total


def run(variant, x, layers, *, order="below first", gain=None, gain_h=1, late=None, memory=True, gain_first=False):
    """The last h of every layer; vanilla cells from zeros."""
    gain = variant["feed"]["gain"] if gain is None else gain
    old = [numpy.zeros(len(bias)) for _, _, bias in layers]
    for t, x_t in enumerate(x):
        new = []
        for layer, (weight_ih, weight_hh, bias) in enumerate(layers, start=1):
            below = (old if late == "below" else new)[layer - 2] if layer > 1 else x_t * (gain if gain_first else 1)
            if layer > 1 and is_fed(variant, layer):
                fed = gain * (x_t if late != "x" else x[t - 1] if t else numpy.zeros_like(x_t))
                below = below * (variant["feed"]["gain"] if gain_h is None else gain_h)
                below = numpy.concatenate([below, fed] if order == "below first" else [fed, below])
            past = old[layer - 1] if memory else numpy.zeros_like(bias)
            new.append(numpy.tanh(weight_ih @ below + weight_hh @ past + bias))
        old = new
    return old


def _only_first(variant, layer):
    return layer == variant["feed"]["first"]


READS_MISTAKES = {
    "the layers are counted from 1, the bottom one: yours are fed one layer too high": lambda v, d, w: reads(
        v, d, w, lambda v, layer: is_fed(v, layer, counted_from=0)
    ),
    "layers below `first` are fed in yours; feeding starts there": lambda v, d, w: reads(
        v, d, w, lambda v, layer: is_fed(v, layer, below=True)
    ),
    "from the first fed layer on you feed each one; only every `every`-th is fed": lambda v, d, w: reads(
        v, d, w, lambda v, layer: layer >= v["feed"]["first"]
    ),
    "only the first of the fed layers gets x; feeding goes on every `every` layers": lambda v, d, w: reads(
        v, d, w, _only_first
    ),
    "a fed layer reads x beside h from below, not in its place": lambda v, d, w: [
        d if layer == 1 or is_fed(v, layer) else w[layer - 2] for layer in range(1, len(w) + 1)
    ],
    "these are the layers' own widths plus x; a layer reads the width of the layer below": lambda v, d, w: [
        d if layer == 1 else w[layer - 1] + d * is_fed(v, layer) for layer in range(1, len(w) + 1)
    ],
}
COUNT_MISTAKES = {
    "this counts a plain stack: fed layers have weights for x as well": lambda v, d, w: count(
        v, d, w, fed=lambda v, layer: False
    ),
    "the weights for a layer's own past are missing": lambda v, d, w: count(v, d, w, past=False),
    "the peepholes are missing: each is one weight a unit": lambda v, d, w: count(v, d, w, peepholes=0),
    "a peephole is one weight a unit, not a matrix": lambda v, d, w: (
        count(v, d, w, peepholes=0) + v["cell"]["peepholes"] * sum(n * n for n in w)
    ),
    "your cells have another number of biases a row": lambda v, d, w: count(v, d, w, biases=3 - v["cell"]["biases"]),
    "a block or a row? yours has one set of biases a block": lambda v, d, w: (
        count(v, d, w, biases=0) + v["cell"]["blocks"] * v["cell"]["biases"] * len(w)
    ),
    "one peephole a gate? each unit has its own": lambda v, d, w: (
        count(v, d, w, peepholes=0) + v["cell"]["peepholes"] * len(w)
    ),
    "the gain is a constant and no parameter": lambda v, d, w: (
        count(v, d, w) + sum(is_fed(v, layer) for layer in range(2, len(w) + 1))
    ),
}
RUN_MISTAKES = {
    "fed layers read h from below first and x after it; yours read x first": {"order": "x first"},
    "the gain is missing: fed layers read gain * x": {"gain": 1.0},
    "the gain is on h; it belongs to x": {"gain": 1.0, "gain_h": None},
    "the gain is on h as well; it belongs to x alone": {"gain_h": None},
    "the gain weakens x where a layer is fed; layer 1 reads x as it is": {"gain_first": True},
    "a layer reads the old h of the layer below; it reads the one of the same step": {"late": "below"},
    "fed layers read x of the step before; they read x of the same step": {"late": "x"},
    "the layers forget: each starts every step from zeros": {"memory": False},
}


def _draw_sizes(variant, rng):
    return int(rng.integers(2, 6)), [int(n) for n in rng.permutation(numpy.arange(2, 11))[: rng.integers(7, 10)]]


def _draw_run(variant, rng):
    d, widths = int(rng.integers(2, 4)), [int(n) for n in rng.permutation(numpy.arange(2, 9))]
    layers = [
        [0.5 * rng.standard_normal(shape) for shape in ((n, read), (n, n), (n,))]
        for read, n in zip(reads(variant, d, widths), widths)
    ]
    return rng.standard_normal((int(rng.integers(3, 6)), d)), layers


def _run_mistake(options):
    return lambda variant, x, layers: run(variant, x, layers, **options)


PARTS = (
    Part("2a", "what each layer reads", 1.0, asked("reads", _draw_sizes, reads, READS_MISTAKES)),
    Part("2b", "how many parameters", 2.0, asked("count", _draw_sizes, count, COUNT_MISTAKES), ("parameters", "numel")),
    Part(
        "2c",
        "the fed stack, run",
        3.0,
        asked("run", _draw_run, run, {hint: _run_mistake(options) for hint, options in RUN_MISTAKES.items()}, 3),
        CELLS,
    ),
)
