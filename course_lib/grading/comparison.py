"""One check for the learner's notebook and for the judge: ask on every case, compare, and name the mistake."""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy
import torch

from course_lib.grading.problem import Case, Student, Unusable, Wrong

SOME = 8  # entries of a list that a sentence shows
SINGLE = 1e-4  # float32 has seven digits, and a recurrence loses some
CURES = {  # by a piece of what an answer's error says
    "an object of type set cannot be sent": "give a sorted list",
    "must match the size of tensor": "two shapes do not fit entry by entry; print both",
    "could not be broadcast together": "two shapes do not fit entry by entry; print both",
}
KINDS = {"b": "True and False", "i": "whole numbers", "u": "whole numbers", "f": "numbers", "c": "complex numbers"}


def check(student: Student, cases: Iterable[Case]) -> str:
    """Ask for every case and say what is right.

    A mistake is named if every answer is what it gives back. Errors: Wrong; Ended, from a student that is gone.
    """
    cases = list(cases)
    answers = [_ask(student, case) for case in cases]
    complaints = [complaint(answer, case.expected, case.tolerance) for answer, case in zip(answers, cases)]
    wrong = next((index for index, text in enumerate(complaints) if text), None)
    if wrong is None:
        return f"right in {len(cases)} cases" if len(cases) > 1 else "right"
    hint = _mistake(answers, cases)
    raise Wrong(hint or f"`{cases[wrong].function}`{_called(cases[wrong])} {complaints[wrong]}")


def complaint(answer: object, expected: object, tolerance: float = 1e-6) -> str:
    """What is wrong with an answer, as the end of a sentence that starts with the function's name; "" if it is right.

    Numbers agree to ``tolerance`` times the largest one that is expected, or to 1e-4 in single precision; whole numbers
    agree exactly. Lists, arrays and tensors are one kind.
    """
    answer, expected = _plain(answer), _plain(expected)
    if isinstance(expected, numpy.ndarray):
        return _array_complaint(answer, expected, tolerance)
    if isinstance(expected, Mapping):
        return _mapping_complaint(answer, expected, tolerance)
    if isinstance(expected, list):
        return _list_complaint(answer, expected, tolerance)
    if type(answer) is not type(expected):
        return f"must give back {_kind(expected)}, got {_shown(answer)}"
    return "" if answer == expected else f"gives {_shown(answer)}, which is not right"


def _ask(student: Student, case: Case) -> object:
    try:
        answer = student.call(case.function, *case.arguments)
    except Unusable as error:
        cures = [cure for piece, cure in CURES.items() if piece in str(error)]
        raise Wrong("; ".join([str(error), *cures])) from error
    if answer is None or answer is Ellipsis or answer is NotImplemented:
        raise Wrong(f"nothing here yet: `{case.function}` gives back nothing; if it is written, is its return missing?")
    return answer


def _mistake(answers: Sequence[object], cases: Sequence[Case]) -> str | None:
    """The hint of the first mistake that explains every answer."""
    hints = dict.fromkeys(hint for case in cases for hint in case.mistakes)
    return next((hint for hint in hints if _explains(hint, answers, cases)), None)


def _explains(hint: str, answers: Sequence[object], cases: Sequence[Case]) -> bool:
    """Whether the answers are those of the mistake, in all cases that know it and in one where it shows."""
    shows = False
    for answer, case in zip(answers, cases):
        if hint not in case.mistakes:
            continue
        given = case.mistakes[hint]
        if complaint(answer, given, case.tolerance):
            return False
        shows = shows or bool(complaint(given, case.expected, case.tolerance))
    return shows


def _plain(value: object) -> object:
    """Numbers, tensors and lists of numbers as arrays; tuples as lists; text and dictionaries as they are."""
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().resolve_conj().resolve_neg().numpy()
    if isinstance(value, bool | int | float | complex | numpy.ndarray | numpy.generic):
        return _as_array(value)
    if isinstance(value, list | tuple):
        items = [_plain(item) for item in value]
        numbers = all(isinstance(item, numpy.ndarray) and item.dtype.kind in KINDS for item in items)
        return numpy.stack(items) if items and numbers and len({item.shape for item in items}) == 1 else items
    return value


def _as_array(value: object) -> numpy.ndarray:
    try:
        return numpy.asarray(value)
    except (OverflowError, ValueError):
        return numpy.asarray(str(value))


