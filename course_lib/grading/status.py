"""Where each student stands, none left out; and how many met each named mistake."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from course_lib.grading import book, journal, receipts, roster, runs
from course_lib.grading.book import Score
from course_lib.grading.outcome import Outcome
from course_lib.grading.roster import Member

WAITING, NOTHING = "not judged yet", "not handed in"
OPEN = ("internal error", WAITING)  # these must end otherwise before marks leave the grade book
UNREACHED = "not reached"
UNTRIED = ("nothing here yet", UNREACHED)  # these tell of no mistake, and come last
MARKED = journal.JUDGED


@dataclass(frozen=True)
class Standing:
    """A student with the status of the work: an outcome's, "not judged yet" or "not handed in"; and the reason.

    ``score`` is None unless the marks in the grade book are those of the hand-in that counts.
    """

    member: Member
    status: str
    reason: str = ""
    outcome: Outcome | None = None
    score: Score | None = None

    @property
    def late(self) -> str:
        """What being late costs; "" for a hand-in in time."""
        if self.score is None or not self.score.seconds_late:
            return ""
        return f"late, {self.score.penalty:g} points less" if self.score.penalty else "late"

    @property
    def open(self) -> str:
        """What is still to be done before these marks may leave the grade book; "" if nothing."""
        if self.status in OPEN:
            return f"{self.status}: {self.reason}" if self.reason else self.status
        if self.status in MARKED and self.score is None:
            return "the marks are not in the grade book yet"
        if self.score is not None and self.score.waiting:
            return f"to be marked by hand: {', '.join(self.score.waiting)}"
        return ""


def standings(folder: Path, assignment: str) -> list[Standing]:
    """Every student of the roster in its order, then whoever has handed in and is not in it.

    Errors: RosterError, ReceiptsError, JournalError for a file that is missing or damaged.
    """
    members = roster.read(folder / "roster.csv")
    handed_in = runs.handed_in(folder, assignment)
    members |= {student: Member(student, "", "") for student in handed_in if student not in members}
    outcomes = {name: entry.outcome for name, entry in journal.standing(folder, assignment).items()}
    entered, scores = book.entered(folder, assignment), book.scores(folder, assignment)
    refused = {each.student: each.reason for each in receipts.read(folder, assignment) if each.status == "rejected"}
    found = []
    for student, member in members.items():
        score = scores[student] if student in entered else None
        outcome = outcomes.get(student) if student in handed_in else None
        status, reason = _status(student in handed_in, outcome, refused.get(student, ""))
        found.append(Standing(member, status, reason, outcome, score if status in MARKED else None))
    return found


def _status(handed_in: bool, outcome: Outcome | None, refused: str) -> tuple[str, str]:
    """The status and its reason; a file that was rejected beside the hand-in that counts is mentioned."""
    if not handed_in:
        return ("rejected", refused) if refused else (NOTHING, "")
    beside = f"another file was rejected: {refused}" if refused else ""
    if outcome is None:
        return WAITING, beside
    return outcome.status, "; ".join(filter(None, (outcome.reason, beside)))


def mistakes(found: Sequence[Standing]) -> dict[str, Counter[str]]:
    """By part, how many students met each message among those who lack points."""
    met: dict[str, Counter[str]] = {}
    for standing in found:
        if standing.status in MARKED and standing.outcome is not None:
            for part, mark in standing.outcome.marks.items():
                met.setdefault(part, Counter()).update([_short(mark.message)] * (mark.points < mark.out_of))
    return met


def _stop(outcome: Outcome | None) -> str:
    """What ended a hand-in before all of its parts were asked, and where."""
    told = (mark.message for mark in outcome.marks.values()) if outcome else ()
    return next((text.partition(": ")[2] for text in told if text.startswith(f"{UNREACHED}: ")), "")


def _short(message: str) -> str:
    """The first line of a message; all that was not tried is one thing."""
    untried = next((each for each in UNTRIED if message.startswith(each)), "")
    return untried or (message.splitlines()[0] if message else "no message")


def lines(found: Sequence[Standing]) -> Iterator[str]:
    """What `course grade status` prints: a line a student, the sums, and a line a mistake."""
    for each in found:
        total = f"{each.score.total:7.2f}" if each.score else f"{'':7}"
        flags = [f"look at: {flag}" for flag in each.outcome.flags] if each.outcome else []
        words = [each.late, each.reason, _stop(each.outcome), *flags, each.open if each.score else ""]
        text = "; ".join(word.replace("\n", " ") for word in words if word)
        yield f"{each.member.student:16} {total} {each.status:14} {text}".rstrip()
    counts = Counter(each.status for each in found)
    yield f"{len(found)} students: " + ", ".join(f"{count} {status}" for status, count in counts.most_common())
    met = [(part, text, count) for part, texts in mistakes(found).items() for text, count in texts.most_common()]
    for part, text, count in sorted(met, key=lambda each: each[1].startswith(UNTRIED)):
        yield f"{part:6} {count:4} × {text}"
