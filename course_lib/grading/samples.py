"""A student's own cases as data, for the check in the notebook: what is asked and answered, and no code of ours."""

import hashlib
import json
from collections.abc import Mapping

import numpy

from course_lib.grading import wire
from course_lib.grading.problem import Case, ProblemSet

Samples = dict[str, list[Case]]


class SamplesError(ValueError):
    """The file with the cases cannot be read; the message says why."""


def draw(problems: ProblemSet, variant: Mapping[str, object]) -> Samples:
    """A student's cases by part, from a seed that everybody may know."""
    seed = hashlib.sha256(f"samples/{problems.name}".encode()).digest()
    rng = numpy.random.default_rng(int.from_bytes(seed, "big"))
    return {part.identity: list(part.cases(variant, rng)) for part in problems.parts}


def dumps(samples: Samples) -> str:
    """The text of samples.json, always the same for the same cases."""
    return json.dumps({part: [_data(case) for case in cases] for part, cases in samples.items()}, indent=1) + "\n"


def loads(text: str) -> Samples:
    """Cases from the text of samples.json. Errors: SamplesError for another text."""
    try:
        return {part: [_case(data) for data in cases] for part, cases in json.loads(text).items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, wire.WireError) as error:
        raise SamplesError(f"these are no cases ({type(error).__name__}: {error})") from error


def _data(case: Case) -> dict[str, object]:
    return {
        "function": case.function,
        "arguments": [wire.encode(value) for value in case.arguments],
        "expected": wire.encode(case.expected),
        "mistakes": {hint: wire.encode(value) for hint, value in case.mistakes.items()},
        "tolerance": case.tolerance,
    }


def _case(data: object) -> Case:
    return Case(
        function=str(data["function"]),
        arguments=tuple(wire.decode(value) for value in data["arguments"]),
        expected=wire.decode(data["expected"]),
        mistakes={hint: wire.decode(value) for hint, value in data["mistakes"].items()},
        tolerance=float(data["tolerance"]),
    )
