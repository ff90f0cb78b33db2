"""Marks leave the grade book: as a table of everything, as Canvas imports them, as Gradescope's results a student."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from course_lib.grading import receipts
from course_lib.grading.status import Standing

FORMATS = ("csv", "canvas", "gradescope")


class ExportError(ValueError):
    """The marks cannot leave the grade book; the message is one sentence."""


def check_closed(found: Sequence[Standing]) -> None:
    """Errors: ExportError if anything is still to be judged, or to be marked by hand."""
    still = [each for each in found if each.open]
    if still:
        names = "; ".join(f"{each.member.student} ({each.open.splitlines()[0]})" for each in still[:5])
        more = f"; and {len(still) - 5} more" if len(still) > 5 else ""
        raise ExportError(
            f"{len(still)} of {len(found)} students are not done: {names}{more}; run `course grade run`, mark by hand, "
            "or export without them by --allow-open"
        )


def write_csv(path: Path, assignment: str, found: Sequence[Standing]) -> None:
    """Every student with status, reason, points by part, late penalty and total; who has no marks has empty ones."""
    parts = _parts(found)
    header = ["assignment", "student", "name", "email", "status", "reason", "flags", "open", "late"]
    rows = [[*header, *parts, "late_penalty", "total", "out_of"]]
    for each in found:
        member, outcome = each.member, each.outcome
        flags = "; ".join(outcome.flags) if outcome else ""
        about = [member.student, member.name, member.email, each.status, each.reason, flags, each.open]
        about.append("late" if each.late else "")
        rows.append([assignment, *map(_plain, about), *_numbers(each, parts)])
    _write(path, rows)


def write_canvas(path: Path, assignment: str, found: Sequence[Standing], identity: str = "") -> None:
    """The table that Canvas's grade book imports; ``identity`` is Canvas's number of the assignment.

    Canvas finds a student by its own ID, else by login. An empty score takes away one that Canvas has.
    Errors: ExportError for a student with neither ID nor login, or without a name for the Student column.
    Source: gradebook_importer.rb and gradebook_exporter.rb of Canvas LMS.
    """
    if lost := [each.member.student for each in found if not (each.member.canvas_id or each.member.login)]:
        raise ExportError(
            f"Canvas cannot find {', '.join(lost[:5])}: the roster has neither canvas_id nor login; take both from the "
            "file that Canvas's grade book exports"
        )
    title = f"{assignment} ({identity})" if identity else assignment
    rows = [["Student", "ID", "SIS User ID", "SIS Login ID", "Section", title]]
    rows.append(["    Points Possible", "", "", "", "", _number(_out_of(found))])
    for each in found:
        member, total = each.member, each.score.total if _final(each) else None
        name = _plain(member.name or member.student)
        rows.append([name, member.canvas_id, "", member.login, member.section, _number(total)])
    _write(path, rows)


def write_gradescope(path: Path, found: Sequence[Standing]) -> list[str]:
    """A folder with results.json for each student that has marks; give back the ids of those that have none.

    The fields are those that Gradescope describes for what an autograder writes; no upload was tried.
    """
    without = []
    for each in found:
        file = path / each.member.student / "results.json"
        if _final(each):
            text = json.dumps(results(each), indent=2, ensure_ascii=False) + "\n"
            receipts.replace(file, text.encode("utf-8"))
        else:
            file.unlink(missing_ok=True)  # of an earlier export, and no longer true
            without.append(each.member.student)
    return without


def results(standing: Standing) -> dict[str, object]:
    """One student's results: a test a part, and the total with late penalty and what was marked by hand."""
    score, outcome = standing.score, standing.outcome
    tests = []
    for part, out_of in score.out_of.items():
        words = [outcome.marks[part].message if part in outcome.marks else "", score.comments.get(part, "")]
        test = {"name": part, "score": score.points[part], "max_score": out_of}
        tests.append({**test, "output": "\n".join(filter(None, words)), "visibility": "visible"})
    said = "\n".join(filter(None, [standing.reason, standing.late]))
    return {"score": score.total, "output": said, "visibility": "visible", "tests": tests}


def _final(standing: Standing) -> bool:
    """Whether the total may be told: half a total would look like all."""
    return standing.score is not None and not standing.open


def _parts(found: Iterable[Standing]) -> list[str]:
    return next((list(each.score.out_of) for each in found if each.score), [])


def _out_of(found: Iterable[Standing]) -> float:
    """The points of the whole assignment. Errors: ExportError if nobody has marks."""
    for each in found:
        if each.score:
            return sum(each.score.out_of.values())
    raise ExportError("nobody has marks in the grade book, so there is nothing to export; run: course grade run")


def _numbers(standing: Standing, parts: Sequence[str]) -> list[str]:
    score = standing.score
    if score is None:
        return [""] * (len(parts) + 3)
    points = [None if part in score.waiting else score.points.get(part) for part in parts]
    total = score.total if _final(standing) else None
    return [_number(each) for each in (*points, score.penalty, total, sum(score.out_of.values()))]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}".rstrip("0").rstrip(".")


def _plain(text: str) -> str:
    """Text in one line that no spreadsheet takes for a formula."""
    return receipts.no_formula(" ".join(text.split()))


def _write(path: Path, rows: Iterable[Sequence[str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    receipts.replace(path, text.getvalue().encode("utf-8"))
