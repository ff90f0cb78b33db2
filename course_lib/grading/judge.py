"""Marks a hand-in outside the box: draws fresh cases, asks the functions in there, compares; runs no student code."""

from collections.abc import Callable, Mapping, Sequence

import numpy

from course_lib.grading import forbidden
from course_lib.grading.box import Box, BoxError, Limits
from course_lib.grading.boxed import Boxed
from course_lib.grading.comparison import check
from course_lib.grading.outcome import Mark, Outcome
from course_lib.grading.problem import Ended, Part, ProblemSet, Wrong

LONGEST = 1 << 20  # characters of a notebook's code
NOTHING = "nothing here yet"
FAULTS = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError, RecursionError)
INCOMPARABLE = "the answers could not be compared, please look"


def grade(
    cells: Sequence[tuple[str, str]],
    problems: ProblemSet,
    variant: Mapping[str, object],
    rng: numpy.random.Generator,
    limits: Limits,
    box: Callable[..., Box] = Box,
) -> Outcome:
    """What a hand-in is worth: ``cells`` are the id and source of its code cells, the check cells left out.

    Every part draws its own random numbers, so that no part depends on another one's answers. A fault of ours, such as
    a machine without a box, is an outcome as well: "internal error" with its reason.
    """
    if sum(len(source) for _, source in cells) > LONGEST:
        text = f"source limit: the notebook's code has more than {LONGEST} characters"
        return Outcome("limit", text, {part.identity: Mark(0.0, part.points, text) for part in problems.parts})
    flags = flagged(cells, problems)
    try:
        with Boxed(cells, variant, limits, box) as student:
            marks = _marks(student, problems, variant, rng)
    except Exception as fault:
        named = str(fault) if isinstance(fault, BoxError) else f"{type(fault).__name__}: {fault}"
        return Outcome("internal error", named[:1000], flags=flags)
    status, reason = ("limit", student.why) if student.ended and student.why else ("graded", "")
    flags += tuple(f"{name}: {mark.message}" for name, mark in marks.items() if mark.message.startswith(INCOMPARABLE))
    return Outcome(status, reason, marks, student.errors, flags, student.output, student.seconds)


def flagged(cells: Sequence[tuple[str, str]], problems: ProblemSet) -> tuple[str, ...]:
    """A sentence for each answer that uses a name which it should not."""
    sources = dict(cells)
    unread = [name for name, source in cells if forbidden.is_unread(source)]
    found = [f"{name} is too long or too strange to be looked through for what it uses; please look" for name in unread]
    for part in problems.parts:
        names = forbidden.used(sources.get(f"answer-{part.identity}", ""), part.forbidden, sources.values())
        found += [f"{part.identity} uses {name}, which it should build itself; please look" for name in names]
    return tuple(found)


def _marks(
    student: Boxed, problems: ProblemSet, variant: Mapping[str, object], rng: numpy.random.Generator
) -> dict[str, Mark]:
    """A mark for each part."""
    draws = rng.spawn(len(problems.parts))
    return {part.identity: _mark(student, part, variant, draw) for part, draw in zip(problems.parts, draws)}


def _mark(student: Boxed, part: Part, variant: Mapping[str, object], rng: numpy.random.Generator) -> Mark:
    cases = list(part.cases(variant, rng))  # a fault in there is ours, whatever the student does
    try:
        return Mark(part.points, part.points, check(student, cases))
    except Ended as end:
        return Mark(0.0, part.points, f"not reached: {end}")
    except Wrong as wrong:
        return Mark(0.0, part.points, _told(str(wrong), student.errors.get(f"answer-{part.identity}", "")))
    except FAULTS as fault:
        # Only values of the student's get here: one that the comparison stumbles over must not hold up the class.
        return Mark(0.0, part.points, f"{INCOMPARABLE} ({type(fault).__name__}: {str(fault)[:200]})")


def _told(text: str, error: str) -> str:
    """The sentence for the student, with what the answer's cell raised where that is why the function is missing."""
    if "is not defined" not in text or not error:
        return text
    return NOTHING if error == "NotImplementedError" else f"{text}, because its cell raised {error}"
