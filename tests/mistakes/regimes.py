"""Where the sum over paths passes 1, and what doubling the depth does: right and wrong answers."""

import functools

import numpy
import torch

from course_lib import RNNCell, Stack, checks, gradients, init


def crossings(start, seeds=range(5), factors=23):
    return list(computed(start, tuple(seeds), factors, torch.get_default_dtype()))


@functools.cache
@torch.enable_grad()
def computed(start, seeds, factors, dtype):
    found = []
    for seed in seeds if start is init.orthogonal else [0]:
        torch.manual_seed(seed)
        stack = start(Stack.uniform(RNNCell, 16, 16, 12), 1.0, 1.0)
        grid = stack.grid(torch.zeros(12, 1, 16))
        size = torch.linalg.matrix_norm(gradients.jacobian(grid.h(12, 12), grid.h(0, 1))[0], 2)
        found.append(size.item() ** (-1 / (factors - (start is init.orthogonal))))
    return found * (len(seeds) // len(found))


CROSSINGS = {
    "that is where one path passes 1": lambda start: [1.0] * 5,
    "that is a + b = 1": lambda start: [0.5] * 5,
    "that is a^2 + b^2 = 1": lambda start: numpy.full(5, 0.5**0.5),
    "that is the root of the number of paths": lambda start: [gradients.path_count(12, 12) ** (-1 / 46)] * 5,
    "that is with 22 factors": lambda start: crossings(start, factors=22),
    "aligned: your values are 0.655 0.655 0.655 0.655 0.655, measured here": lambda start: torch.full((5,), 0.655),
    "your values are multiples of 0.01, search finer": lambda start: [round(each, 2) for each in crossings(start)],
    "orthogonal: your values are 0.71": lambda start: crossings(start, factors=23 + (start is init.orthogonal)),
    "one number has no spread; give back five": lambda start: crossings(start, [0])[0],
    "five seeds give five numbers, you give 3": lambda start: crossings(start, range(3)),
    "give back a list of five numbers, got dict": lambda start: dict(enumerate(crossings(start))),
    "all five values are equal": lambda start: crossings(start, [0] * 5),
}
TRUTH = {name: checks.regimes.measured_change(name) for name in checks.regimes.STACKS}
DOUBLED = {
    "all three shrinks? They differ": lambda: dict.fromkeys(TRUTH, "shrinks"),
    "2 of 3 are as measured. Look again at vanilla: 10^-3.8 with 4": lambda: TRUTH | {"vanilla": "shrinks"},
    "2 of 3 are as measured. Look again at LSTM: 10^-3.9 with 4": lambda: TRUTH | {"LSTM": "stays"},
    "expected the stacks vanilla, GRU, LSTM, got vanilla": lambda: {"vanilla": "grows"},
    "no such change: GRU: 'same'": lambda: TRUTH | {"GRU": "same"},
    "give back a dictionary such as {'vanilla': 'grows', ...}, got list": lambda: list(TRUTH.values()),
}
RIGHT = {
    "04.4": (checks.regimes.crossings, crossings),
    "04.5": (checks.regimes.doubled_depth, lambda: TRUTH),
}
MISTAKES = {"04.4": CROSSINGS, "04.5": DOUBLED}
