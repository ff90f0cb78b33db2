"""The toy assignment's problem set; its judge draws no cases."""

from course_lib.grading.problem import Part, ProblemSet

PARTS = [
    Part("1a", "first", 2.0, lambda variant, rng: iter(())),
    Part("2", "second", 3.0, lambda variant, rng: iter(())),
]
PROBLEMS = ProblemSet("toy", "A toy", PARTS, lambda rng: {"n": 3}, ("3",))
