"""What trains: right and wrong answers."""

import math

import numpy

from course_lib import checks
from course_lib.checks import trainable
from course_lib.experiments import store
from course_lib.experiments.trainability import row

STORED = {
    bias: [
        math.inf if math.isnan(step) else step
        for step in store.values("trainability", "solved", **row("recall", "lstm", 1, forget_bias=bias))
    ]
    for bias in trainable.BIASES
}
BIAS_STEPS = {
    "bias 0: yours is solved at step 40, five stored seeds are not": lambda: STORED | {0: [40, 50, 35]},
    "bias 2: yours stays unsolved, five stored seeds solve it": lambda: STORED | {2: [math.inf] * 3},
    "bias 3: your median is 190 steps, five stored": lambda: STORED | {3: numpy.array([190, 185, 195])},
    "bias 2: one number has no spread": lambda: STORED | {2: 30},
    "bias 1: three seeds give three numbers, you give 2": lambda: STORED | {1: STORED[1][:2]},
    "bias 3: give back a list of steps": lambda: STORED | {3: "fast"},
    "bias 0: give back a list of steps": lambda: STORED | {0: [None] * 3},
    "at every bias all seeds took the same steps": lambda: {bias: [steps[0]] * 3 for bias, steps in STORED.items()},
    "give back a dictionary with the keys 0, 1, 2, 3": lambda: list(STORED.values()),
}
TRUTH = {name: trainable.outcome(name) for name in trainable.TWELVE}
OTHER = {"solves": "fails", "fails": "solves"}
TWELVE = {
    "all four solve? They differ": lambda: dict.fromkeys(TRUTH, "solves"),
    "all four fail? They differ": lambda: dict.fromkeys(TRUTH, "fails"),
    "3 of 4 are as measured. Look again at LSTM, plain: twelve edges of 0.14": lambda: (
        TRUTH | {"LSTM, plain": "solves"}
    ),
    "3 of 4 are as measured. Look again at LSTM, residual": lambda: TRUTH | {"LSTM, residual": "fails"},
    "3 of 4 are as measured. Look again at vanilla, plain": lambda: (
        TRUTH | {"vanilla, plain": OTHER[TRUTH["vanilla, plain"]]}
    ),
    "expected the stacks vanilla, plain; vanilla, residual": lambda: {"LSTM": "solves"},
    "is neither 'solves' nor 'fails'": lambda: TRUTH | {"LSTM, plain": "no"},
    "give back a dictionary such as": lambda: list(TRUTH.values()),
}
COUNTEREXAMPLE = {
    "times vanilla's gradient, 0.01 of it or less is asked": lambda: (1, 20),
    "2 layers, 2 steps: the LSTM keeps": lambda: [2, 2],
    "4 layers, 8 steps: the LSTM keeps": lambda: (4, 8),
    "take 1 to 12 layers and 1 to 40 steps": lambda: (100, 1),
    "give back two whole numbers (layers, steps), got int 8": lambda: 8,
    "give back two whole numbers (layers, steps), got list": lambda: (8, 1.5),
}
RIGHT = {
    "05.1": (checks.trainable.bias_steps, lambda: STORED),
    "05.2": (checks.trainable.twelve_layers, lambda: TRUTH),
    "05.5": (checks.trainable.counterexample, lambda: (8, 1)),
}
MISTAKES = {"05.1": BIAS_STEPS, "05.2": TWELVE, "05.5": COUNTEREXAMPLE}
