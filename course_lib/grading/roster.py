"""Who is in the class: a CSV file with the columns student, name, email and, if wanted, canvas_id, login, section."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

NEEDED = ("student", "name", "email")
OPTIONAL = ("canvas_id", "login", "section")
LARGEST = 10 * 2**20  # bytes
_STUDENT = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9_-])?")  # also a folder's name on every system


class RosterError(ValueError):
    """The roster cannot be used; the message names the line, the rule and the cure."""


@dataclass(frozen=True)
class Member:
    """A student of the class: the id that names their folders, and what a learning platform calls them."""

    student: str
    name: str
    email: str
    canvas_id: str = ""
    login: str = ""
    section: str = ""


Roster = Mapping[str, Member]


def read(path: Path) -> dict[str, Member]:
    """All members by their id, in the file's order; commas or semicolons, with or without a byte order mark.

    Errors: RosterError for a missing file or column, a bad value, or an id that two members share.
    """
    header, *rows = _rows(path)
    columns = [name.strip().casefold() for name in header]
    _check_columns(path, columns)
    members: dict[str, Member] = {}
    for line, row in enumerate(rows, start=2):
        if any(value.strip() for value in row):
            member = _member(f"{path}, row {line}", columns, row)
            _check_new(f"{path}, row {line}", member, members)
            members[member.student] = member
    if not members:
        raise RosterError(f"{path} names no student; add a row for each: {','.join(NEEDED)}")
    return members


def _rows(path: Path) -> list[list[str]]:
    text = _text(path)
    if not text.strip():
        raise RosterError(f"{path} is empty; its first row must name the columns: {','.join(NEEDED)}")
    first = text.lstrip().splitlines()[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    try:
        return list(csv.reader(io.StringIO(text.lstrip(), newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise RosterError(f"{path} is no CSV file: {error}; save it as CSV UTF-8") from error


def _text(path: Path) -> str:
    if not path.is_file():
        raise RosterError(f"there is no roster file {path}; write one with the columns {','.join(NEEDED)}")
    if path.stat().st_size > LARGEST:
        raise RosterError(f"{path} has more than {LARGEST // 2**20} MB; a roster has a row a student")
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RosterError(f"{path} is not in UTF-8 ({error.reason}); save it as CSV UTF-8") from error


def _check_columns(path: Path, columns: Sequence[str]) -> None:
    for name in NEEDED:
        if name not in columns:
            found = ", ".join(columns)
            raise RosterError(f"{path} has no column {name!r}, only {found}; name it in the first row")
    for name in (*NEEDED, *OPTIONAL):
        if columns.count(name) > 1:
            raise RosterError(f"{path} has {columns.count(name)} columns {name!r}; leave one")


def _member(place: str, columns: Sequence[str], row: Sequence[str]) -> Member:
    if len(row) != len(columns):
        raise RosterError(
            f"{place} has {len(row)} values for {len(columns)} columns; put a name with a comma in quotes"
        )
    values = {name: value.strip() for name, value in zip(columns, row) if name in (*NEEDED, *OPTIONAL)}
    if not _STUDENT.fullmatch(values["student"]):
        raise RosterError(
            f"{place}: student is {values['student'][:80]!r}; an id has 1 to 64 letters a-z, digits, '.', '_' and '-', "
            "and neither starts with '.' or '-' nor ends with '.'"
        )
    if values.get("canvas_id") and not re.fullmatch("[0-9]{1,20}", values["canvas_id"]):
        raise RosterError(f"{place}: canvas_id is {values['canvas_id'][:80]!r}; it must be digits, as in Canvas")
    return Member(**values)


def _check_new(place: str, member: Member, members: Roster) -> None:
    """Ids must differ by more than case: on some systems Ann and ann are one folder."""
    for name in ("student", "canvas_id", "login"):
        value = getattr(member, name).casefold()
        for other in members.values():
            if value and getattr(other, name).casefold() == value:
                raise RosterError(
                    f"{place}: {name} {value!r} is already that of student {other.student!r}; give each their own"
                )
