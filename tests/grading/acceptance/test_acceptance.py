"""Is every hand-in of a hostile class worth what it earned, and is all else as if it had never come? (A01 to A40)"""

import re

import pytest

from course_lib.grading import book, journal, receipts, runs, sets
from course_lib.grading.feedback import LARGEST
from tests.grading import answers
from tests.grading.acceptance.desk import NAME, Desk, solution
from tests.grading.acceptance.honest import passes_what_was_shown
from tests.grading.acceptance.hostile import TOKEN
from tests.grading.acceptance.term import CLASS, LIMITS, STUDENTS, WRITTEN, points, told

pytestmark = pytest.mark.box
ENTRIES = {entry.name: entry for entry in CLASS.values()}
HONEST = [name for name, entry in ENTRIES.items() if entry.is_honest]
REJECTED = [name for name, entry in ENTRIES.items() if entry.status == "rejected"]
JUDGED = [name for name in ENTRIES if name not in REJECTED]


# each case


@pytest.mark.parametrize("name", sorted(ENTRIES))
def test_a_hand_in_ends_as_it_should(whole, name):
    entry, standing = ENTRIES[name], whole.standings[name]
    wanted = (entry.status,) if isinstance(entry.status, str) else entry.status
    everything = told(standing)
    assert standing.status in wanted, everything[-2000:]
    assert points(standing) == entry.points, everything[-2000:]
    assert [words for words in entry.said if words not in everything] == [], everything[-3000:]
    assert [words for words in entry.unsaid if words in everything] == [], everything[-3000:]


@pytest.mark.parametrize("name", sorted(ENTRIES))
def test_its_page_and_its_row_say_the_same(whole, name):
    standing, row, page = whole.standings[name], whole.rows[name], whole.pages[name]
    assert row["status"] == standing.status
    assert row["total"] == ("" if name in REJECTED else f"{standing.score.total:g}")
    assert len(page.encode()) < LARGEST
    assert standing.status in page or standing.status == "graded" or "could not be taken" in page
    assert not re.search(r"<script|[\x00-\x08\x0b\x0e-\x1f\ud800-\udfff]", page)


