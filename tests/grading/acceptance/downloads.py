"""The downloads of a class: a folder with the names of Canvas, Moodle and nbgrader, and a class's zip beside it."""

from pathlib import Path

from tests.grading.acceptance.desk import NAME
from tests.grading.downloaded import zipped

NOTEBOOK = f"{NAME}.ipynb"
LAYOUTS = ("canvas", "moodle", "nbgrader", "class zip", "zip", "exchange")
TIME = "2026-11-29 10:15:30.5 UTC"


class Downloads:
    """``put`` one hand-in after the other, then ``close``."""

    def __init__(self, folder: Path):
        self.folder, self._in_zip = folder, []
        self.layouts = {}

    def put(self, number, student, desk):
        layout = desk.layout or LAYOUTS[(number + number // len(LAYOUTS)) % len(LAYOUTS)]
        self.layouts[student] = layout
        moodle = self.folder / "moodle" / f"Pupil {student}_{4000 + number}_assignsubmission_file_"
        canvas = f"pupil{student}_{1000 + number}_{9000 + number}_{NOTEBOOK}"
        if layout == "odd":
            moodle.mkdir(parents=True)
            desk.odd(moodle)
        elif layout == "class zip":
            self._in_zip.append((canvas, desk.content()))
        elif layout == "canvas":
            _write(self.folder / "canvas", {canvas: desk.content()})
        elif layout == "zip":
            files = {NOTEBOOK: desk.content(), **desk.files}
            _write(moodle, {f"{NAME}.zip": zipped([(f"{NAME}/{name}", data) for name, data in files.items()])})
        else:
            place = {
                "moodle": moodle,
                "nbgrader": self.folder / "submitted" / student / NAME,
                "exchange": self.folder / "inbound" / f"{student}+{NAME}+{TIME}",
            }[layout]
            own = {name: (desk.handed / name).read_bytes() for name in ("variant.json", "samples.json")}
            _write(place, {NOTEBOOK: desk.content(), **own, **desk.files})

    def close(self):
        """Write the class's zip, which intake opens only where it is given that file."""
        class_zip(self.folder).write_bytes(zipped(self._in_zip))


def class_zip(folder: Path) -> Path:
    """Beside the folder of the other downloads."""
    return folder.with_name("submissions.zip")


def _write(folder, files):
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
