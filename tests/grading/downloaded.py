"""A grade book beside a folder of downloads, for the tests of intake."""

import datetime
import io
import json
import os
import zipfile
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from course_lib.grading import intake, receipts
from course_lib.grading.roster import Member

CLASS = {
    each.student: each
    for each in (
        Member("ann", "Ann Lee", "ann@example.org", canvas_id="11"),
        Member("bob", "Bob Ray", "bob@example.org", canvas_id="22"),
        Member("cy", "Cy Poe", "cy@example.org", canvas_id="33"),
    )
}
DEADLINE = datetime.datetime(2026, 11, 29, 12, tzinfo=datetime.UTC)
HOUR = 3600


def notebook(answer="# answer"):
    about = {"answer-1": {"solution": True, "grade": False}, "check-1": {"solution": False, "grade": True}}
    cells = []
    for name, kind in about.items():
        source = answer if name == "answer-1" else 'check("1")'
        cells.append(new_code_cell(source, id=name, metadata={"nbgrader": {"grade_id": name, **kind}}))
    return nbformat.writes(new_notebook(cells=cells)).encode()


class World:
    """A grade book, and a folder of downloads beside it."""

    def __init__(self, folder):
        self.book, self.down = folder / "gradebook", folder / "down"
        self.put("ps1.ipynb", notebook(), root=self.book / "release" / "ps1")
        self.down.mkdir()

    def put(self, name, content, hours=-1.0, root=None):
        """A file, so many hours after the deadline."""
        path = (root or self.down) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        time = DEADLINE.timestamp() + hours * HOUR
        os.utime(path, (time, time))
        return path

    def take(self, deadline=DEADLINE, place=None):
        return intake.take_in(
            self.book, "ps1", place or self.down, CLASS, deadline, lambda student: {"n": len(student)}
        )

    def answer(self, student):
        data = json.loads((self.book / "submitted" / student / "ps1" / "ps1.ipynb").read_text())
        return "".join(data["cells"][0]["source"])

    def time(self, student):
        return (self.book / "submitted" / student / "ps1" / "timestamp.txt").read_text().strip()

    def rows(self):
        """By file, status and reason."""
        return {each.file: (each.status, each.reason) for each in receipts.read(self.book, "ps1")}

    def statuses(self):
        return {file: status for file, (status, _) in self.rows().items()}

    def reasons(self):
        return {path.name: path.read_text() for path in (self.book / "rejected" / "ps1").glob("*")}


def snapshot(folder):
    return {
        path: (path.stat().st_mtime_ns, path.stat().st_ino, path.read_bytes())
        for path in sorted(Path(folder).rglob("*"))
        if path.is_file()
    }


def zipped(files, **kinds):
    """A zip's bytes; a name may be a ZipInfo."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content, **kinds)
    return stream.getvalue()


SECRET = "text of the instructor's"


def hostile(folder):
    """Ann's hand-in will be hostile; Bob's and Cy's lie before and after it, and the instructor's file outside."""
    made = World(folder)
    made.put("submitted/bob/ps1/ps1.ipynb", notebook("x = 'bob'"))
    made.put("Cy Poe_1_assignsubmission_file_/ps1.ipynb", notebook("x = 'cy'"))
    made.outside = made.put("outside.ipynb", notebook(f"'{SECRET}'"), root=folder)
    return made


def rejected(world):
    """What became of Ann's, after a look at everybody else."""
    before = snapshot(world.down)
    result = world.take()
    assert snapshot(world.down) == before
    assert (world.answer("bob"), world.answer("cy")) == ("x = 'bob'", "x = 'cy'")
    assert "ann" in result.missing
    assert not (world.book / "submitted" / "ann").exists()
    assert not any(SECRET.encode() in content for _, _, content in snapshot(world.book).values())
    [reason] = world.reasons().values()
    assert result.warnings == ()
    return reason
