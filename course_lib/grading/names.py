"""From the name of a downloaded file to its student, as nbgrader, Canvas and Moodle write these names.

The student chooses the last words of a name, the platform those before. So the outermost part of a path that names
somebody decides, also where the roster lacks that person; and a name that fits two people is refused.
"""

import datetime
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from course_lib.grading.receipts import Rejected
from course_lib.grading.roster import Member, Roster

# Canvas: lib/content_zipper.rb writes name[_LATE]_user_attachment_file; a name that somebody gave themselves may look
# like more of these numbers, and so may a file's.
_CANVAS = re.compile(r"(?<=.)(?=_([0-9]{1,20})_([0-9]{1,20})_)")
_LATE = re.compile(r"(?:^|_)LATE(?=_[0-9]+_[0-9]+_)")
_CANVAS_TEXT = re.compile(r"(.+)_([0-9]{1,20})_(?:text|link)\.html")
# Moodle: mod/assign/classes/downloader.php writes name_participant_assignsubmission_file[_[file]]; the name has no _.
_MOODLE = re.compile(r"([^_]+)_[0-9]+_assignsubmission_[a-z]+(?:_.*)?", re.DOTALL)
# nbgrader's exchange: student+assignment+time[+random].
_EXCHANGE = re.compile(r"([^+]+)\+([^+]+)\+([^+]+)(?:\+[^+]*)?")
DEEPEST = 2  # parts of a path that may name a student: below these, every name may be a student's own
_AGAIN = re.compile(r"(?:-([0-9]{1,4})| ?\(([0-9]{1,4})\))$")  # ps1-2 and ps1 (2): uploaded or downloaded again


@dataclass(frozen=True)
class Name:
    """Whose file it is, for which assignment; when and whether late where the name says so.

    ``attempt`` counts files of one name; ``upload`` is Canvas's number of the file, which grows with time; ``folder``
    is the one in which nbgrader's timestamp.txt says when.
    """

    student: str
    assignment: str
    layout: str
    when: datetime.datetime | None = None
    late: bool | None = None
    attempt: int = 0
    upload: int = 0
    folder: PurePosixPath | None = None


def identify(path: PurePosixPath, assignment: str, roster: Roster) -> Name:
    """Whose hand-in a file is, by its path inside the downloads.

    Errors: Rejected for a path that fits nobody in the roster, or more than one.
    """
    for depth in range(min(DEEPEST, len(path.parts))):
        parts = path.parts[depth:]
        fits = list(_fits(parts, assignment, roster))
        students = sorted({name.student for name in fits})
        if len(students) > 1:
            raise Rejected(f"the name fits more than one student ({', '.join(students[:5])}); {_cure(assignment)}")
        if fits:
            is_stamped = fits[0].layout == "nbgrader" and fits[0].when is None
            return replace(fits[0], folder=PurePosixPath(*path.parts[: depth + 2])) if is_stamped else fits[0]
        if _is_somebodys(parts, assignment, roster):
            raise Rejected(_nobody(assignment))
    nearer = ", or give intake the folder in which the hand-ins lie" if len(path.parts) > DEEPEST else ""
    raise Rejected(_nobody(assignment) + nearer)


def attempt(path: PurePosixPath, assignment: str) -> int:
    """The number of an upload or a download with the same name: 2 for ps1-2.ipynb and ps1 (2).ipynb, else 0."""
    again = None if path.stem.endswith(assignment) else _AGAIN.search(path.stem)
    return int(again[1] or again[2]) if again else 0


def is_named_after(path: PurePosixPath, assignment: str) -> bool:
    """Whether a file has the assignment's name, apart from such a number."""
    return assignment.casefold() in (path.stem.casefold(), _AGAIN.sub("", path.stem).casefold())


def is_platforms(name: str) -> bool:
    """Whether a name looks like one that a platform gives what one person handed in."""
    return "_assignsubmission_" in name or name.count("+") >= 2 or _CANVAS.search(name) is not None


def _nobody(assignment: str) -> str:
    return f"the name fits nobody in the roster; {_cure(assignment)}, or complete the roster"


def _cure(assignment: str) -> str:
    return f"rename it to STUDENT_{assignment}.ipynb with the student's id"


def _is_somebodys(parts: tuple[str, ...], assignment: str, roster: Roster) -> bool:
    """Whether a platform named a person here: what stands inside is that person's word, in the roster or not."""
    first = parts[0]
    return is_platforms(first) or bool(_by_id(first, roster)) or (len(parts) >= 3 and parts[1] == assignment)


