"""Does every student of the roster end somewhere, with a reason, and is no open work taken for a mark?"""

from collections import Counter

import pytest

from course_lib.grading import receipts, status
from course_lib.grading.outcome import Mark, Outcome
from course_lib.grading.receipts import Receipt
from tests.grading.toy_class import NAME, enter, hand_in, make_class, mark_by_hand, note, outcome


@pytest.fixture
def folder(tmp_path):
    return make_class(tmp_path / "gradebook")


def found(folder):
    return {each.member.student: each for each in status.standings(folder, NAME)}


def reject(folder, student, reason):
    made = Receipt(student, "x.ipynb", "0" * 64, "2026-01-01 00:00:00", 5, "rejected", reason)
    receipts.write(folder, NAME, [*receipts.read(folder, NAME), made])


def test_every_student_stands_somewhere_and_nobody_has_a_silent_zero(folder):
    hand_in(folder, "ada")
    enter(folder, "ada", outcome(1.5))
    reject(folder, "bob", "not a readable notebook; save it in Jupyter and hand it in again")
    assert {name: (each.status, each.score is None) for name, each in found(folder).items()} == {
        "ada": ("graded", False),
        "bob": ("rejected", True),
        "cy": ("not handed in", True),
    }
    assert found(folder)["bob"].reason.startswith("not a readable notebook")


@pytest.mark.parametrize(
    ("made", "shown", "still"),
    [
        (Outcome("internal error", reason="disk full"), "internal error", "internal error: disk full"),
        (None, "not judged yet", "not judged yet"),
        (outcome(), "graded", "the marks are not in the grade book yet"),
    ],
)
def test_what_is_open_has_no_score_and_says_what_is_to_be_done(folder, made, shown, still):
    hand_in(folder, "ada")
    if made:
        note(folder, "ada", made)
    ada = found(folder)["ada"]
    assert (ada.status, ada.score, ada.open) == (shown, None, still)


def test_a_limit_names_itself_and_keeps_its_points(folder):
    hand_in(folder, "ada")
    enter(folder, "ada", outcome(status="limit", reason="wall time", two=0.0))
    ada = found(folder)["ada"]
    assert (ada.status, ada.reason, ada.score.total) == ("limit", "wall time", 2.0)


def test_a_line_says_where_a_hand_in_was_stopped_and_what_was_not_tried_comes_last(folder):
    marks = {"1a": Mark(2.0, 2.0, "right"), "2": Mark(0.0, 3.0, "not reached: stopped by the limit on CPU time in `f`")}
    hand_in(folder, "ada")
    enter(folder, "ada", Outcome("limit", "CPU time", marks))
    hand_in(folder, "bob")
    enter(folder, "bob", outcome(0.0, two=0.0))
    hand_in(folder, "cy")
    enter(folder, "cy", Outcome("graded", marks={**outcome().marks, "1a": Mark(0.0, 2.0, "nothing here yet: `f` …")}))
    lines = list(status.lines(status.standings(folder, NAME)))
    assert "limit          CPU time; stopped by the limit on CPU time in `f`" in lines[0]
    assert [line.split("× ")[1] for line in lines[4:]] == [
        "off by one",
        "off by one",
        "nothing here yet",
        "not reached",
    ]


def test_a_written_answer_waits_for_a_human(folder):
    hand_in(folder, "ada")
    enter(folder, "ada", outcome())
    assert found(folder)["ada"].open == "to be marked by hand: written-3"
    mark_by_hand(folder, "ada", 2.5)
    assert (found(folder)["ada"].open, found(folder)["ada"].score.total) == ("", 7.5)


def test_old_marks_do_not_stand_for_a_new_hand_in(folder):
    hand_in(folder, "ada")
    enter(folder, "ada", outcome())
    hand_in(folder, "ada", {"1a": "changed"})
    assert found(folder)["ada"].score is None
    note(folder, "ada", outcome(1.5))  # and killed before the grade book hears of it
    assert found(folder)["ada"].score is None
    note(folder, "ada", Outcome("internal error", reason="disk full"))
    assert (found(folder)["ada"].status, found(folder)["ada"].score) == ("internal error", None)


def test_a_rejected_file_beside_the_one_that_counts_is_mentioned(folder):
    hand_in(folder, "ada")
    enter(folder, "ada", outcome())
    reject(folder, "ada", "too long")
    assert (found(folder)["ada"].status, found(folder)["ada"].reason) == (
        "graded",
        "another file was rejected: too long",
    )


def test_whoever_is_not_in_the_roster_is_not_lost(folder):
    hand_in(folder, "dora")
    assert found(folder)["dora"].status == "not judged yet"


def test_each_named_mistake_is_counted_by_part(folder):
    for student, points in {"ada": 0.0, "bob": 0.0, "cy": 1.5}.items():
        hand_in(folder, student)
        enter(folder, student, outcome(points))
    met = status.mistakes(status.standings(folder, NAME))
    assert met == {"1a": Counter({"off by one": 2, "half of it": 1}), "2": Counter()}


def test_the_lines_hold_all_of_it(folder):
    hand_in(folder, "ada")
    enter(folder, "ada", outcome(1.5, flags=("1a uses nn.RNN",)))
    hand_in(folder, "bob")
    note(folder, "bob", Outcome("internal error", reason="disk\nfull"))
    assert list(status.lines(status.standings(folder, NAME))) == [
        "ada                 4.50 graded         look at: 1a uses nn.RNN; to be marked by hand: written-3",
        "bob                      internal error disk full",
        "cy                       not handed in",
        "3 students: 1 graded, 1 internal error, 1 not handed in",
        "1a        1 × half of it",
    ]