def _array_complaint(answer: object, expected: numpy.ndarray, tolerance: float) -> str:
    wanted = "a number" if expected.shape == () else f"numbers of shape {expected.shape}"
    if isinstance(answer, list) and not answer:
        answer = numpy.zeros(0)
    if not isinstance(answer, numpy.ndarray) or answer.dtype.kind not in KINDS:
        return f"must give back {wanted}, got {_shown(answer)}"
    if answer.shape != expected.shape:
        return f"must give back {wanted}, got {_sized(answer)}"
    if answer.dtype.kind == "c":
        return "must give back real numbers, got complex ones"
    if (expected.dtype.kind == "b") != (answer.dtype.kind == "b") and not _is_binary(answer):
        return f"must give back {KINDS[expected.dtype.kind]}, got {KINDS[answer.dtype.kind]}"
    if not numpy.isfinite(expected).all():  # a mistake may leave the numbers' domain; a right answer never does
        return "" if numpy.allclose(answer, expected, rtol=tolerance, equal_nan=True) else "gives wrong numbers"
    if not numpy.isfinite(answer).all():
        return "gives back numbers that are NaN or infinite"
    return _values_complaint(answer, expected, tolerance)


def _values_complaint(answer: numpy.ndarray, expected: numpy.ndarray, tolerance: float) -> str:
    off = numpy.abs(answer.astype(numpy.float64) - expected.astype(numpy.float64))
    if expected.dtype.kind in "biu" and answer.dtype.kind in "biu":
        off = (answer != expected).astype(numpy.float64)  # float64 would round whole numbers beyond 2^53
    allowed = 0.0
    if expected.dtype.kind == "f":
        tolerance = max(tolerance, SINGLE) if answer.dtype.itemsize < 8 and answer.dtype.kind == "f" else tolerance
        allowed = tolerance * (float(numpy.abs(expected).max(initial=0.0)) or 1.0)
    if off.size == 0 or off.max() <= allowed:
        return ""
    if expected.shape == ():
        return f"gives {_shown(answer)}, which is not right"
    if expected.ndim == 1 and expected.dtype.kind in "iu" and _is_unsorted(answer, expected):
        return "gives the right numbers in a wrong order; sort it"
    place = ", ".join(str(int(index)) for index in numpy.unravel_index(int(off.argmax()), off.shape))
    return f"gives wrong numbers: {int((off > allowed).sum())} of {off.size}, the worst at [{place}]"


def _is_unsorted(answer: numpy.ndarray, expected: numpy.ndarray) -> bool:
    return all(numpy.array_equal(numpy.sort(each), expected) for each in (answer, expected))


def _is_binary(answer: numpy.ndarray) -> bool:
    return bool(numpy.isin(answer, (0, 1)).all())


def _mapping_complaint(answer: object, expected: Mapping, tolerance: float) -> str:
    if not isinstance(answer, Mapping):
        return f"must give back a dictionary with {_keys(expected)}, got {_shown(answer)}"
    if set(answer) != set(expected):
        return f"must give back a dictionary with {_keys(expected)}, got one with {_keys(answer)}"
    for key, value in expected.items():
        if text := complaint(answer[key], value, tolerance):
            return f"under {_shown(key)} {text}"
    return ""


def _list_complaint(answer: object, expected: list, tolerance: float) -> str:
    numbers = isinstance(answer, numpy.ndarray) and answer.ndim and answer.dtype.kind in KINDS
    if not (numbers or isinstance(answer, list)):  # numbers may come where the right answer is ragged
        return f"must give back a list, got {_shown(answer)}"
    if len(answer) != len(expected):
        return f"must give back {len(expected)} entries, got {len(answer)}"
    for index, (mine, right) in enumerate(zip(answer, expected)):
        if text := complaint(mine, right, tolerance):
            return f"at entry {index}, {text[3:]}" if text.startswith("at entry ") else f"at entry {index} {text}"
    return ""


def _called(case: Case) -> str:
    """The arguments of the call where they are short."""
    if not all(isinstance(argument, bool | int | float | str) for argument in case.arguments):
        return ""
    return f"({', '.join(_shown(argument) for argument in case.arguments)})"


def _kind(value: object) -> str:
    return "text" if isinstance(value, str) else type(value).__name__


def _sized(answer: numpy.ndarray) -> str:
    return f"shape {answer.shape}" if answer.shape else f"the single number {_shown(answer)}"


def _keys(mapping: Mapping) -> str:
    return "the keys " + (", ".join(sorted(_shown(key) for key in mapping)[:12]) or "(none)")


def _shown(value: object) -> str:
    if isinstance(value, numpy.ndarray) and value.shape == ():
        value = value.item()
    if isinstance(value, float) and math.isfinite(value):
        return f"{value:.6g}"
    if isinstance(value, numpy.ndarray):
        return f"an array of shape {value.shape}"
    if isinstance(value, Mapping):
        return f"a dictionary with {_keys(value)}"
    if isinstance(value, list):
        text = f"[{', '.join(map(_shown, value[:SOME]))}{', ...' * (len(value) > SOME)}]"
        return text[:57] + "..." if len(text) > 60 else text
    text = " ".join(repr(value).split())
    return text[:57] + "..." if len(text) > 60 else text
