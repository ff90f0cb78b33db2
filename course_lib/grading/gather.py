"""From downloads to hand-ins: whose each file is, what is in it, and why some are rejected.

Only a zip that intake is given itself is a class's zip: in a folder of downloads any file may be a student's.
"""

import datetime
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from course_lib.grading import downloads, names, template
from course_lib.grading.choice import HandIn
from course_lib.grading.downloads import Found
from course_lib.grading.names import Name
from course_lib.grading.receipts import TIME, Receipt, Rejected, printable
from course_lib.grading.roster import Roster
from course_lib.grading.template import Template

STAMP = "timestamp.txt"
WHOLE = "; if it is the download of a whole class, give intake this zip itself"
HANDED_OUT = ("variant.json", "samples.json")  # they come back with the notebook, and ours are used
_REASON = 1000  # characters


@dataclass
class Gathered:
    """What a look through the downloads found."""

    hand_ins: list[HandIn] = field(default_factory=list)
    rejected: list[Receipt] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=dict)  # by student, files that are no hand-ins
    unknown: list[str] = field(default_factory=list)  # files that are no hand-ins and fit nobody
    puzzling: list[str] = field(default_factory=list)  # rejections that intake has no words for: a fault may be its own


@dataclass(frozen=True)
class _Search:
    assignment: str
    roster: Roster
    release: Template
    gathered: Gathered = field(default_factory=Gathered)
    places: dict[int, PurePosixPath] = field(default_factory=dict)  # of hand-ins that a timestamp.txt may stand beside
    times: dict[PurePosixPath, datetime.datetime] = field(default_factory=dict)


def gather(folder: Path, assignment: str, roster: Roster, release: Template) -> Gathered:
    """Every hand-in of an assignment in a folder of downloads, or in a class's zip."""
    search = _Search(assignment, roster, release)
    for found in downloads.walk(folder):
        _look(search, found, None if folder.is_dir() else folder)
    for index, place in search.places.items():
        if place in search.times:
            known = search.gathered.hand_ins[index]
            search.gathered.hand_ins[index] = replace(known, when=search.times[place], timed_by=STAMP)
    _report_students_without_notebook(search)
    return search.gathered


def _look(search: _Search, found: Found, path: Path | None) -> None:
    """Sort a file in; ``path`` is what intake was given, if that is the file itself."""
    kind, is_one_persons = found.path.suffix.casefold(), names.is_platforms(found.path.name)
    try:
        name = names.identify(found.path, search.assignment, search.roster)
    except Rejected as nobody:
        if kind == ".zip" and path is not None and not is_one_persons:
            _look_inside(search, found, path)
        elif kind in (".ipynb", ".zip"):
            reason = f"{nobody}{WHOLE if kind == '.zip' and not is_one_persons else ''}"
            search.gathered.rejected.append(_rejection("", found, _digest(found), reason))
        else:
            search.gathered.unknown.append(printable(found.path, 80))
        return
    if name.assignment != search.assignment:
        return
    if kind in (".ipynb", ".zip"):
        _take(search, found, name)
    elif name.folder and found.path == name.folder / STAMP:  # elsewhere the student could have written it
        _note_time(search, found)
    elif found.path.name not in HANDED_OUT:
        search.gathered.left_out.setdefault(name.student, []).append(printable(found.path.name, 60))


def _look_inside(search: _Search, found: Found, path: Path) -> None:
    """A class's zip: its members' names tell whose they are."""
    try:
        for member in downloads.members(path):
            _look(search, member, None)
    except (Rejected, OSError) as error:
        search.gathered.rejected.append(_rejection("", found, "", str(error)))


def _take(search: _Search, found: Found, name: Name) -> None:
    """A hand-in, or the reason of its rejection: whatever is wrong with one file, the others are taken."""
    data = b""
    try:
        is_zip = found.path.suffix.casefold() == ".zip"
        data = found.read(downloads.LARGEST_ZIP if is_zip else template.LARGEST)
        notebook, others = _unpack(search, data) if is_zip else (data, [])
        rebuilt, notes = template.rebuild(notebook, search.release)
        content = template.dump(rebuilt)
    except Rejected as error:
        search.gathered.rejected.append(_rejection(name.student, found, _sha(data), str(error)))
    except Exception as error:
        reason = f"it cannot be read ({type(error).__name__}: {error}); {template.SAVE}"
        search.gathered.rejected.append(_rejection(name.student, found, _sha(data), reason))
        search.gathered.puzzling.append(printable(f"{found.path} ({type(error).__name__}: {error})", 300))
    else:
        if name.folder:
            search.places[len(search.gathered.hand_ins)] = name.folder
        hand_in = _hand_in(search, found, name, _sha(data))
        search.gathered.hand_ins.append(replace(hand_in, notebook=content, notes=tuple(notes)))
        search.gathered.left_out.setdefault(name.student, []).extend(others)


def _hand_in(search: _Search, found: Found, name: Name, sha256: str) -> HandIn:
    return HandIn(
        name.student,
        printable(found.path),
        sha256,
        name.when or found.when,
        found.size,
        late=name.late,
        upload=name.upload,
        attempt=name.attempt,
        is_named=names.is_named_after(found.path, search.assignment),
        timed_by="file" if name.when is None and name.late is None else "name",
    )


def _unpack(search: _Search, data: bytes) -> tuple[bytes, list[str]]:
    notebook, others = downloads.own_notebook(
        data, lambda path: names.is_named_after(path, search.assignment), template.LARGEST
    )
    return notebook, [other for other in others if PurePosixPath(other).name not in HANDED_OUT]


def _note_time(search: _Search, found: Found) -> None:
    try:
        time = names.parse_time(found.read(1000).decode("utf-8", "replace"))
    except (Rejected, OSError):
        time = None
    if time is not None:
        search.times[found.path.parent] = time


def _report_students_without_notebook(search: _Search) -> None:
    known = {each.student for each in (*search.gathered.hand_ins, *search.gathered.rejected)}
    for student, files in sorted(search.gathered.left_out.items()):
        if student not in known:
            reason = f"no notebook was handed in, only {listing(files)}; hand in {search.assignment}.ipynb"
            search.gathered.rejected.append(Receipt(student, files[0], "", "", 0, "rejected", reason))


def listing(files: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = f" and {len(files) - 5} more" if len(files) > 5 else ""
    return ", ".join(files[:5]) + more


def _rejection(student: str, found: Found, sha256: str, reason: str) -> Receipt:
    when = found.when.strftime(TIME)
    return Receipt(student, printable(found.path), sha256, when, found.size, "rejected", printable(reason, _REASON))


def _digest(found: Found) -> str:
    """The SHA-256 of a file that fits nobody, so that it is known again under its right name."""
    try:
        return _sha(found.read(downloads.LARGEST_ZIP))
    except (Rejected, OSError):
        return ""


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest() if data else ""
