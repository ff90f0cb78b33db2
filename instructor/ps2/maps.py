"""Problem 5 of set 2: find the broken layer in a gradient map."""

import numpy

from course_lib.grading.problem import Part
from course_lib.grading.sets import asked

# The lowest layer with the fault. Below, maps look alike: no row shows x, so layer 1 that reads it wrongly is as if it
# were healthy, and layer 2 gives nothing back if it is detached and nothing if it skips to x.
LOWEST = {"forgets": 1, "detached": 3, "late": 2, "twice": 2, "skips": 3}


def gradient_map(variant, num_layers, num_steps, broken=0, fault=""):
    """dh_T^(L)/dh_t^(l) of linear layers of width 1, (layers, time), with one layer broken."""
    a, b = variant["edges"]["time"], variant["edges"]["depth"]
    found = numpy.zeros((num_layers + 3, num_steps + 2))  # with a margin of zeros; layers and steps from 1
    found[num_layers, num_steps] = 1.0
    for layer in range(num_layers, 0, -1):
        for time in range(num_steps, 0, -1):
            here = 0.0 if (layer, fault) == (broken, "forgets") else a * found[layer, time + 1]
            if layer + 1 != broken or fault in ("", "forgets"):
                here += b * found[layer + 1, time]
            elif fault in ("late", "twice"):
                here += b * found[layer + 1, time + 1] if fault == "late" else 2 * b * found[layer + 1, time]
            if (layer + 2, fault) == (broken, "skips"):
                here += b * found[layer + 2, time]
            found[layer, time] += here
    return found[1 : num_layers + 1, 1 : num_steps + 1]


def diagnose(variant, maps):
    """[layer, fault] for every map, by trying all."""
    answers = []
    for seen in maps:
        layers, steps = seen.shape
        tries = {
            (layer, fault): numpy.abs(seen - gradient_map(variant, layers, steps, layer, fault)).max()
            for fault, lowest in LOWEST.items()
            for layer in range(lowest, layers + 1)
        }
        answers.append([*min(tries, key=tries.get)])
    return answers


def _renamed(words):
    return lambda variant, maps: [[layer, words.get(fault, fault)] for layer, fault in diagnose(variant, maps)]


MISTAKES = {
    "your layers are one too low: who owns an edge, the layer that gives or that reads?": lambda v, maps: [
        [layer - 1, fault] for layer, fault in diagnose(v, maps)
    ],
    "your layers are counted from the top": lambda v, maps: [
        [len(seen) + 1 - layer, fault] for seen, (layer, fault) in zip(maps, diagnose(v, maps))
    ],
    "'detached' and 'skips' are exchanged: what do layers further down get?": _renamed(
        {"detached": "skips", "skips": "detached"}
    ),
    "'late' and 'forgets' are exchanged: look at the last column": _renamed({"late": "forgets", "forgets": "late"}),
}


def _draw_maps(variant, rng):
    """One map of each fault, in any order."""
    maps = []
    for fault in rng.permutation(list(LOWEST)):
        layers, steps = int(rng.integers(4, 7)), int(rng.integers(5, 9))
        broken = int(rng.integers(LOWEST[fault], layers + 1))
        maps.append(gradient_map(variant, layers, steps, broken, str(fault)))
    return (maps,)


PARTS = (Part("5", "which layer is broken", 4.0, asked("diagnose", _draw_maps, diagnose, MISTAKES, 2)),)
