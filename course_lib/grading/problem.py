"""What is asked and what counts as right: parts with points, each judged on cases that are drawn afresh."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy


class Wrong(Exception):
    """What is wrong with an answer, in one sentence for the student that names the mistake where it is known."""


class Unusable(Exception):
    """The student's code raised, or gave back something that is no value; the message says which."""


class Ended(Exception):
    """The student's process is gone, or was stopped at a limit; the message says which."""


@runtime_checkable  # for the type checks of the tests
class Student(Protocol):
    """An answer that can be asked: the learner's own notebook, or a notebook inside a box."""

    def call(self, name: str, *arguments: object) -> object:
        """What the student's function gives back: numbers, text, arrays, lists and dictionaries of these.

        Errors: Unusable, Ended.
        """


@dataclass(frozen=True)
class Case:
    """One question with its answer: the function's name, its arguments, and what it must give back.

    ``mistakes`` has, by the hint that names it, what each known mistake gives back instead.
    """

    function: str
    arguments: tuple[object, ...]
    expected: object
    mistakes: Mapping[str, object] = field(default_factory=dict)
    tolerance: float = 1e-6


@dataclass(frozen=True)
class Part:
    """Something that is asked, worth points; ``cases(variant, rng)`` draws its cases.

    ``forbidden`` are names that the answer should not use; they flag it for a human and cost nothing.
    """

    identity: str  # "1a"; the check cell's grade_id is "check-1a", the answer cell's "answer-1a"
    title: str
    points: float
    cases: Callable[[Mapping[str, object], numpy.random.Generator], Iterator[Case]]
    forbidden: Sequence[str] = ()


@dataclass(frozen=True)
class ProblemSet:
    """All parts, and ``variant(rng)``: a student's own numbers, as JSON holds them. ``written`` parts are by hand."""

    name: str
    title: str
    parts: Sequence[Part]
    variant: Callable[[numpy.random.Generator], Mapping[str, object]]
    written: Sequence[str] = ()
