"""Problem set 2, after lesson 04: paths with skips, another norm, leaky edges, shared masks, broken gradients."""

from course_lib.grading.problem import ProblemSet

from . import blocks, leaky, maps, norms, paths


def variant(rng):
    """A student's own constants."""

    def pick(low, high):
        return round(float(rng.uniform(low, high)), 2)

    length = int(rng.integers(3, 8))
    return {
        "skip": {"layers": int(rng.integers(2, 4)), "steps": int(rng.integers(2, 5)), "strength": pick(0.3, 0.8)},
        "weights": [float(each) / 4 for each in rng.permutation([2, 3, 5, 7, 9])[:4]],
        "leak": pick(0.25, 0.75),
        "block": {"length": length, "offset": int(rng.integers(1, length - 1))},
        "edges": {"time": pick(0.5, 0.9), "depth": pick(0.5, 0.9)},
    }


PROBLEMS = ProblemSet(
    name="ps2",
    title="Problem set 2: gradients on other grids",
    parts=(*paths.PARTS, *norms.PARTS, *leaky.PARTS, *blocks.PARTS, *maps.PARTS),
    variant=variant,
    written=("6",),
)
