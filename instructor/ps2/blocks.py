"""Problem 4 of set 2: a dropout mask that all layers share and that stands still for a block of steps."""

import itertools
import math

import numpy

from course_lib.grading.problem import Part
from course_lib.grading.sets import asked


def block_of(variant, time, *, offset=None, shift=1):
    """The block of a step, from 0; steps count from 1, and the first block is shorter by the offset."""
    offset = variant["block"]["offset"] if offset is None else offset
    return (time - shift + offset) // variant["block"]["length"]


def block_mask(variant, uniform, keep, num_steps, *, flip=False, scaled=True, each_step=False, **block):
    rows = [time - 1 if each_step else block_of(variant, time, **block) for time in range(1, num_steps + 1)]
    kept = uniform[rows] >= keep if flip else uniform[rows] < keep
    return kept / (keep if scaled else 1.0)


def mean_gradient(variant, num_layers, num_steps, keep, *, block=block_of, scaled=True, entry=False):
    """The mean over masks of the sum over paths from x_1; a path goes up at L - 1 steps, some of them the same."""
    total = 0.0
    for ups in itertools.combinations_with_replacement(range(1, num_steps + 1), num_layers - 1):
        ups = (1, *ups) if entry else ups
        factors = len(ups) if scaled else 0
        total += keep ** (len({block(variant, time) for time in ups}) - factors)
    return total


def _number_of_paths(variant, num_layers, num_steps, keep):
    return math.comb(num_layers + num_steps - 2, num_layers - 1)


MASK_MISTAKES = {
    "the offset is missing: the first block is shorter": {"offset": 0},
    "steps count from 1, and step 1 is the first of its block": {"shift": 0},
    "the mask changes at every step; it stands still for a block": {"each_step": True},
    "kept entries are divided by keep, so that the mean stays": {"scaled": False},
    "an entry is kept where its number is below keep; yours are exchanged": {"flip": True},
}
MEAN_MISTAKES = {
    "that is the number of paths: are a path's masks independent?": _number_of_paths,
    "that is one mask for the whole sequence": lambda v, *case: mean_gradient(v, *case, block=lambda v, time: 0),
    "that is a new mask at every step": lambda v, *case: mean_gradient(v, *case, block=lambda v, time: time),
    "the offset is missing: the first block is shorter": lambda v, *case: mean_gradient(
        v, *case, block=lambda v, time: block_of(v, time, offset=0)
    ),
    "every edge is kept in yours: is it, for each mask?": lambda v, layers, steps, keep: (
        _number_of_paths(v, layers, steps, keep) / keep ** (layers - 1)
    ),
    "kept edges count 1 in yours: look at the entries of 4a": lambda v, *case: mean_gradient(v, *case, scaled=False),
    "you mask the edge from x_1 as well": lambda v, *case: mean_gradient(v, *case, entry=True),
}


def _draw_mask(variant, rng):
    steps = int(rng.integers(10, 16))
    return rng.uniform(size=(steps + 1, 5)), round(float(rng.uniform(0.4, 0.8)), 2), steps


def _draw_mean(variant, rng):
    return int(rng.integers(3, 6)), int(rng.integers(7, 11)), round(float(rng.uniform(0.4, 0.8)), 2)


def _mask_mistake(options):
    return lambda variant, *arguments: numpy.asarray(block_mask(variant, *arguments, **options))


PARTS = (
    Part(
        "4a",
        "a mask in blocks",
        1.0,
        asked(
            "block_mask", _draw_mask, block_mask, {hint: _mask_mistake(each) for hint, each in MASK_MISTAKES.items()}
        ),
    ),
    Part("4b", "the mean gradient under it", 4.0, asked("mean_gradient", _draw_mean, mean_gradient, MEAN_MISTAKES)),
)
