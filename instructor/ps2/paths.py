"""Problem 1 of set 2: paths on a grid with two more kinds of edges, up past layers and on past steps."""

import math

import numpy

from course_lib.grading.problem import Part
from course_lib.grading.sets import asked

AUTOGRAD = ("autograd.grad", "backward", "jacobian", "jacrev", "jacfwd")


def count_paths(variant, num_layers, num_steps, *, up=True, on=True, from_input=False):
    """How many paths lead from x_1 to h of the top layer at the last step."""
    skip = variant["skip"]
    found = {(0, 1): 1}
    for layer in range(1, num_layers + 1):
        for time in range(1, num_steps + 1):
            ways = found.get((layer, time - 1), 0) + found.get((layer - 1, time), 0)
            if up and layer - skip["layers"] >= (0 if from_input else 1):
                ways += found.get((layer - skip["layers"], time), 0)
            if on:
                ways += found.get((layer, time - skip["steps"]), 0)
            found[layer, time] = ways
    return found[num_layers, num_steps]


def path_sum(variant, by_time, by_depth, *, strength=(None, None), begins=False, reverse=False, every_step=False):
    """The gradient of h of the top layer at the last step by x_1; x_1 enters layer 1 alone."""
    skip = variant["skip"]
    up, on = (skip["strength"] if each is None else each for each in strength)
    num_layers, num_steps, n, _ = by_time.shape
    found = numpy.zeros((num_layers, num_steps, n, n))

    def times(edge, carried):
        return carried @ edge if reverse else edge @ carried

    for layer in range(num_layers):
        for time in range(num_steps):
            here = found[layer, time]
            if layer == 0 and (time == 0 or every_step):
                here += by_depth[0, time]
            if time:
                here += times(by_time[layer, time - begins], found[layer, time - 1])
            if layer:
                here += times(by_depth[layer - begins, time], found[layer - 1, time])
            if layer >= skip["layers"]:
                here += up * found[layer - skip["layers"], time]
            if time >= skip["steps"]:
                here += on * found[layer, time - skip["steps"]]
    return found[-1, -1]


COUNT_MISTAKES = {
    "that is a plain grid's number; skip edges make paths of their own": lambda v, layers, steps: math.comb(
        layers + steps - 2, layers - 1
    ),
    "paths that skip steps are missing": lambda v, layers, steps: count_paths(v, layers, steps, on=False),
    "paths that skip layers are missing": lambda v, layers, steps: count_paths(v, layers, steps, up=False),
    "x_1 enters layer 1 alone; no skip edge starts at the input": lambda v, layers, steps: count_paths(
        v, layers, steps, from_input=True
    ),
}
SUM_MISTAKES = {
    "the products run the wrong way: the last edge stands leftmost": {"reverse": True},
    "a skip edge multiplies by its strength, not by 1": {"strength": (1.0, 1.0)},
    "the strength is missing on edges that skip layers": {"strength": (1.0, None)},
    "the strength is missing on edges that skip steps": {"strength": (None, 1.0)},
    "the skip edges are missing": {"strength": (0.0, 0.0)},
    "an edge belongs to the node where it ends; you take the one before": {"begins": True},
    "x_1 is read at step 1 only; you let it enter at every step": {"every_step": True},
}


def _draw_sizes(variant, rng):
    return int(rng.integers(4, 8)), int(rng.integers(6, 10))


def _draw_edges(variant, rng):
    shape = (int(rng.integers(4, 6)), int(rng.integers(5, 7)), 3, 3)
    return 0.5 * rng.standard_normal(shape), 0.5 * rng.standard_normal(shape)


def _sum_mistake(options):
    return lambda variant, *edges: path_sum(variant, *edges, **options)


PARTS = (
    Part("1a", "how many paths", 2.0, asked("count_paths", _draw_sizes, count_paths, COUNT_MISTAKES)),
    Part(
        "1b",
        "the sum over all paths",
        3.0,
        asked("path_sum", _draw_edges, path_sum, {hint: _sum_mistake(each) for hint, each in SUM_MISTAKES.items()}),
        AUTOGRAD,
    ),
)
