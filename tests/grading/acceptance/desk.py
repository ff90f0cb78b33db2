"""A student's desk: what was handed out lies on it, and becomes a hand-in of any kind."""

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from course_lib.publish.rules import BEGIN, END
from tests.grading import answers

NAME = "ps1"
WORDS = "Your answer."


def solution(part):
    """Our own answer to a part."""
    [text] = [cell.source for cell in answers.notebook(NAME).cells if cell.id == f"answer-{part}"]
    return "\n".join(line for line in text.splitlines() if line.strip() not in (BEGIN, END))


@dataclass
class Desk:
    """``handed`` is the student's folder; ``places`` are paths that an attack may want; the rest is what goes back.

    ``raw`` stands in for the notebook's bytes, ``odd`` puts what is no plain file into the folder that is handed in.
    """

    handed: Path
    places: Mapping[str, object]
    notebook: dict[str, object] = field(init=False)
    files: dict[str, bytes] = field(default_factory=dict)
    raw: bytes | None = None
    odd: Callable[[Path], None] | None = None
    layout: str = ""  # "": whichever comes next

    def __post_init__(self):
        self.notebook = json.loads((self.handed / f"{NAME}.ipynb").read_text(encoding="utf-8"))

    @property
    def parts(self):
        names = (cell["metadata"]["nbgrader"]["grade_id"] for cell in self.notebook["cells"])
        return [name.removeprefix("answer-") for name in names if name.startswith("answer-")]

    def cell(self, name):
        [found] = [cell for cell in self.notebook["cells"] if cell.get("id") == name]
        return found

    def index(self, name):
        return self.notebook["cells"].index(self.cell(name))

    def solve(self):
        """Fill in our own answers, but nothing in words."""
        for part in self.parts:
            self.answer(part, solution(part))

    def answer(self, part, text):
        self.cell(f"answer-{part}")["source"] = text

    def more(self, part, text):
        """Add to an answer."""
        cell = self.cell(f"answer-{part}")
        cell["source"] = "".join(cell["source"]) + f"\n\n\n{text}"

    def own(self, text, after="text-2", **more):
        """Add a code cell; "text-2" is the one that sets up."""
        made = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": text, **more}
        self.notebook["cells"].insert(self.index(after) + 1, made)
        return made

    def twice(self, name, after):
        """Copy a cell with its names to another place."""
        self.notebook["cells"].insert(self.index(after) + 1, copy.deepcopy(self.cell(name)))

    def content(self):
        return json.dumps(self.notebook).encode() if self.raw is None else self.raw
