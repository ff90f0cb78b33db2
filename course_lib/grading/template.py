"""A hand-in rebuilt on our own release notebook: of the student's file only the text of answers and of own code stays.

Check cells, locked cells, metadata, outputs and the kernel are always ours. A hand-in whose answer is moved, split or
has code of its own around it still means what it meant.
"""

import copy
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from course_lib.grading.receipts import Rejected, printable

LARGEST = 5 * 2**20  # bytes of a notebook
CELLS = 500
CHARACTERS = 200_000  # of a cell
WRITTEN = 20_000  # characters of a written answer: a page takes minutes to render much more
SAVE = "open it in JupyterLab, save it, and hand in the saved file"
CLEAR = "choose Kernel > Restart Kernel and Clear Outputs of All Cells, save, and hand in again"
# Control characters, half surrogate pairs, and marks that make code read in another order than it runs.
_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_TAG = re.compile(r"<(?=[A-Za-z/!?])")


class TemplateError(ValueError):
    """Our own release notebook cannot be used; the message says why and what to do."""


@dataclass(frozen=True)
class Template:
    """The release notebook, and where its cells are: by grade_id, and by cell id."""

    notebook: Mapping[str, object]
    by_name: Mapping[str, int]
    by_id: Mapping[str, int]

    def role(self, index: int) -> str:
        """ "answer", "written", or "ours" for all that the student does not write."""
        cell = self.notebook["cells"][index]
        about = cell["metadata"].get("nbgrader", {})
        if not about.get("solution"):
            return "ours"
        return "answer" if cell["cell_type"] == "code" else "written"

    def label(self, index: int) -> str:
        """What messages call a cell."""
        cell = self.notebook["cells"][index]
        return cell["metadata"].get("nbgrader", {}).get("grade_id") or cell.get("id") or f"number {index + 1}"


