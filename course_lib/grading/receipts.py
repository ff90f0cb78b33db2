"""A receipt for every hand-in: what came, when, its SHA-256, and whether it counts; and why a hand-in is rejected."""

import contextlib
import csv
import hashlib
import io
import os
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

STATUSES = ("taken", "late", "superseded", "rejected")
COUNT = ("taken", "late")  # a hand-in with one of these stands in submitted/
TIME = "%Y-%m-%d %H:%M:%S.%f"  # UTC, so that texts sort as times
LONGEST = 200  # characters of a file's name that are kept
# Control characters, half surrogate pairs, and marks that turn the direction of writing, which hide what a name says.
_FORMULA = re.compile(r"(?:^|(?<=;))(?=\s*[=+\-@])")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


class Rejected(Exception):
    """Why a hand-in is not taken, in a sentence that names the remedy."""


class ReceiptsError(ValueError):
    """The file of receipts is damaged; the message says where and what to do."""


@dataclass(frozen=True)
class Receipt:
    """A hand-in's student ("" where nobody fits), file, SHA-256 ("" if not read), time (UTC), size, status, reason."""

    student: str
    file: str
    sha256: str
    when: str
    size: int
    status: str
    reason: str = ""


_COLUMNS = [field.name for field in fields(Receipt)]


def path(folder: Path, assignment: str) -> Path:
    """The receipts of an assignment."""
    return folder / "receipts" / f"{assignment}.csv"


def read(folder: Path, assignment: str) -> list[Receipt]:
    """All receipts; without a file none. Errors: ReceiptsError for a row that is no receipt."""
    file = path(folder, assignment)
    if not file.is_file():
        return []
    with open(file, encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    if rows[:1] != [_COLUMNS]:
        raise ReceiptsError(f"{file} does not start with {','.join(_COLUMNS)}; move it away and run intake again")
    return [_receipt(f"{file}, row {number}", row) for number, row in enumerate(rows[1:], start=2)]


def _receipt(place: str, row: list[str]) -> Receipt:
    values = dict(zip(_COLUMNS, row))
    if len(row) != len(_COLUMNS) or values["status"] not in STATUSES or not values["size"].isdecimal():
        raise ReceiptsError(f"{place} is no receipt; delete the row and run intake again")
    return Receipt(**{**values, "size": int(values["size"])})


def write(folder: Path, assignment: str, receipts: Iterable[Receipt]) -> None:
    """Replace the receipts of an assignment, and write each rejection's reason where there is one."""
    receipts = sorted(receipts, key=lambda each: (each.student, each.when, each.file, each.sha256))
    _write_reasons(folder / "rejected" / assignment, receipts)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows(asdict(receipt).values() for receipt in receipts)
    replace(path(folder, assignment), text.getvalue().encode("utf-8"))


def _write_reasons(folder: Path, receipts: Iterable[Receipt]) -> None:
    reasons = {reason_file(each): each for each in receipts if each.status == "rejected"}
    for name, receipt in reasons.items():
        student = receipt.student or "nobody in the roster"
        head = f"file: {receipt.file}\nstudent: {student}\nSHA-256: {receipt.sha256 or 'not read'}\n"
        replace(folder / name, f"{head}\n{receipt.reason}\n".encode())
    if folder.is_dir():
        for old in folder.glob("*.txt"):
            if old.name not in reasons:  # it is accepted now, by a longer roster or a repaired file
                old.unlink()


def reason_file(receipt: Receipt) -> str:
    """The name of the file with a rejection's reason: safe on every system, and different for different hand-ins."""
    safe = re.sub(r"[^A-Za-z0-9._-]+", "_", receipt.file).strip("._")[-60:] or "file"
    digest = hashlib.sha256(f"{receipt.student}/{receipt.file}/{receipt.sha256}".encode()).hexdigest()
    return f"{safe}.{digest[:8]}.txt"


def printable(name: object, longest: int = LONGEST) -> str:
    """A file's name, cut, without characters that cannot be seen, and never a formula where a spreadsheet opens it."""
    text = _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", str(name))
    return no_formula(text if len(text) <= longest else text[: longest - 1] + "…")


def no_formula(text: str) -> str:
    """A text that no spreadsheet takes for a formula, also one that takes a semicolon for the end of a cell."""
    return _FORMULA.sub("'", text)


def replace(file: Path, content: bytes) -> bool:
    """Give a file this content, all or nothing; False where it has it already and nothing is touched."""
    with contextlib.suppress(OSError):
        if file.read_bytes() == content:
            return False
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}.part")  # one name, so that a run that was killed leaves nothing for ever
    with open(part, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(part, file)
    return True
