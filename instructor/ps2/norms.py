"""Problem 2 of set 2: the largest gradient, measured in a weighted maximum norm."""

import math

import numpy

from course_lib.grading.problem import Part
from course_lib.grading.sets import asked


def weighted_norm(variant, matrix, *, inverted=False, plain=False):
    """The operator norm of |v| = max_i |v_i| / w_i: max_i sum_j |A_ij| w_j / w_i. Source: Horn and Johnson, 5.6."""
    w = numpy.ones(len(matrix)) if plain else numpy.array(variant["weights"])
    w = 1 / w if inverted else w
    return float((numpy.abs(matrix) * w / w[:, None]).sum(axis=1).max())


def columns_norm(variant, matrix):
    w = numpy.array(variant["weights"])
    return float((numpy.abs(matrix) * w / w[:, None]).sum(axis=0).max())


def signed_norm(variant, matrix):
    w = numpy.array(variant["weights"])
    return float(numpy.abs((matrix * w / w[:, None]).sum(axis=1)).max())


def spectral(variant, matrix):
    return float(numpy.linalg.norm(matrix, 2))


def bound(variant, by_time, by_depth, *, norm=weighted_norm, join=sum, every_step=False):
    """A bound of every node's gradient by x_1 in that norm."""
    result = numpy.zeros(by_time.shape[:2])
    for layer in range(result.shape[0]):
        for time in range(result.shape[1]):
            below = result[layer - 1, time] if layer else float(time == 0 or every_step)
            left = result[layer, time - 1] if time else 0.0
            edges = norm(variant, by_time[layer, time]), norm(variant, by_depth[layer, time])
            result[layer, time] = join([edges[0] * left, edges[1] * below])
    return result


def exact(variant, by_time, by_depth):
    """The norm of every node's gradient."""
    found = numpy.zeros_like(by_depth)
    for layer, time in numpy.ndindex(by_time.shape[:2]):
        below = found[layer - 1, time] if layer else numpy.eye(by_time.shape[-1]) * (time == 0)
        found[layer, time] = by_depth[layer, time] @ below
        if time:
            found[layer, time] += by_time[layer, time] @ found[layer, time - 1]
    return numpy.array([[weighted_norm(variant, each) for each in row] for row in found])


def one_path(variant, by_time, by_depth):
    a = max(weighted_norm(variant, edge) for row in by_time for edge in row[1:])
    b = max(weighted_norm(variant, edge) for row in by_depth for edge in row)
    layers, times = numpy.indices(by_time.shape[:2])
    return a**times * b ** (layers + 1)


def counted(variant, by_time, by_depth):
    ways = [[math.comb(layer + time, time) for time in range(by_time.shape[1])] for layer in range(len(by_time))]
    return numpy.array(ways) * one_path(variant, by_time, by_depth)


NORM_MISTAKES = {
    "the weights are upside down: which index multiplies, and which divides?": lambda v, m: weighted_norm(
        v, m, inverted=True
    ),
    "the weights are missing: each entry has a unit of its own": lambda v, m: weighted_norm(v, m, plain=True),
    "rows or columns? you add up the other ones": columns_norm,
    "entries cancel in yours: which v avoids that?": signed_norm,
    "that is the spectral norm; here lengths are measured by the largest entry": spectral,
}
BOUND_MISTAKES = {
    "these are the spectral norms' bounds; use the weighted norm": lambda v, *edges: bound(v, *edges, norm=spectral),
    "this is the bound of one path; a gradient is the sum of all": one_path,
    "you keep the larger of the two ways; the gradient adds them": lambda v, *edges: bound(v, *edges, join=max),
    "x_1 is read at step 1 only; you let it enter at every step": lambda v, *edges: bound(v, *edges, every_step=True),
    "the gradient's own norm: a true bound, but not the one asked for": exact,
    "the path sum of absolute entries: a true bound, but not the one asked for": lambda v, *edges: exact(
        v, *map(numpy.abs, edges)
    ),
    "path counts times the largest norms: a true bound, but not the one asked for": counted,
}


def _draw_matrix(variant, rng):
    return (rng.standard_normal((4, 4)),)


def _draw_edges(variant, rng):
    shape = (int(rng.integers(2, 5)), int(rng.integers(4, 7)), 4, 4)
    return 0.4 * rng.standard_normal(shape), 0.4 * rng.standard_normal(shape)


PARTS = (
    Part("2a", "a weighted norm", 2.0, asked("weighted_norm", _draw_matrix, weighted_norm, NORM_MISTAKES, 6)),
    Part("2b", "the bound in that norm", 3.0, asked("bound", _draw_edges, bound, BOUND_MISTAKES, 3)),
)
