"""What became of each hand-in, as JSON lines that are only ever added to: the record from which the rest is made."""

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from course_lib.grading.outcome import STATUSES, Mark, Outcome

OUTPUT, SENTENCE, ERRORS = 20_000, 2_000, 50  # characters of output and of a sentence, and how many errors are kept
JUDGED = ("graded", "limit")  # these stand and carry marks
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


class JournalError(ValueError):
    """The journal is damaged or in use; the message is one sentence."""


@dataclass(frozen=True)
class Entry:
    """One judgement: whose hand-in, its SHA-256, the nonce in the seed, what became of it, by which code and when."""

    student: str
    hand_in: str
    nonce: str
    outcome: Outcome
    version: str  # of course_lib
    date: str

    @property
    def digest(self) -> str:
        """A name for this very judgement: the SHA-256 of its line."""
        return hashlib.sha256(_line(self)).hexdigest()


def file(folder: Path, assignment: str) -> Path:
    """The journal of an assignment."""
    return folder / "journal" / f"{assignment}.jsonl"


def hand_in(folder: Path, assignment: str, student: str) -> str | None:
    """The SHA-256 of what is judged: notebook and variant; None where the student has handed nothing in."""
    submitted = folder / "submitted" / student / assignment
    total = hashlib.sha256()
    for name in (f"{assignment}.ipynb", "variant.json"):
        if not (submitted / name).is_file():
            return None
        total.update(hashlib.sha256((submitted / name).read_bytes()).digest())
    return total.hexdigest()


def read(folder: Path, assignment: str) -> list[Entry]:
    """All entries in the order in which they were made; without a journal none. Half a last line is not read.

    Errors: JournalError for a line that is no entry.
    """
    path = file(folder, assignment)
    if not path.is_file():
        return []
    entries = []
    for number, line in enumerate(_whole(path.read_bytes()).splitlines(), start=1):
        try:
            entries.append(_entry(json.loads(line)))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise JournalError(f"{path}, line {number}, is no entry: {error}; delete the line and run again") from error
    return entries


def standing(folder: Path, assignment: str, student: str | None = None) -> dict[str, Entry]:
    """By student, the last entry about what is handed in now; an entry about an earlier hand-in does not count.

    ``student``: that one alone.
    """
    entries = [each for each in read(folder, assignment) if student in (None, each.student)]
    last = {(each.student, each.hand_in): each for each in entries}
    now = {name: hand_in(folder, assignment, name) for name in sorted({name for name, _ in last})}
    return {name: last[name, digest] for name, digest in now.items() if (name, digest) in last}


def append(folder: Path, assignment: str, entry: Entry) -> Entry:
    """Add an entry, on the disk when this returns, and give it back as it stands there: its text printable and cut."""
    path = file(folder, assignment)
    path.parent.mkdir(parents=True, exist_ok=True)
    entry = replace(entry, outcome=_printable(entry.outcome))
    with open(path, "a+b") as stream:
        stream.seek(0)
        stream.truncate(len(_whole(stream.read())))
        stream.write(_line(entry))
        stream.flush()
        os.fsync(stream.fileno())
    return entry


@contextlib.contextmanager
def alone(folder: Path, assignment: str) -> Iterator[None]:
    """Only one process at a time may judge an assignment; the system lets go when it ends, however it ends.

    Errors: JournalError if another process holds it.
    """
    import fcntl  # no box works on Windows, which has no such module

    path = file(folder, assignment).with_suffix(".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise JournalError(
                f"another run judges {assignment!r} in {folder} right now; wait until it ends, or stop it first"
            ) from None
        yield


def printable(text: str, limit: int = SENTENCE) -> str:
    """A text without control, direction and unpaired characters, cut to a limit."""
    text = str(text)
    kept = _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", text[:limit]).encode("utf-8", "replace").decode()
    return kept if len(text) <= limit else f"{kept}\n[cut: {len(text) - limit} more characters]"


def _printable(outcome: Outcome) -> Outcome:
    marks = {
        part: Mark(float(mark.points), float(mark.out_of), printable(mark.message))
        for part, mark in outcome.marks.items()
    }
    errors = {printable(cell, 100): printable(text) for cell, text in list(outcome.errors.items())[:ERRORS]}
    flags = tuple(printable(flag) for flag in outcome.flags[:ERRORS])
    reason, output = printable(outcome.reason), printable(outcome.output, OUTPUT)
    return replace(outcome, reason=reason, marks=marks, errors=errors, flags=flags, output=output)


def _entry(fields: Mapping[str, object]) -> Entry:
    outcome = dict(fields["outcome"])
    if outcome["status"] not in STATUSES:
        raise ValueError(f"status must be one of {', '.join(STATUSES)}, got {outcome['status']!r}")
    outcome["marks"] = {part: Mark(**mark) for part, mark in outcome["marks"].items()}
    outcome["flags"] = tuple(outcome["flags"])
    return Entry(**{**fields, "outcome": Outcome(**outcome)})


def _line(entry: Entry) -> bytes:
    return (json.dumps(asdict(entry)) + "\n").encode()


def _whole(text: bytes) -> bytes:
    """The lines that were written to their end: a run that was killed may leave half a line behind."""
    return text[: text.rfind(b"\n") + 1]
