"""From downloads to clean hand-ins: whose each is, which counts, rebuilt on our notebook, with a receipt for each.

Running it again changes nothing, and a run that was stopped is finished by the next.
"""

import datetime
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tqdm import tqdm

from course_lib.grading import choice, receipts, template
from course_lib.grading.choice import HandIn
from course_lib.grading.gather import STAMP, Gathered, gather, listing
from course_lib.grading.receipts import TIME, Receipt, printable
from course_lib.grading.roster import Roster
from course_lib.training import is_quiet

OURS = ("autograded", "feedback", "handed_out", "journal", "receipts", "rejected", "release", "source", "submitted")


class IntakeError(ValueError):
    """The downloads cannot be taken in from there; the message says why and what to do."""


@dataclass(frozen=True)
class Intake:
    """All receipts, those of this look's rejections, whose hand-in is new, who has none, and what to look at."""

    receipts: tuple[Receipt, ...]
    rejected: tuple[Receipt, ...]
    changed: tuple[str, ...]
    missing: tuple[str, ...]
    warnings: tuple[str, ...]


def take_in(
    folder: Path,
    assignment: str,
    downloads: Path,
    roster: Roster,
    deadline: datetime.datetime | None,
    variant: Callable[[str], Mapping[str, object]],
) -> Intake:
    """Write submitted/<student>/<assignment>/ for everyone whose hand-in counts, receipts, and reasons of rejections.

    Of several hand-ins the last before the deadline counts; if all are late, the first, with its time in timestamp.txt.
    Errors: IntakeError for a folder or a deadline that cannot be used, TemplateError, ReceiptsError, OSError.
    """
    _check_places(folder, downloads)
    if deadline is not None and deadline.tzinfo is None:
        raise IntakeError(f"deadline is {deadline}, without a time zone; say it, as in 2026-11-29T23:59+01:00")
    release = template.load(folder / "release" / assignment / f"{assignment}.ipynb")
    before = receipts.read(folder, assignment)
    gathered = gather(downloads, assignment, roster, release)
    gathered.hand_ins = _unique(_at_its_first_time(each, before) for each in gathered.hand_ins)
    book = _Book(folder, assignment, deadline, _start(gathered, before))
    changed = []
    students = sorted({each.student for each in gathered.hand_ins})
    for student in tqdm(students, disable=is_quiet() or not students, unit="student"):
        own = [each for each in gathered.hand_ins if each.student == student]
        counts = book.settle(student, own, gathered.left_out.get(student, []))
        if counts.notebook and book.write(counts, variant(student)):
            changed.append(student)
            book.write_receipts()  # beside the files, so that a run that is stopped leaves true ones
    book.write_receipts()
    rejected, warnings = tuple(gathered.rejected), _warnings(gathered, deadline)
    return Intake(tuple(_flat(book.rows)), rejected, tuple(changed), book.missing(roster), warnings)


def _check_places(folder: Path, downloads: Path) -> None:
    if not downloads.exists():
        raise IntakeError(f"downloads is {downloads}, which is not there; name the folder or the zip from the platform")
    place, book = downloads.resolve(), folder.resolve()
    ours = [book / name for name in OURS]
    if place == book or place in book.parents or any(own == place or own in place.parents for own in ours):
        raise IntakeError(
            f"downloads is {downloads}, which holds or lies in what intake writes ({folder}); move the downloads to a "
            "folder of their own"
        )


def _start(gathered: Gathered, before: Sequence[Receipt]) -> dict[str, list[Receipt]]:
    """By student, the receipts before, without those that this look renews, and the rejections of this look."""
    found = [*gathered.hand_ins, *gathered.rejected]
    files, digests = {each.file for each in found}, {each.sha256 for each in found if each.sha256}
    renewed = {(each.student, each.file, each.sha256) for each in gathered.rejected}
    rows: dict[str, list[Receipt]] = {each.student: [] for each in found}
    for each in before:
        was_nobodys = not each.student and (each.sha256 in digests or not each.sha256)
        was_unread = not each.sha256 and each.file in files
        if not (was_nobodys or was_unread or (each.student, each.file, each.sha256) in renewed):
            rows.setdefault(each.student, []).append(each)
    for each in gathered.rejected:
        rows[each.student].append(each)
    return rows


def _at_its_first_time(hand_in: HandIn, before: Sequence[Receipt]) -> HandIn:
    """The same bytes were there at their first receipt: downloading them again makes them no later."""
    times = [
        _parse(each.when)
        for each in before
        if each.student == hand_in.student and each.sha256 == hand_in.sha256 and each.status != "rejected"
    ]
    return replace(hand_in, when=min([hand_in.when, *times]))


