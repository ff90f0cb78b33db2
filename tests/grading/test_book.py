"""Does nbgrader's book hold exactly the marks of the journal, whatever the outcome, and nothing without one?"""

import re
import sqlite3
import subprocess
import sys

import pytest

from course_lib.grading import book, course_folder
from course_lib.grading.course_folder import BookError
from course_lib.grading.journal import JournalError
from course_lib.grading.outcome import Outcome
from tests.grading import toy_class
from tests.grading.toy_class import BLANK, NAME, enter, hand_in, late, make_class, mark_by_hand, note, outcome


@pytest.fixture
def folder(tmp_path):
    return make_class(tmp_path / "gradebook")


# marks


def test_full_half_and_no_marks_reach_the_book(folder):
    hand_in(folder, "ada")
    enter(folder, "ada", outcome(1.5, 0.0))
    score = book.scores(folder, NAME)["ada"]
    assert (score.points, score.out_of) == ({"1a": 1.5, "2": 0.0, "written-3": 0.0}, {"1a": 2, "2": 3, "written-3": 4})
    assert list(score.points) == ["1a", "2", "written-3"]
    assert (score.total, score.waiting) == (1.5, ("written-3",))
    assert book.entered(folder, NAME) == {"ada"}


@pytest.mark.parametrize("status", ["internal error", "rejected"])
def test_an_outcome_without_marks_is_not_entered(folder, status):
    hand_in(folder, "ada")
    note(folder, "ada", Outcome(status, reason="disk full"))
    with pytest.raises(JournalError, match=f"the journal says '{status}' .*run: course grade run toy --student ada"):
        book.enter(folder, NAME, "ada")
    assert book.scores(folder, NAME) == {}


def test_marks_of_an_earlier_hand_in_are_not_entered_for_a_later_one(folder):
    hand_in(folder, "ada")
    enter(folder, "ada", outcome())
    hand_in(folder, "ada", {"1a": "changed"})
    assert book.entered(folder, NAME) == set()
    with pytest.raises(JournalError, match="the journal says nothing"):
        book.enter(folder, NAME, "ada")


def test_entering_twice_changes_nothing_and_keeps_what_a_human_gave(folder):
    hand_in(folder, "ada")
    enter(folder, "ada", outcome(1.5))
    mark_by_hand(folder, "ada", 3.0)
    before = book.scores(folder, NAME)["ada"]
    assert (before.total, before.waiting) == (7.5, ())
    book.enter(folder, NAME, "ada")
    again = book.scores(folder, NAME)["ada"]
    assert again == before
    enter(folder, "ada", outcome(2.0))  # judged anew
    assert book.scores(folder, NAME)["ada"].waiting == ()
    hand_in(folder, "ada", words="Because of something else.")
    enter(folder, "ada", outcome(1.5))
    changed = book.scores(folder, NAME)["ada"]
    assert (changed.points, changed.waiting) == (before.points, ("written-3",))  # the human has to look once more


def test_a_blank_written_answer_needs_no_human(folder):
    hand_in(folder, "ada", words=BLANK)
    enter(folder, "ada", outcome())
    score = book.scores(folder, NAME)["ada"]
    assert (score.waiting, score.comments["written-3"]) == ((), "No response.")


def test_one_student_in_the_book_leaves_the_others_alone(folder):
    for student in ("ada", "bob"):
        hand_in(folder, student)
    enter(folder, "ada", outcome(1.5))
    before = book.scores(folder, NAME)["ada"]
    with pytest.raises(BookError, match=r"nbgrader took no marks for bob: ValueError: part 1a has 7"):
        enter(folder, "bob", outcome(7.0))
    enter(folder, "bob", outcome(0.0))
    assert book.scores(folder, NAME)["ada"] == before


def test_no_name_and_no_unset_mark_is_in_the_database(folder):
    hand_in(folder, "ada")
    enter(folder, "ada", Outcome("limit", reason="wall time"))
    with sqlite3.connect(folder / "gradebook.db") as database:
        assert database.execute("select id, first_name, last_name, email from student").fetchall() == [
            ("ada", None, None, None)
        ]
        rows = database.execute("select auto_score from grade join base_cell on cell_id = base_cell.id").fetchall()
    database.close()
    assert sorted(rows, key=str) == [(0.0,), (0.0,), (None,)]  # None: the written answer


