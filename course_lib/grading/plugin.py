"""nbgrader's stage that would run a student's notebook: here it writes down what the judge found and runs nothing."""

import math
import re
from collections.abc import Mapping
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import compute_checksum, is_grade, is_solution

from course_lib.grading import journal
from course_lib.grading.journal import Entry
from course_lib.grading.outcome import Mark, Outcome

# An unseen character in these places breaks what a browser would act on; an answer needs none of it.
_LIVE = re.compile(
    r"(?i)(?<=<)(?=[a-z/!?])"  # tags
    r"|(?<=\])(?=[(:])"  # links, pictures, and the addresses of both
    r"|(?<=script)(?=\s*:)|(?<=data)(?=\s*:)|(?<=http)(?=s?:)|(?<=mer)(?=maid)"
    r"|(?m:^)(?=[ ]{0,3}(?:#|=+[ \t]*(?m:$)|-+[ \t]*(?m:$)))"  # headings, which get names of their own
    r"|(?<=&)(?=#|[a-z][a-z0-9]*;)"  # characters by their names
    r"|(?<=\\)(?=href|mmlToken|class|cssId|style|require|unicode|bbox|url|html)"  # formulas with attributes
)
_JOINER = "\N{WORD JOINER}"


class Judged(NbGraderPreprocessor):
    """In place of nbgrader's Execute: gives each check cell the output that nbgrader reads as the mark in the journal.

    nbgrader reads an error as 0, one number as part of the points, and plain output as all of them; output on stderr
    would read as 0, so nothing is written there.
    Errors: JournalError if the hand-in was never judged, ValueError for a mark that does not fit the cell.
    """

    def preprocess(self, nb: NotebookNode, resources: Mapping) -> tuple[NotebookNode, Mapping]:
        """Fill the outputs of all code cells; nbgrader calls this with the course folder as the current one."""
        names = resources["nbgrader"]
        for cell in nb.cells:
            if cell.cell_type == "markdown" and is_solution(cell) and compute_checksum(cell) != _ours(cell):
                cell.source = harmless(cell.source)
        outcome = stands(Path.cwd(), names["assignment"], names["student"]).outcome
        code = [cell for cell in nb.cells if cell.cell_type == "code"]
        for cell in code:
            cell.execution_count, cell.outputs = None, []
            name = cell.metadata.get("nbgrader", {}).get("grade_id") or ""
            if is_grade(cell) and not is_solution(cell):
                cell.outputs = outputs(outcome, name.removeprefix("check-"), float(cell.metadata.nbgrader.points))
            elif name in outcome.errors:
                cell.outputs = [_said(f"This cell raised: {outcome.errors[name]}")]
        others = [cell for cell in code if not is_grade(cell)]
        if others and outcome.output:
            others[0].outputs.append(_said(f"All that the notebook printed:\n{outcome.output}"))
        return nb, resources


def harmless(markdown: str) -> str:
    """A written answer in which nothing is a tag or a script: nbgrader shows it as HTML in the lecturer's session."""
    return _LIVE.sub(_JOINER, markdown)


def stands(folder: Path, assignment: str, student: str) -> Entry:
    """The entry about what a student has handed in. Errors: JournalError unless there is one, with marks."""
    entry = journal.standing(folder, assignment, student).get(student)
    if entry is None or entry.outcome.status not in journal.JUDGED:
        found = "nothing" if entry is None else f"{entry.outcome.status!r}"
        raise journal.JournalError(
            f"the journal says {found} about what {student} has handed in for {assignment}, so there are no marks; "
            f"run: course grade run {assignment} --student {student}"
        )
    return entry


def outputs(outcome: Outcome, part: str, points: float) -> list[NotebookNode]:
    """The outputs of a part's check cell from which nbgrader's ``determine_grade`` makes exactly the mark.

    Errors: ValueError for a mark outside 0 to ``points``, or one out of something else.
    """
    mark = outcome.marks.get(part, Mark(0.0, points, f"not reached: {outcome.reason or 'the process ended before'}"))
    if mark.out_of != points:
        raise ValueError(
            f"part {part} is worth {mark.out_of:g} points in the problem set and {points:g} in the notebook; "
            "build the assignment anew and judge it again"
        )
    if not (math.isfinite(mark.points) and 0 <= mark.points <= points):
        raise ValueError(f"part {part} has {mark.points} points; they must lie between 0 and {points:g}")
    if mark.points == points:
        return [_said(mark.message or "all checks passed")]
    if mark.points == 0:
        return [new_output("error", ename="Wrong", evalue=mark.message, traceback=[mark.message])]
    number = new_output("execute_result", data={"text/plain": repr(mark.points)}, execution_count=1)
    return [_said(mark.message), number]


def _ours(cell: NotebookNode) -> str:
    """The checksum of the cell as it was handed out; an answer that still has it is nobody's answer."""
    return cell.metadata.nbgrader.get("checksum", "")


def _said(text: str) -> NotebookNode:
    return new_output("stream", name="stdout", text=f"{text}\n")
