"""Problem 3 of set 1: what a node depends on if layers hop in time and hand up late."""

from course_lib.grading.problem import Part
from course_lib.grading.sets import asked


def cone(hops, delays, layer, time, first=1) -> set[tuple[int, int]]:
    """All nodes (layer, step) on which a node depends, itself and the inputs, layer 0, included."""
    found, waiting = set(), [(layer, time)]
    while waiting:
        m, s = waiting.pop()
        if s < first or (m, s) in found:
            continue
        found.add((m, s))
        if m:
            waiting += [(m, s - hops[m - 1]), (m - 1, s - delays[m - 1])]
    return found


def inputs_read(variant, layer, time, **changes):
    changed = {"hops": variant["hops"], "delays": variant["delays"], **changes}
    return sorted(s for m, s in cone(layer=layer, time=time, **changed) if m == 0)


def nodes_read(variant, layer, time, **changes):
    changed = {"hops": variant["hops"], "delays": variant["delays"], **changes}
    return sum(m > 0 for m, _ in cone(layer=layer, time=time, **changed))


def routes(variant, layer, time):
    """How many ways lead down from a node, to any hidden node; the empty way is one."""
    if layer == 0 or time < 1:
        return 0
    hop, delay = variant["hops"][layer - 1], variant["delays"][layer - 1]
    return 1 + routes(variant, layer, time - hop) + routes(variant, layer - 1, time - delay)


def _top_hops(variant, layer):
    """Layers below do not hop."""
    return [10**6] * (layer - 1) + [variant["hops"][layer - 1]] + [10**6] * (len(variant["hops"]) - layer)


NO_DELAYS = [0] * 8
INPUT_MISTAKES = {
    "all steps so far are listed; a layer that hops leaves steps out": lambda v, layer, time: list(range(1, time + 1)),
    "the delays are missing: a layer reads the one below `delay` steps late": lambda v, layer, time: inputs_read(
        v, layer, time, delays=NO_DELAYS
    ),
    "hops and delays are exchanged": lambda v, layer, time: inputs_read(
        v, layer, time, hops=v["delays"], delays=v["hops"]
    ),
    "only this layer hops in your answer; on the way down every layer hops": lambda v, layer, time: inputs_read(
        v, layer, time, hops=_top_hops(v, layer)
    ),
    "layer 1 has a delay as well: it reads x late": lambda v, layer, time: inputs_read(
        v, layer, time, delays=[0, *v["delays"][1:]]
    ),
    "these are distances back in time; give the steps themselves": lambda v, layer, time: sorted(
        time - step for step in inputs_read(v, layer, time)
    ),
    "steps before the first are listed; the sequence starts at 1": lambda v, layer, time: inputs_read(
        v, layer, time, first=-time
    ),
}
NODE_MISTAKES = {
    "the node itself is missing; it counts": lambda v, layer, time: nodes_read(v, layer, time) - 1,
    "the inputs are counted too; count hidden nodes only": lambda v, layer, time: (
        nodes_read(v, layer, time) + len(inputs_read(v, layer, time))
    ),
    "that is the whole rectangle, as in a stack without hops and delays": lambda v, layer, time: layer * time,
    "the delays are missing: a layer reads the one below `delay` steps late": lambda v, layer, time: nodes_read(
        v, layer, time, delays=NO_DELAYS
    ),
    "hops and delays are exchanged": lambda v, layer, time: nodes_read(
        v, layer, time, hops=v["delays"], delays=v["hops"]
    ),
    "you count ways; a node that is reached in several ways counts once": routes,
}


def _draw_node(variant, rng):
    return int(rng.integers(2, len(variant["hops"]) + 1)), int(rng.integers(16, 25))


PARTS = (
    Part("3a", "which inputs a node sees", 2.0, asked("inputs_read", _draw_node, inputs_read, INPUT_MISTAKES, 6)),
    Part("3b", "how many nodes it depends on", 2.0, asked("nodes_read", _draw_node, nodes_read, NODE_MISTAKES, 6)),
)