def test_the_mark_that_nbgrader_stored_is_read_back(folder, monkeypatch):
    hand_in(folder, "ada")
    monkeypatch.setattr("nbgrader.utils.determine_grade", lambda cell, log=None: (1.0, 2.0))
    with pytest.raises(BookError, match=r"nbgrader stored 1\.0 for part 1a of ada, the judge gave 2"):
        enter(folder, "ada", outcome())
    assert book.entered(folder, NAME) == set()


# late


def test_the_settings_hold_a_penalty_of_a_tenth_to_switch_on(folder):
    late(folder, "none")
    settings = folder / course_folder.CONFIG
    text = settings.read_text()
    settings.write_text(re.sub(r"(?m)^# (?=from nbgrader|class|    |c\.)", "", text))
    assert settings.read_text().count("# ") < text.count("# ")
    hand_in(folder, "ada", when="2026-10-02 10:00:00 UTC", words=BLANK)
    enter(folder, "ada", outcome())
    assert book.scores(folder, NAME)["ada"].penalty == pytest.approx(0.5)
    book.settle(folder, NAME)
    assert book.scores(folder, NAME)["ada"].penalty == pytest.approx(0.5)


def test_a_penalty_that_nbgrader_does_not_know_is_one_sentence(folder):
    late(folder, "half")
    hand_in(folder, "ada", when="2026-10-02 10:00:00 UTC")
    with pytest.raises(BookError, match="half"):
        enter(folder, "ada", outcome())
    settings = folder / course_folder.CONFIG
    settings.write_text(settings.read_text().replace('"half"', '"none"'))
    enter(folder, "ada", outcome())
    settings.write_text(settings.read_text().replace('"none"', '"half"'))
    with pytest.raises(BookError, match=r"nbgrader_config\.py has a late penalty that nbgrader does not know"):
        book.settle(folder, NAME)


def test_a_penalty_follows_the_points_that_a_human_gave(folder):
    late(folder)
    hand_in(folder, "ada", when="2026-10-01 10:00:01 UTC")
    hand_in(folder, "bob", when="2026-10-01 09:59:59 UTC")
    for student in ("ada", "bob"):
        enter(folder, student, outcome())
        mark_by_hand(folder, student, 3.0)
    assert book.scores(folder, NAME)["ada"].total == 3.0  # nbgrader took its penalty too early
    book.settle(folder, NAME)
    scores = book.scores(folder, NAME)
    assert (scores["ada"].penalty, scores["ada"].total) == (8.0, 0.0)
    assert (scores["bob"].penalty, scores["bob"].total) == (0.0, 8.0)


def test_a_hand_in_with_another_time_is_entered_anew(folder):
    late(folder)
    hand_in(folder, "ada", when="2026-10-01 09:00 UTC")
    enter(folder, "ada", outcome())
    hand_in(folder, "ada", when="2026-10-01 11:00 UTC")
    assert book.entered(folder, NAME) == set()


# the folder


def test_settings_without_the_judge_are_refused(folder):
    (folder / course_folder.CONFIG).write_text("c = get_config()\n")
    hand_in(folder, "ada")
    with pytest.raises(BookError, match=r"lacks course_lib.grading.plugin.Judged, so nbgrader would run"):
        enter(folder, "ada", outcome())


def test_a_path_that_is_a_pattern_is_refused(tmp_path):
    with pytest.raises(BookError, match=r"nbgrader cannot work in a path with"):
        course_folder.set_up(tmp_path / "term[1]")


def test_an_assignment_that_was_not_built_is_one_sentence(folder):
    with pytest.raises(BookError, match="run: course assignment build other first"):
        course_folder.add_assignment(folder, "other")


def test_cells_cannot_change_under_marks(folder):
    hand_in(folder, "ada")
    enter(folder, "ada", outcome())
    course_folder.add_assignment(folder, NAME)  # the same again is nothing new
    notebook = toy_class.release()
    del notebook.cells[-1]
    toy_class.write(folder, "release", notebook)
    with pytest.raises(BookError, match="has other cells than the marks"):
        course_folder.add_assignment(folder, NAME)


def test_nbgraders_own_command_finds_the_marks_and_runs_nothing(folder, tmp_path):
    hand_in(folder, "ada", {"1a": f"open({str(tmp_path / 'ran')!r}, 'w')"})
    hand_in(folder, "bob")
    note(folder, "ada", outcome(1.5))
    command = [sys.executable, "-m", "nbgrader", "autograde", NAME]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100, check=False)
    assert "the journal says nothing about what bob has handed in" in done.stderr
    assert book.scores(folder, NAME)["ada"].points["1a"] == 1.5
    assert not (tmp_path / "ran").exists()
