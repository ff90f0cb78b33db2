"""How an answer is checked: one module an idea, and the record of what a learner predicted and solved.

``checks.stacking.step(answer)`` returns a Verdict; ``predict``, ``reveal``, ``hint``, ``quiz`` and ``progress`` speak.
"""

from course_lib.checks import (
    broken,
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
from course_lib.checks.exercise import Verdict, hint
from course_lib.checks.predictions import predict, reveal
from course_lib.checks.quiz import quiz, where_to_start
from course_lib.checks.record import progress

__all__ = [
    "Verdict",
    "broken",
    "clocks",
    "counting",
    "fair",
    "first_steps",
    "gradients",
    "hint",
    "masks",
    "pipelining",
    "predict",
    "progress",
    "quiz",
    "real_data",
    "regimes",
    "residuals",
    "reveal",
    "single_layer",
    "stacking",
    "timescales",
    "trainable",
    "where_to_start",
]
