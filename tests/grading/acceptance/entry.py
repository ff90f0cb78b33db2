"""One hand-in of the class: how it is made, and what must become of it."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.grading.acceptance.desk import Desk

ALL = 18.0  # points by check


@dataclass(frozen=True)
class Entry:
    """``said`` must be told to the student or the lecturer, ``unsaid`` must not; ``points`` are those by check.

    A pair of statuses is for what depends on the machine's control groups.
    """

    name: str
    make: Callable[[Desk], object]
    points: float | None = ALL
    status: str | tuple[str, ...] = "graded"
    said: tuple[str, ...] = ()
    unsaid: tuple[str, ...] = ()
    is_honest: bool = False

    @property
    def case(self):
        return self.name.partition(" ")[0]


def solved(*steps):
    """Our own answers, then the steps."""

    def make(desk):
        desk.solve()
        for step in steps:
            step(desk)

    return make


def early(source):
    """A cell of one's own below the setup."""
    return lambda desk: desk.own(source(desk) if callable(source) else source)


def late(source):
    """A cell of one's own below the last answer."""
    return lambda desk: desk.own(source(desk) if callable(source) else source, after="answer-4b")


def rejected(name, make, *said):
    return Entry(name, make, None, "rejected", said)


def raw(content):
    def make(desk):
        desk.raw = content

    return make


def odd(put):
    """Nothing but what ``put`` makes in the folder."""

    def make(desk):
        desk.odd, desk.layout = (lambda folder: put(folder, desk)), "odd"

    return make


def beside(files):
    """Files beside the notebook, by name."""
    return lambda desk: desk.files.update(files)
