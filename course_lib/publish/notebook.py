"""Derive notebooks from a lesson: the reading copy, the solved notebook, the learner's copy."""

import copy
import hashlib
import os
import re
from pathlib import Path

import nbformat
from nbformat import NotebookNode, v4

from course_lib.publish.lesson import Cell, Lesson
from course_lib.publish.project import PublishError
from course_lib.publish.rules import BEGIN, END

# JupyterLab asks for a kernel when the kernelspec is missing.
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
REGION = re.compile(rf"^([ \t]*){BEGIN}[ \t]*$.*?^[ \t]*{END}[ \t]*$", re.MULTILINE | re.DOTALL)
_MARKER_LINE = re.compile(rf"^[ \t]*(?:{BEGIN}|{END})[ \t]*(?:\n|\Z)", re.MULTILINE)
_ID_WORD = {"": "ex", "p": "predict", "q": "quiz"}


def reading_copy(lesson: Lesson) -> NotebookNode:
    """The notebook with stubs in place of the solutions."""
    return _notebook(lesson, dropped={"notes", "solution"}, solved=False)


def solved_copy(lesson: Lesson) -> NotebookNode:
    """The notebook with every exercise solved."""
    return _notebook(lesson, dropped={"notes"}, solved=True)


def learners_copy(notebook: NotebookNode) -> NotebookNode:
    """The same notebook without outputs and numbers, so that no printed answer spoils a prediction."""
    bare = copy.deepcopy(notebook)
    for cell in bare.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return bare


def dumps(notebook: NotebookNode) -> str:
    """The notebook as text, always the same for the same notebook."""
    nbformat.validate(notebook)
    return nbformat.writes(notebook, version=4, sort_keys=True, indent=1) + "\n"


def read(path: Path) -> NotebookNode:
    """Read a notebook, or refuse it in one sentence."""
    try:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        return notebook
    except (
        ValueError,
        AttributeError,
        TypeError,
        nbformat.ValidationError,
    ) as error:  # no JSON, or JSON of another kind
        raise PublishError(f"{path.name} is no notebook ({type(error).__name__}); run: course build") from None


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all: a build that is stopped leaves the old file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        scratch.write_text(text, encoding="utf-8", newline="\n")
        os.replace(scratch, path)
    finally:
        scratch.unlink(missing_ok=True)


def cell_ids(lesson: Lesson) -> list[str]:
    """One id a cell, from its permanent id or else its first line, so that other cells may come and go."""
    seen: dict[str, int] = {}
    ids = []
    for cell in lesson.cells:
        name = _id_name(cell, lesson.stem)
        seen[name] = seen.get(name, 0) + 1
        ids.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return ids


def _id_name(cell: Cell, stem: str) -> str:
    if match := cell.id_match:
        return f"{_ID_WORD[match['kind']]}-{match['lesson']}-{match['number']}"
    return hashlib.sha256(f"{stem}\n{cell.kind}\n{cell.first_line}".encode()).hexdigest()[:12]


def _notebook(lesson: Lesson, dropped: set[str], solved: bool) -> NotebookNode:
    cells = [
        _node(cell, cell_id, _solve(cell.source) if solved else _stub(cell.source))
        for cell, cell_id in zip(lesson.cells, cell_ids(lesson), strict=True)
        if not dropped.intersection(cell.tags)
    ]
    return v4.new_notebook(cells=cells, metadata=copy.deepcopy(METADATA))


def _node(cell: Cell, cell_id: str, source: str) -> NotebookNode:
    new = v4.new_code_cell if cell.kind == "code" else v4.new_markdown_cell
    metadata: dict[str, object] = {"slideshow": {"slide_type": _slide_type(cell.tags)}}
    if cell.tags:
        metadata["tags"] = list(cell.tags)
    if cell.title:
        metadata["title"] = cell.title
    return new(source, id=cell_id, metadata=metadata)


def _slide_type(tags: tuple[str, ...]) -> str:
    if "slide" in tags:
        return "slide"
    if "notes" in tags:
        return "notes"
    return "fragment" if {"live", "predict"}.intersection(tags) else "skip"


def _stub(source: str) -> str:
    return REGION.sub(r"\1raise NotImplementedError", source)


def _solve(source: str) -> str:
    return _MARKER_LINE.sub("", source).rstrip("\n")
