"""What became of a hand-in: every one ends as graded, rejected, stopped at a limit, or an error of ours."""

from collections.abc import Mapping
from dataclasses import dataclass, field

STATUSES = ("graded", "rejected", "limit", "internal error")


@dataclass(frozen=True)
class Mark:
    """The points of a part, out of how many, and a sentence: what is right, or the hint that names the mistake."""

    points: float
    out_of: float
    message: str


@dataclass(frozen=True)
class Outcome:
    """A hand-in's status, the reason where it is not "graded", and a mark for every part that was reached.

    ``errors`` has what a cell raised, by the cell's id; ``flags`` what a human should look at; ``output`` what the
    student's cells printed, cut at the box's limit.
    """

    status: str
    reason: str = ""
    marks: Mapping[str, Mark] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    output: str = ""
    seconds: float = 0.0
