"""The rules of the lesson format, each a function that yields what is wrong."""

import re
from collections.abc import Iterator

from course_lib.publish.lesson import HEADER_FORM, Cell, Lesson

TAGS = {
    "slide",
    "notes",
    "setup",
    "predict",
    "exercise",
    "solution",
    "check",
    "live",
    "optional-long",
    "nbval-ignore-output",
}
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
_ALMOST_A_MARKER = re.compile(r"#+\s*(begin|end)[\s_-]*solutions?\b", re.IGNORECASE)


def problems(lesson: Lesson) -> Iterator[str]:
    """Yield every broken rule as the end of a sentence that starts with the file's name."""
    if not re.fullmatch(r"\d\d_[a-z0-9_]+", lesson.stem):
        yield ": a lesson's file is named NN_name.py, two digits and small letters"
    if not lesson.cells:
        yield f": the lesson has no cells; a cell starts with {HEADER_FORM}"
    for cell in lesson.cells:
        for rule in (_header, _tags, _id, _markers, _exercise):
            for problem in rule(cell, lesson):
                yield f", {cell}: {problem}"
    yield from _duplicates(lesson)
    yield from _unchecked(lesson)


def _header(cell: Cell, lesson: Lesson) -> Iterator[str]:
    if cell.extra:
        yield f"the header also says {', '.join(cell.extra)}; its form is {HEADER_FORM}, a title holds no = or {{"
    if cell.kind not in ("code", "markdown"):
        yield f"a {cell.kind} cell; cells are code or [markdown]"
    elif not cell.source.strip():
        yield "the cell is empty; fill it or delete its header"


def _tags(cell: Cell, lesson: Lesson) -> Iterator[str]:
    for tag in cell.tags:
        if tag not in TAGS:
            yield f"the tag {tag!r} is unknown; tags are {', '.join(sorted(TAGS))}"


def _id(cell: Cell, lesson: Lesson) -> Iterator[str]:
    match = cell.id_match
    kind = match["kind"] if match else None
    if match and (match["rest"] or len(match["lesson"]) != 2):
        yield f"the id {match[0]!r} is malformed; ids are 04.3, p04.3 (prediction), q04.3 (quiz), then a space"
    elif match and match["lesson"] != lesson.stem[:2]:
        yield f"the id {match[0]} belongs to lesson {match['lesson']}, not to {lesson.stem[:2]}"
    elif "exercise" in cell.tags and kind != "":
        yield f"an exercise's title starts with its id, such as {lesson.stem[:2]}.3"
    elif "predict" in cell.tags and kind != "p":
        yield f"a prediction's title starts with its id, such as p{lesson.stem[:2]}.3"


def _markers(cell: Cell, lesson: Lesson) -> Iterator[str]:
    inside = False
    for line in (line.strip() for line in cell.source.split("\n")):
        if line == (END if inside else BEGIN):
            inside = not inside
        elif line in (BEGIN, END):
            yield f"{line!r} without its partner; each {BEGIN} is closed by one {END}"
            return
        elif _ALMOST_A_MARKER.match(line):
            yield f"{line!r} is no marker; the markers are {BEGIN} and {END}, alone on their lines"
            return
    if inside:
        yield f"{BEGIN!r} without its partner; each {BEGIN} is closed by one {END}"
    elif BEGIN in cell.source and "exercise" not in cell.tags:
        yield f"a solution region outside an exercise; give the cell the tag 'exercise' or remove {BEGIN}"


def _exercise(cell: Cell, lesson: Lesson) -> Iterator[str]:
    if "exercise" not in cell.tags:
        return
    if cell.kind != "code":
        yield "an exercise is a code cell; tell its story in the markdown cell before it"
    elif BEGIN not in cell.source:
        yield f"an exercise without a solution; put one between {BEGIN} and {END}"


def _duplicates(lesson: Lesson) -> Iterator[str]:
    seen: dict[str, Cell] = {}
    for cell in lesson.cells:
        if cell.id and cell.id in seen:
            yield f", {cell}: the id {cell.id} is taken by line {seen[cell.id].line}; ids are permanent and used once"
        seen.setdefault(cell.id, cell)


def _unchecked(lesson: Lesson) -> Iterator[str]:
    waiting: Cell | None = None
    for cell in lesson.cells:
        if "exercise" in cell.tags:
            if waiting:
                break
            waiting = cell
        elif "check" in cell.tags:
            waiting = None
    if waiting:
        yield f", {waiting}: no check follows; put a code cell with the tag 'check' between it and the next exercise"