def _unique(hand_ins: Iterable[HandIn]) -> list[HandIn]:
    """Each file once, at its earliest: the same one may lie in two downloads."""
    latest_first = sorted(hand_ins, key=lambda each: each.when, reverse=True)
    return list({(each.student, each.file, each.sha256): each for each in latest_first}.values())


@dataclass(frozen=True)
class _Book:
    """Where hand-ins go, and the receipts by student as they will be."""

    folder: Path
    assignment: str
    deadline: datetime.datetime | None
    rows: dict[str, list[Receipt]]

    def settle(self, student: str, own: Sequence[HandIn], left_out: Sequence[str]) -> HandIn:
        """Choose the hand-in that counts, and renew the student's receipts."""
        every = [*own, *self._earlier(student, own)]
        counts = choice.choose(every, self.deadline)
        known = {(each.file, each.sha256) for each in every}
        others = [each for each in self.rows[student] if (each.file, each.sha256) not in known]
        gone = {"status": "superseded", "reason": f"{counts.file} counts"}
        others = [replace(each, **gone) if each.status in receipts.COUNT else each for each in others]
        self.rows[student] = [self._receipt(each, counts, left_out) for each in every] + others
        return counts

    def _earlier(self, student: str, own: Sequence[HandIn]) -> list[HandIn]:
        """What stands in submitted/ from downloads that are gone."""
        if not (self._place(student) / f"{self.assignment}.ipynb").is_file():
            return []
        here = {each.sha256 for each in own}
        stands = [each for each in self.rows[student] if each.status in receipts.COUNT and each.sha256 not in here]
        return [
            HandIn(student, each.file, each.sha256, _parse(each.when), each.size, notes=(each.reason,))
            for each in stands
        ]

    def _receipt(self, each: HandIn, counts: HandIn, left_out: Sequence[str]) -> Receipt:
        is_late = each.is_late(self.deadline)
        if each is counts:
            beside = f"left out: {listing(left_out)}" if left_out and each.notebook else ""
            status, reason = "late" if is_late else "taken", "; ".join(filter(None, (*each.notes, beside)))
        else:
            status, reason = "superseded", f"{'late; ' if is_late else ''}{counts.file} counts"
        when = each.moment(self.deadline).strftime(TIME)
        return Receipt(each.student, each.file, each.sha256, when, each.size, status, printable(reason, 1000))

    def write(self, hand_in: HandIn, variant: Mapping[str, object]) -> bool:
        """The three files of a hand-in, each all or nothing; whether any is new."""
        contents = {
            "variant.json": (json.dumps(dict(variant), indent=1, sort_keys=True) + "\n").encode(),
            STAMP: f"{hand_in.moment(self.deadline).strftime(TIME)} UTC\n".encode(),
            f"{self.assignment}.ipynb": hand_in.notebook,
        }
        new = [receipts.replace(self._place(hand_in.student) / name, content) for name, content in contents.items()]
        return any(new)

    def missing(self, roster: Roster) -> tuple[str, ...]:
        """Whoever has no hand-in that counts."""
        taken = {each.student for each in _flat(self.rows) if each.status in receipts.COUNT}
        return tuple(student for student in roster if student not in taken)

    def write_receipts(self) -> None:
        """All receipts as they stand now."""
        receipts.write(self.folder, self.assignment, _flat(self.rows))

    def _place(self, student: str) -> Path:
        return self.folder / "submitted" / student / self.assignment


def _warnings(gathered: Gathered, deadline: datetime.datetime | None) -> tuple[str, ...]:
    warnings = []
    by_file = [each for each in gathered.hand_ins if each.timed_by == "file"]
    if deadline is not None and len(by_file) > 1 and all(each.is_late(deadline) for each in by_file):
        warnings.append(
            f"all {len(by_file)} hand-ins without the platform's time are late by their files' times, which may be "
            "the time of the download; if they came in time, take them in without a deadline"
        )
    if gathered.puzzling:
        warnings.append(f"look at these yourself, the fault may be intake's: {listing(gathered.puzzling)}")
    if gathered.unknown:
        warnings.append(f"no hand-ins, and nobody's: {listing(gathered.unknown)}")
    return tuple(warnings)


def _flat(rows: Mapping[str, Sequence[Receipt]]) -> list[Receipt]:
    return [each for student in sorted(rows) for each in rows[student]]


def _parse(when: str) -> datetime.datetime:
    return datetime.datetime.strptime(when, TIME).replace(tzinfo=datetime.UTC)