@dataclass
class _Found:
    """What a hand-in has: texts of answers, and of own code by the cell of ours that it follows (-1: none)."""

    answers: dict[int, list[str]] = field(default_factory=dict)
    extras: dict[int, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    after: int = -1
    before: int | None = None  # the cell of ours that the cell just before is


def load(path: Path) -> Template:
    """Our release notebook. Errors: TemplateError for a missing, damaged or ambiguous one."""
    if not path.is_file():
        raise TemplateError(f"there is no {path}; build the assignment first: course assignment build {path.stem}")
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        names = [cell["metadata"].get("nbgrader", {}).get("grade_id") for cell in notebook["cells"]]
        ids = [cell.get("id") for cell in notebook["cells"]]
    except (KeyError, TypeError, ValueError) as error:
        raise TemplateError(f"{path} is damaged ({error}); build the assignment again") from error
    for each in (names, ids):
        known = [name for name in each if name]
        if len(set(known)) < len(known):
            twice = next(name for name in known if known.count(name) > 1)
            raise TemplateError(f"{path} has two cells {twice!r}; build the assignment again")
    by_name, by_id = ({name: i for i, name in enumerate(each) if name} for each in (names, ids))
    return Template(notebook, by_name, by_id)


def dump(notebook: Mapping[str, object]) -> bytes:
    """A notebook as a file, always the same bytes for the same notebook."""
    return (json.dumps(notebook, ensure_ascii=False, indent=1) + "\n").encode("utf-8")


def rebuild(data: bytes, template: Template) -> tuple[dict[str, object], list[str]]:
    """The template with the answers of a hand-in's bytes, and notes on what is missing or was left out.

    Errors: Rejected for bytes that are no notebook of this assignment, or whose answers are ambiguous.
    """
    handed, found = read_notebook(data), _Found()
    ours, theirs = (assignment(each) for each in (template.notebook, handed))
    if ours and theirs and theirs != ours:  # cells of two assignments may bear the same names
        raise Rejected(f"this is the notebook of {printable(theirs, 40)}; hand in the one of {ours}")
    for number, cell in enumerate(handed["cells"], start=1):
        _sort_in(number, cell, template, found)
    roles = {index: template.role(index) for index in range(len(template.notebook["cells"]))}
    wanted = [index for index, role in roles.items() if role != "ours"]
    if wanted and not found.answers:
        raise Rejected("none of the answer cells is in this file; fill in the notebook that was handed out")
    missing = [template.label(index) for index in wanted if index not in found.answers]
    notes = [f"{printable(name)} is missing" for name in missing] + found.notes
    return _assemble(template, found), list(dict.fromkeys(notes))


def assignment(notebook: Mapping[str, object]) -> str:
    """The assignment whose notebook this says it is, or nothing: an editor may drop what it does not know."""
    about = notebook.get("metadata")
    about = about.get("course") if isinstance(about, dict) else None
    name = about.get("assignment") if isinstance(about, dict) else None
    return name if isinstance(name, str) else ""


def read_notebook(data: bytes) -> dict[str, object]:
    """A notebook from its bytes: its cells are a list, and nothing else in it is trusted. Errors: Rejected."""
    if len(data) > LARGEST:
        raise Rejected(f"the notebook is larger than {LARGEST // 2**20} MB; {CLEAR}")
    if not data.strip():
        raise Rejected("the file is empty; save the notebook and hand it in again")
    try:
        notebook = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise Rejected(f"the file is no readable notebook: damaged or cut off; {SAVE}") from None
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells", notebook.get("worksheets")), list):
        raise Rejected(f"the file is JSON but no notebook; {SAVE}")
    if notebook.get("nbformat") != 4 or "cells" not in notebook:
        raise Rejected(f"the notebook has format {printable(notebook.get('nbformat'), 20)}, not 4; {SAVE}")
    if len(notebook["cells"]) > CELLS:
        raise Rejected(f"the notebook has {len(notebook['cells'])} cells, more than {CELLS}; delete those not needed")
    return notebook


def _sort_in(number: int, cell: object, template: Template, found: _Found) -> None:
    text = _text(number, cell, found)
    index = _which(cell, template)
    if index is None:
        _take_own(cell["cell_type"], text, template, found)
    elif template.role(index) == "ours":
        if text.strip() and text != "".join(template.notebook["cells"][index]["source"]):
            found.notes.append(f"a change to {printable(template.label(index))} was left out")
    elif index in found.answers and found.before != index:
        raise Rejected(
            f"two cells are {printable(template.label(index))}: a copy of an answer cell keeps its name; delete one of "
            "them, or paste its text into a new cell"
        )
    else:  # JupyterLab gives both halves of a split cell the same name
        found.answers.setdefault(index, []).append(text)
    found.after = found.after if index is None else index
    found.before = index


def _take_own(kind: object, text: str, template: Template, found: _Found) -> None:
    """A cell that the student added: code stays code; text below a written answer belongs to it."""
    if not text.strip():
        return
    if kind == "code":
        found.extras.setdefault(found.after, []).append(text)
    elif found.after in found.answers and template.role(found.after) == "written":
        found.answers[found.after].append(text)
    else:
        found.notes.append("text outside the written answers was left out")


def _which(cell: Mapping[str, object], template: Template) -> int | None:
    """The cell of ours that this one is: by its name, or by its id where the metadata is gone."""
    metadata = cell.get("metadata")
    about = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    name = about.get("grade_id") if isinstance(about, dict) else None
    if isinstance(name, str) and name in template.by_name:
        return template.by_name[name]
    identity = cell.get("id")
    return template.by_id.get(identity) if isinstance(identity, str) else None


def _text(number: int, cell: object, found: _Found) -> str:
    source = cell.get("source", "") if isinstance(cell, dict) else None
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str) or not isinstance(cell.get("cell_type"), str):
        raise Rejected(f"cell {number} is not one that Jupyter writes; {SAVE}")
    if len(source) > CHARACTERS:
        raise Rejected(f"cell {number} has {len(source)} characters, more than {CHARACTERS}; shorten it")
    clean = _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", source)
    if clean != source:
        found.notes.append("characters that cannot be seen were replaced")
    return clean


def _assemble(template: Template, found: _Found) -> dict[str, object]:
    notebook = copy.deepcopy(dict(template.notebook))
    taken = set(template.by_id)
    own = {index: [_own_cell(text, template, taken) for text in texts] for index, texts in sorted(found.extras.items())}
    cells = own.get(-1, [])
    for index, cell in enumerate(notebook["cells"]):
        if index in found.answers:
            text = "\n\n".join(filter(str.strip, found.answers[index])) or found.answers[index][0]
            if template.role(index) == "written" and len(text) > WRITTEN:
                label = printable(template.label(index))
                raise Rejected(f"{label} has {len(text)} characters, more than {WRITTEN}; shorten it")
            if template.role(index) == "written" and text != "".join(cell["source"]):
                text = _TAG.sub("< ", text)  # a tag would run in the browser of who marks the answer
            cell["source"] = text.splitlines(keepends=True) if isinstance(cell["source"], list) else text
        cells += [cell, *own.get(index, [])]
    return {**notebook, "cells": cells}


def _own_cell(text: str, template: Template, taken: set[str]) -> dict[str, object]:
    cell = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": []}
    if template.notebook.get("nbformat_minor", 0) >= 5:
        number = next(n for n in range(1, len(taken) + 2) if f"own-{n}" not in taken)
        taken.add(f"own-{number}")
        cell["id"] = f"own-{number}"
    return {**cell, "source": text.splitlines(keepends=True)}
