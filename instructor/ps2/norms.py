"""Problem 2 of set 2: the largest gradient, measured in a weighted maximum norm."""

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


def one_path(variant, by_time, by_depth):
    a = max(weighted_norm(variant, edge) for row in by_time for edge in row[1:])
    b = max(weighted_norm(variant, edge) for row in by_depth for edge in row)
    layers, times = numpy.indices(by_time.shape[:2])
    return a**times * b ** (layers + 1)


NORM_MISTAKES = {
    "the weights are upside down: column j gets w_j, row i is divided by w_i": lambda v, m: weighted_norm(
        v, m, inverted=True
    ),
    "the weights are missing: this is the plain row-sum norm": lambda v, m: weighted_norm(v, m, plain=True),
    "you add up columns; the largest |v_i| / w_i belongs to a row": columns_norm,
    "the sign can be chosen for each entry of v, so add absolute values": signed_norm,
    "that is the spectral norm; here lengths are measured by the largest entry": spectral,
}
BOUND_MISTAKES = {
    "these are the spectral norms' bounds; use the weighted norm": lambda v, *edges: bound(v, *edges, norm=spectral),
    "this is the bound of one path; a gradient is the sum of all": one_path,
    "you keep the larger of the two ways; the gradient adds them": lambda v, *edges: bound(v, *edges, join=max),
    "x_1 is read at step 1 only; you let it enter at every step": lambda v, *edges: bound(v, *edges, every_step=True),
}


def _draw_matrix(variant, rng):
    return (rng.standard_normal((4, 4)),)


def _draw_edges(variant, rng):
    shape = (int(rng.integers(2, 5)), int(rng.integers(4, 7)), 4, 4)
    return 0.4 * rng.standard_normal(shape), 0.4 * rng.standard_normal(shape)


PARTS = (
    Part("2a", "a weighted norm", 1.0, asked("weighted_norm", _draw_matrix, weighted_norm, NORM_MISTAKES, 6)),
    Part("2b", "the bound in that norm", 2.0, asked("bound", _draw_edges, bound, BOUND_MISTAKES, 3)),
)