def _fits(parts: tuple[str, ...], assignment: str, roster: Roster) -> Iterator[Name]:
    """All readings of a path that starts with a part that may name a student."""
    count = attempt(PurePosixPath(parts[-1]), assignment)
    if _MOODLE.fullmatch(parts[0]):  # what looks like another platform's in there is the student's
        yield from _moodle(parts[0], assignment, roster, count)
        return
    yield from _canvas(parts[0], assignment, roster, count)
    yield from _exchange(parts, roster, count)
    yield from _folders(parts, roster, count)
    yield from _flat(parts[0], assignment, roster, count)


def _folders(parts: tuple[str, ...], roster: Roster, count: int) -> Iterator[Name]:
    """student/assignment/file."""
    if len(parts) >= 3:
        for member in _by_id(parts[0], roster):
            yield Name(member.student, parts[1], "nbgrader", attempt=count)


def _exchange(parts: tuple[str, ...], roster: Roster, count: int) -> Iterator[Name]:
    """student+assignment+time+random/file."""
    found = _EXCHANGE.fullmatch(parts[0]) if len(parts) >= 2 else None
    if found:
        for member in _by_id(found[1], roster):
            yield Name(member.student, found[2], "nbgrader", parse_time(found[3]), attempt=count)


def _flat(part: str, assignment: str, roster: Roster, count: int) -> Iterator[Name]:
    """student_assignment.ipynb, with the student's id or login."""
    path = PurePosixPath(part)
    stem = path.stem if path.suffix.casefold() in (".ipynb", ".zip") else part
    for text in dict.fromkeys((stem, _AGAIN.sub("", stem))):
        if text.casefold().endswith(f"_{assignment}".casefold()):
            for member in _by_id(text[: -len(assignment) - 1], roster):
                yield Name(member.student, assignment, "flat", attempt=count)


def _moodle(part: str, assignment: str, roster: Roster, count: int) -> Iterator[Name]:
    found = _MOODLE.fullmatch(part)
    if found:
        wanted = sorted(_words(found[1]))
        for member in roster.values():
            if wanted and sorted(_words(member.name)) == wanted:
                yield Name(member.student, assignment, "moodle", attempt=count)


def _canvas(part: str, assignment: str, roster: Roster, count: int) -> Iterator[Name]:
    """By Canvas's id of the student; by name only those whose id the roster lacks.

    Where there are more numbers than Canvas's two, anybody may have written the others: then the name must fit as well,
    and no other number be the id of somebody else. A mark of lateness counts wherever it stands.
    """
    text, pairs = _CANVAS_TEXT.fullmatch(part), list(_CANVAS.finditer(part))
    if not (text or pairs):
        return
    before, canvas_id, upload = (part[: pairs[0].start()], *pairs[0].groups()) if pairs else (text[1], text[2], "0")
    others, late = {pair[1] for pair in pairs[1:]}, bool(_LATE.search(part))
    name, rivals, found = _plain(before.removesuffix("_LATE")), others - {canvas_id, ""}, []
    for member in roster.values():
        is_named = name in _sortable(member.name)
        if (canvas_id == member.canvas_id and (is_named or not others)) or (is_named and not member.canvas_id):
            found.append(member)
    for member in [*found, *(each for each in roster.values() if found and each.canvas_id in rivals)]:
        yield Name(member.student, assignment, "canvas", None, late, count, int(upload))


def _by_id(text: str, roster: Roster) -> list[Member]:
    wanted = text.casefold()
    ids = ((member, (member.student.casefold(), member.login.casefold())) for member in roster.values())
    return [member for member, known in ids if wanted and wanted in known]


def _words(name: str) -> list[str]:
    """A name as platforms keep it: without capitals, apostrophes, hyphens and the like."""
    text = unicodedata.normalize("NFKC", name.replace(",", " ")).casefold()
    kept = "".join(each if each.isspace() or unicodedata.category(each)[0] in "LMN" else "" for each in text)
    return kept.split()


def _plain(name: str) -> str:
    return "".join(_words(name))


def _sortable(name: str) -> set[str]:
    """What Canvas may make of a name: "Ada King Lovelace" becomes kinglovelaceada, or lovelaceadaking."""
    words = _words(name)
    return {"".join(words[first:] + words[:first]) for first in range(len(words))}


def parse_time(text: str) -> datetime.datetime | None:
    """A time as nbgrader writes it, "2026-11-29 10:15:30.5 UTC" or "... +0100", in UTC; None for any other text."""
    text = re.sub(r" ?(?:UTC|GMT|Z)$", "+00:00", text.strip())
    text = re.sub(r" (?=[+-][0-9:]{4,6}$)", "", text)
    try:
        time = datetime.datetime.fromisoformat(text)
        time = time if time.tzinfo else time.replace(tzinfo=datetime.UTC)
        time = time.astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        return None
    return time if time.year >= 1970 else None  # years of three digits cannot be read back