def test_all_cases_are_there():
    """A40, hostile hand-ins first, in the middle and last, is the whole class."""
    assert sorted({entry.case for entry in CLASS.values()}) == [f"A{number:02d}" for number in range(1, 40)]
    places = [entry.is_honest for entry in CLASS.values()]
    middle = places[len(places) // 3 : 2 * len(places) // 3]
    assert (places[0], places[-1]) == (False, False)
    assert {True, False} == set(middle)
    assert len(places) >= 30


def test_downloads_have_all_layouts(whole):
    assert {"canvas", "moodle", "nbgrader", "class zip", "zip", "exchange", "odd"} == set(whole.layouts.values())


def test_a_table_of_the_shown_cases_passes_only_them(whole):
    handed = whole.folder / "handed_out" / NAME / STUDENTS["A05 hard-coded"]
    assert passes_what_was_shown(Desk(handed, whole.places))
    assert whole.standings["A05 hard-coded"].score.points["3b"] == 0


def test_limits_stop_in_time(whole):
    slow = {name: each.outcome.seconds for name, each in whole.standings.items() if each.outcome}
    assert max(slow.values()) <= LIMITS.wall + 5, slow
    assert slow["A08 loop"] > 5


def test_what_is_written_is_marked_by_hand(whole):
    assert "to be marked by hand: written-5" in whole.said["export too early"][1]
    score = whole.standings["A01 solution"].score
    assert (score.points[WRITTEN], score.total) == (4.0, 22.0)


# the others


@pytest.mark.parametrize("name", HONEST)
def test_honest_students_are_marked_as_if_alone(whole, honest, name):
    """A40: grade book, marks, exported row and page; only the numbers that were drawn may differ in a message."""
    together, alone = whole.standings[name], honest.standings[name]
    assert (together.status, together.score) == (alone.status, alone.score)
    assert _marks(together) == _marks(alone)
    assert together.outcome.flags == alone.outcome.flags
    assert whole.rows[name] == honest.rows[name]
    assert _undrawn(whole.pages[name]) == _undrawn(honest.pages[name])


def _marks(standing):
    return {part: (mark.points, _undrawn(mark.message)) for part, mark in standing.outcome.marks.items()}


def _undrawn(text):
    return re.sub(r"\(\d[\d, ]*\)", "(sizes)", text)


def test_the_grade_book_holds_the_marks_of_the_judge_and_nothing_else(whole):
    scores, standing = book.scores(whole.folder, NAME), journal.standing(whole.folder, NAME)
    assert {CLASS[who].name for who in scores} == set(JUDGED)
    for student, score in scores.items():
        marks = {part: mark.points for part, mark in standing[student].outcome.marks.items()}
        assert {part: value for part, value in score.points.items() if part != WRITTEN} == marks
        assert score.points[WRITTEN] == (4.0 if CLASS[student].name == "A01 solution" else 0.0)


def test_every_hand_in_was_judged_once_and_nothing_is_open(whole):
    entries = journal.read(whole.folder, NAME)
    assert sorted(CLASS[entry.student].name for entry in entries) == sorted(JUDGED)
    assert runs.missing(whole.folder, NAME) == []
    assert [whole.said[step][0] for step in ("run", "status", "feedback", "export")] == [0] * 4, whole.said["run"]
    assert (whole.said["intake"][0], whole.said["export too early"][0]) == (1, 1)
    assert list(whole.rows) == list(ENTRIES)


def test_every_rejection_has_a_receipt_and_a_reason(whole):
    rows = [each for each in receipts.read(whole.folder, NAME) if each.status == "rejected"]
    assert {CLASS[each.student].name for each in rows} == set(REJECTED)
    for name in REJECTED:
        assert not (whole.folder / "submitted" / STUDENTS[name] / NAME).exists()
    reasons = [path.read_text(encoding="utf-8") for path in (whole.folder / "rejected" / NAME).iterdir()]
    assert all(any(each.reason in text for text in reasons) for each in rows)


def test_a_hand_in_is_three_files_of_ours(whole):
    for name in JUDGED:
        place = whole.folder / "submitted" / STUDENTS[name] / NAME
        assert sorted(path.name for path in place.iterdir()) == ["ps1.ipynb", "timestamp.txt", "variant.json"]


def test_the_same_commands_again_change_nothing(whole):
    exported = whole.folder / "export" / f"{NAME}.csv"
    before, words = exported.read_bytes(), ("--secret-file", str(whole.places["secret"]))
    whole.command("intake again", "grade", "intake", str(whole.folder.parent / "downloads"), *words)
    whole.command("run again", "grade", "run", *words)
    whole.command("export again", "grade", "export")
    assert f"{len(JUDGED)} of {len(ENTRIES)} students have handed in, 0 anew" in whole.said["intake again"][1]
    assert whole.said["run again"] == (0, f"{NAME}: 0 to judge of {len(JUDGED)} handed in\n")
    assert exported.read_bytes() == before


# all around


def test_nothing_outside_was_changed(whole):
    before, after = whole.kept
    assert after == before
    assert not whole.places["planted"].exists()
    assert [path for name in ("escaped*", "planted*") for path in whole.folder.parent.rglob(name)] == []


@pytest.mark.parametrize("kind", ["processes", "groups", "temporary", "shared memory", "connections"])
def test_nothing_is_left(whole, kind):
    assert not whole.left[kind]
    assert TOKEN not in str(whole.left["processes"])


def test_pages_tell_no_solution_and_no_check(whole):
    texts = [path.read_text(encoding="utf-8") for path in (sets.INSTRUCTOR / NAME).glob("*.py")]
    texts += [solution(part.identity) for part in answers.problems(NAME).parts]
    lines = {line.strip() for text in texts for line in text.splitlines() if re.search(r"\breturn\b| = |\bdef ", line)}
    long = [line for line in lines if len(line) > 25]
    assert len(long) > 50
    pages = "\n".join(whole.pages.values()).replace("&quot;", '"').replace("&#x27;", "'").replace("&gt;", ">")
    assert [line for line in long if line in pages] == []
    assert "CANARY" not in pages
