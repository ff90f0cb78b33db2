"""The questions of the self-check quizzes, one module a lesson's idea: wrong answers are named misconceptions."""

from course_lib.checks.questions import (
    clocks,
    first_steps,
    gradients,
    real_data,
    recipe,
    single_layer,
    stacking,
    trainable,
)

MODULES = (
    first_steps,
    single_layer,
    stacking,
    clocks,
    gradients,
    trainable,
    recipe,
    real_data,
)  # in the order of the lessons
QUESTIONS = {identity: question for module in MODULES for identity, question in module.QUESTIONS.items()}
