"""Which of a student's hand-ins counts: the last before the deadline, and if all are late, the first."""

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass

LATER = datetime.timedelta(seconds=1)


@dataclass(frozen=True)
class HandIn:
    """A hand-in that could count, and what is known of its time.

    ``late`` is the platform's own word where it has one; ``upload`` and ``attempt`` order files of one platform;
    ``notebook`` is empty for one that earlier stood in submitted/ and is not among the downloads now.
    """

    student: str
    file: str
    sha256: str
    when: datetime.datetime
    size: int
    notebook: bytes = b""
    notes: tuple[str, ...] = ()
    late: bool | None = None
    upload: int = 0
    attempt: int = 0
    is_named: bool = True
    timed_by: str = "file"

    def moment(self, deadline: datetime.datetime | None) -> datetime.datetime:
        """When it was handed in: a file's time bows to what the platform says, for it may be that of the download."""
        if deadline is None or self.late is None:
            return self.when
        return max(self.when, deadline + LATER) if self.late else min(self.when, deadline)

    def is_late(self, deadline: datetime.datetime | None) -> bool:
        """Whether it came after the deadline, or the platform says so."""
        return bool(self.late) if deadline is None else self.moment(deadline) > deadline


def choose(hand_ins: Sequence[HandIn], deadline: datetime.datetime | None) -> HandIn:
    """The one that counts among at least one."""
    in_time = [each for each in hand_ins if not each.is_late(deadline)]
    if in_time:
        return max(_heads(in_time, max), key=lambda each: _rank(each, deadline))
    return min(_heads(hand_ins, min), key=lambda each: _rank(each, deadline))


def _heads(hand_ins: Sequence[HandIn], end: Callable) -> list[HandIn]:
    """What Canvas numbered is ordered by its numbers alone: its head, and all that it did not number."""
    numbered = [each for each in hand_ins if each.upload]
    head = [end(numbered, key=lambda each: (each.upload, each.file))] if numbered else []
    return head + [each for each in hand_ins if not each.upload]


def _rank(each: HandIn, deadline: datetime.datetime | None) -> tuple[object, ...]:
    return each.moment(deadline), each.attempt, each.is_named, each.file, each.sha256
