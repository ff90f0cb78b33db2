"""What a student gets back: a page with the points, the hint that names each mistake, and the notebook's own words."""

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from course_lib.grading.outcome import Outcome
from course_lib.grading.status import MARKED, NOTHING, Standing

LARGEST = 2_000_000  # bytes; the journal cuts what a student wrote, so a page stays far below
_STYLE = (
    "body { font-family: sans-serif; max-width: 45em; margin: 2em auto; line-height: 1.5 } "
    "pre { background: #f4f4f4; padding: 0.8em; overflow-x: auto; white-space: pre-wrap } "
    "td:nth-child(-n+2), th { white-space: nowrap } "
    "table { border-collapse: collapse } td, th { text-align: left; vertical-align: top; padding: 0.3em 1em 0.3em 0 }"
)


def write(folder: Path, assignment: str, found: Sequence[Standing]) -> list[Path]:
    """Write ``feedback/<student>/<assignment>/<assignment>.html`` for all that handed something in and were judged.

    An error of ours is nothing to tell a student: no page is written, and an old one is removed.
    """
    written = []
    for standing in found:
        path = folder / "feedback" / standing.member.student / assignment / f"{assignment}.html"
        if standing.status == "rejected" or (standing.status in MARKED and standing.score is not None):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(page(assignment, standing), encoding="utf-8")
            written.append(path)
        elif standing.status != NOTHING:
            path.unlink(missing_ok=True)
    return written


def page(assignment: str, standing: Standing) -> str:
    """The page; all that a student could have written is escaped."""
    title = f"{escape(assignment)}: {escape(standing.member.student)}"
    body = "\n".join(_body(standing))
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>\n'
        f"<style>{_STYLE}</style></head>\n<body><h1>{title}</h1>\n{body}\n</body></html>\n"
    )


def _body(standing: Standing) -> Iterator[str]:
    if standing.status == "rejected":
        yield f"<p>This hand-in could not be taken: {escape(standing.reason)}</p>"
        return
    if standing.reason:
        yield f"<p>{escape(standing.status)}: {escape(standing.reason)}</p>"
    yield from _table(standing)
    yield from _own_words(standing.outcome)


def _table(standing: Standing) -> Iterator[str]:
    score, marks = standing.score, standing.outcome.marks
    yield "<table><tr><th>Part</th><th>Points</th><th>What was found</th></tr>"
    for part, out_of in score.out_of.items():
        points = "to be marked" if part in score.waiting else f"{score.points[part]:g} of {out_of:g}"
        words = [marks[part].message if part in marks else "", score.comments.get(part, "")]
        said = "<br>".join(escape(word).replace("\n", "<br>") for word in words if word)
        yield f"<tr><td>{escape(part)}</td><td>{points}</td><td>{said}</td></tr>"
    if standing.late:
        yield f"<tr><td>late</td><td>−{score.penalty:g}</td><td></td></tr>"
    whole = "so far " if score.waiting else ""
    yield f"<tr><th>Total</th><th>{whole}{score.total:g} of {sum(score.out_of.values()):g}</th><th></th></tr></table>"


def _own_words(outcome: Outcome) -> Iterator[str]:
    if outcome.errors:
        yield "<h2>Cells that raised an error</h2>"
        for cell, text in outcome.errors.items():
            yield f"<p>{escape(cell)}</p><pre>{escape(text)}</pre>"
    if outcome.output:
        yield f"<h2>What the notebook printed</h2><pre>{escape(outcome.output)}</pre>"
