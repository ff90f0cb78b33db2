"""The answer to every exercise, written as a learner would, and what learners get wrong; one module an idea.

A module has ``RIGHT``, an id to (check, right answer), and ``MISTAKES``, an id to {words of the verdict: wrong answer}.
"""

from tests.mistakes import (
    clocks,
    counting,
    fair,
    first_steps,
    gradients,
    masks,
    pipelining,
    real_data,
    regimes,
    residuals,
    single_layer,
    stacking,
    timescales,
    trainable,
)

MODULES = (
    first_steps,
    single_layer,
    stacking,
    counting,
    pipelining,
    timescales,
    clocks,
    gradients,
    regimes,
    residuals,
    trainable,
    fair,
    masks,
    real_data,
)
RIGHT = {identity: pair for module in MODULES for identity, pair in module.RIGHT.items()}
MISTAKES = {identity: wrong for module in MODULES for identity, wrong in module.MISTAKES.items()}
