"""Problem set 1, after lesson 02: a new cell, another wiring, the cone it has, and where c stays."""

from course_lib.grading.problem import ProblemSet

from . import cone, feed, gated, peephole

FED = ((4, 2), (5, 2), (5, 3))  # with a layer above the bottom one that would be fed if feeding did not start at first


def variant(rng):
    """A student's own constants."""

    def pick(low, high):
        return round(float(rng.uniform(low, high)), 2)

    first, every = FED[rng.integers(len(FED))]
    hops = [int(hop) for hop in rng.permutation([2, 3, 4, 5, 6])[:4]]
    return {
        "leak": pick(0.35, 0.85),
        "feed": {"first": first, "every": every, "gain": pick(0.3, 0.8)},
        "cell": {
            "blocks": int(rng.integers(4, 7)),
            "biases": int(rng.integers(1, 3)),
            "peepholes": int(rng.integers(1, 4)),
        },
        "hops": hops,
        "delays": [int(delay) for delay in rng.integers(1, 4, 4)],
        "peepholes": [pick(0.3, 0.9), -pick(0.3, 0.9), pick(1.0, 1.6)],
    }


PROBLEMS = ProblemSet(
    name="ps1",
    title="Problem set 1: other cells, other wirings",
    parts=(*gated.PARTS, *feed.PARTS, *cone.PARTS, *peephole.PARTS),
    variant=variant,
    written=("5",),
)
