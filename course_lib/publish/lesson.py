"""Read one lesson, `lessons/NN_name.py` in the percent format, into plain cells."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jupytext
import nbformat

from course_lib.publish.project import PublishError

HEADER_FORM = '# %% title tags=["…"]'
_HEADER = re.compile(r"\s*#\s*%%+(\s|$)")
_ID = re.compile(r"(?P<kind>[pq]?)(?P<lesson>\d+)\.(?P<number>\d+)(?P<rest>\S*)")
# jupytext's notes to itself: blank lines after the cell, the quotes around its text
_JUPYTEXT_ONLY = {"lines_to_next_cell", "lines_to_end_of_cell_marker", "cell_marker"}


class LessonError(PublishError):
    """A lesson breaks a rule of the lesson format."""


@dataclass(frozen=True)
class Cell:
    """One cell of a lesson; `extra` holds what its header says besides title and tags."""

    kind: str
    source: str
    title: str
    tags: tuple[str, ...]
    line: int
    extra: tuple[str, ...] = ()

    @property
    def first_line(self) -> str:
        """The first line of the source, "" for an empty cell."""
        return self.source.split("\n", 1)[0]

    @property
    def id(self) -> str:
        """The permanent id at the head of the title (`04.3`, `p04.3`, `q04.3`), or ""."""
        match = self.id_match
        return match[0] if match else ""

    @property
    def id_match(self) -> re.Match[str] | None:
        """The id taken apart: kind, lesson, number, and a rest that must be empty."""
        return _ID.match(self.title)

    def __str__(self) -> str:
        return f"line {self.line}, cell {self.title or self.first_line!r}"


@dataclass(frozen=True)
class Lesson:
    """A lesson that keeps the rules."""

    path: Path
    cells: tuple[Cell, ...]

    @property
    def stem(self) -> str:
        """The lesson's name, `02_stacking`."""
        return self.path.stem


def read_lesson(path: Path) -> Lesson:
    """Read a lesson and refuse it with one sentence if it breaks a rule."""
    from course_lib.publish.rules import problems  # rules.py judges the classes of this file

    text = path.read_text(encoding="utf-8")
    try:
        nodes = jupytext.reads(text, fmt="py:percent").cells
    except nbformat.ValidationError as error:
        raise LessonError(
            f"{path.name}: a header cannot be read ({error.message}); its form is {HEADER_FORM}"
        ) from None
    lines = [number for number, line in enumerate(text.splitlines(), start=1) if _HEADER.match(line)]
    if len(lines) != len(nodes):
        raise LessonError(
            f"{path.name}: {len(lines)} lines look like cell headers but there are {len(nodes)} cells; nothing may "
            "stand before the first header, and no line inside a string may start with # %%"
        )
    lesson = Lesson(path, tuple(_cell(node, line) for node, line in zip(nodes, lines, strict=True)))
    for problem in problems(lesson):
        raise LessonError(f"{path.name}{problem}")
    return lesson


def _cell(node: Any, line: int) -> Cell:
    metadata = {key: value for key, value in node.metadata.items() if key not in _JUPYTEXT_ONLY}
    title = metadata.pop("title", "")
    tags = metadata.pop("tags", [])
    extra = tuple(f"{key}={value}" if value is not None else key for key, value in metadata.items())
    return Cell(node.cell_type, node.source, title, tuple(tags), line, extra)
