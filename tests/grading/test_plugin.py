"""Does nbgrader's book hold exactly the marks of the journal, whatever the outcome, and nothing without one?"""

import json
import re
import sqlite3
import subprocess
import sys
from collections import Counter
from html.parser import HTMLParser

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as some
from nbconvert import HTMLExporter
from nbgrader.utils import determine_grade

from course_lib.grading import book, course_folder, journal, plugin
from course_lib.grading.course_folder import BookError
from course_lib.grading.journal import JournalError
from course_lib.grading.outcome import Mark, Outcome
from tests.grading import toy_class
from tests.grading.toy_class import BLANK, NAME, enter, hand_in, make_class, note, outcome


@pytest.fixture
def folder(tmp_path):
    return make_class(tmp_path / "gradebook")


def check_cell(points=2.0):
    [cell] = [cell for cell in toy_class.release().cells if cell.metadata.nbgrader.grade_id == "check-1a"]
    cell.metadata.nbgrader.points = points
    return cell


def autograded(folder, student):
    return nbformat.read(folder / "autograded" / student / NAME / f"{NAME}.ipynb", as_version=4)


# one cell


@given(some.floats(0.001, 1e6), some.floats(0, 1), some.text())
def test_nbgrader_reads_exactly_the_mark(points, share, message):
    mark = Mark(points * share, points, message)
    cell = check_cell(points)
    cell.outputs = plugin.outputs(Outcome("graded", marks={"1a": mark}), "1a", points)
    assert determine_grade(cell) == (mark.points, points)


@pytest.mark.parametrize("message", ["0.5", "Traceback", "\x1b[31m", "UserWarning: x"])
@pytest.mark.parametrize("earned", [0.0, 0.5, 2.0])
def test_a_message_cannot_change_the_mark(message, earned):
    cell = check_cell()
    cell.outputs = plugin.outputs(outcome(marks={"1a": Mark(earned, 2.0, message)}), "1a", 2.0)
    assert determine_grade(cell)[0] == earned
    assert all(each.get("name") != "stderr" for each in cell.outputs)  # nbgrader would make a 0 of it


def test_a_part_that_was_not_reached_earns_nothing_and_says_why():
    [output] = plugin.outputs(Outcome("limit", reason="wall time"), "1a", 2.0)
    assert output.output_type == "error"
    assert output.evalue == "not reached: wall time"


@pytest.mark.parametrize("points", [-0.5, 2.5, float("nan"), float("inf")])
def test_a_mark_outside_the_points_is_refused(points):
    with pytest.raises(ValueError, match=r"part 1a has .* points; they must lie between 0 and 2"):
        plugin.outputs(Outcome("graded", marks={"1a": Mark(points, 2.0, "")}), "1a", 2.0)


def test_a_problem_set_that_is_worth_something_else_is_refused():
    with pytest.raises(ValueError, match="worth 3 points in the problem set and 2 in the notebook; build"):
        plugin.outputs(Outcome("graded", marks={"1a": Mark(2.0, 3.0, "")}), "1a", 2.0)


# the book


def test_full_half_and_no_marks_reach_the_book(folder):
    hand_in(folder, "ada")
    enter(folder, "ada", outcome(1.5, 0.0))
    score = book.scores(folder, NAME)["ada"]
    assert (score.points, score.out_of) == ({"1a": 1.5, "2": 0.0, "written-3": 0.0}, {"1a": 2, "2": 3, "written-3": 4})
    assert list(score.points) == ["1a", "2", "written-3"]
    assert (score.total, score.waiting) == (1.5, ("written-3",))
    assert book.entered(folder, NAME) == {"ada"}


def test_the_student_sees_errors_and_cut_output_as_text(folder):
    hand_in(folder, "ada")
    said = "\x1b[31m<script>\ud800\x00" + "x" * 30_000
    enter(folder, "ada", outcome(errors={"answer-1a": "NameError: y\x07"}, output=said))
    cells = {cell.metadata.nbgrader.grade_id: cell for cell in autograded(folder, "ada").cells}
    assert cells["answer-1a"].outputs[0].text == "This cell raised: NameError: y\N{REPLACEMENT CHARACTER}\n"
    [printed] = [out for cell in cells.values() for out in cell.get("outputs", ()) if "All that" in out.get("text", "")]
    assert "more characters]" in printed.text
    assert len(printed.text) < 21_000
    assert not set(printed.text) & {"\x1b", "\ud800", "\x00"}


def test_nothing_of_the_notebook_is_run(folder, tmp_path):
    hand_in(folder, "ada", {"1a": f"open({str(tmp_path / 'ran')!r}, 'w')"})
    enter(folder, "ada", outcome())
    assert not (tmp_path / "ran").exists()


HOSTILE = """a < b, `x <y>`, $a<b$
<script>alert(1)</script> <img src=x onerror=alert(1)> <svg/onload=alert(1)> </td><style>*{}</style>
<a href="javascript:alert(1)">x</a> [x](javascript:alert(1)) [y](JavaScript&#58;alert(1)) <javascript:alert(1)>
[z](&#106;avascript:alert(1)) ![i](x" onerror="alert(1)) <!-- --><iframe srcdoc="x">

[r]: javascript:alert(1)
[link][r] $\\href{javascript:alert(1)}{x}$ [d](data:text/html,<script>alert(1)</script>) [v](vbscript:x)
[n](javascript&colon;alert(1)) [m](data&colon;text/html,x) ![p](javascript&colon;x) ![t](https://tracker.example/p.png)
[s][q] $\\mmlToken{mi}[href="javascrip&NewLine;t&colon;x"]{x}$ [w](java&Tab;script&colon;x "title")

[q]: javascript&colon;alert(1)
 [q2]: <javascript&colon;alert(1)>
[^1]: note &amp;colon; &lt;b&gt; https://e.example/x

# written-3
  ## statusmessage
Title
=====
Other
---
```mermaid
x
```
"""


class Tags(HTMLParser):
    """Every tag with its attributes."""

    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def rendered(markdown):
    """The tags of the notebook as nbgrader's pages show it, without those of an empty answer."""
    notebook = toy_class.release(words=markdown)
    html = HTMLExporter(template_name="classic", exclude_input_prompt=True).from_notebook_node(notebook)[0]
    return Tags(html).found


def test_a_written_answer_does_nothing_in_the_lecturers_browser(folder):
    count = Counter(tag for tag, _ in rendered("plain"))
    assert Counter(tag for tag, _ in rendered(HOSTILE))["script"] > count["script"]  # nbgrader alone lets it in
    tags = rendered(plugin.harmless(HOSTILE))
    more = Counter(tag for tag, _ in tags) - count
    assert set(more) <= {
        "p",
        "code",
        "em",
        "br",
        "div",
        "pre",
        "span",
    }  # no picture: it would tell when it is looked at
    assert not [given for _, given in tags if "mermaid" in str(given.get("class"))]
    assert {"a", "img", "h1", "h2"} <= set(Counter(tag for tag, _ in rendered(HOSTILE)) - count)
    hand_in(folder, "ada", words=HOSTILE)
    enter(folder, "ada", outcome())
    assert autograded(folder, "ada").cells[-1].source == plugin.harmless(HOSTILE)
    assert plugin.harmless(HOSTILE).replace("\N{WORD JOINER}", "") == HOSTILE


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


def mark_by_hand(folder, student, points):
    """As nbgrader's formgrader does."""
    with course_folder.gradebook(folder) as opened:
        grade = opened.find_grade("written-3", NAME, NAME, student)
        grade.manual_score, grade.needs_manual_grade = points, False
        opened.db.commit()


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


def late(folder, penalty="zero"):
    settings = folder / course_folder.CONFIG
    settings.write_text(settings.read_text().replace('= "none"', f'= "{penalty}"'))
    toy_class.deadline(folder, "2026-10-01T12:00:00+02:00")


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


# the journal


def test_half_a_line_of_a_kill_is_cut_off(folder):
    hand_in(folder, "ada")
    first = note(folder, "ada", outcome(1.5))
    path = journal.file(folder, NAME)
    whole = path.read_bytes()
    for cut in (1, 20, len(whole) - 1):
        path.write_bytes(whole + whole[:cut])
        assert journal.read(folder, NAME) == [first]
    assert note(folder, "ada", outcome()).outcome.marks["1a"].points == 2.0
    assert [entry.outcome.marks["1a"].points for entry in journal.read(folder, NAME)] == [1.5, 2.0]


def test_an_entry_comes_back_as_it_was_given(folder):
    hand_in(folder, "ada")
    given = note(folder, "ada", outcome(1.5, flags=("nn.RNN",), errors={"cell 3": "é"}, output="1\n2", seconds=0.5))
    assert journal.read(folder, NAME) == [given]
    assert journal.standing(folder, NAME) == {"ada": given}


@pytest.mark.parametrize("line", ["{}", "[]", "5", "no json", '{"outcome": {"status": "passed"}}'])
def test_a_damaged_line_is_named(folder, line):
    hand_in(folder, "ada")
    note(folder, "ada", outcome())
    with journal.file(folder, NAME).open("a") as stream:
        stream.write(line + "\n")
    with pytest.raises(JournalError, match=r"toy.jsonl, line 2, is no entry: (.|\n)*; delete the line"):
        journal.read(folder, NAME)


def test_the_hash_covers_notebook_and_variant(folder):
    hand_in(folder, "ada")
    seen = {journal.hand_in(folder, NAME, "ada")}
    variant = folder / "submitted" / "ada" / NAME / "variant.json"
    variant.write_text(json.dumps({"n": 4}))
    seen.add(journal.hand_in(folder, NAME, "ada"))
    hand_in(folder, "ada", {"1a": "changed"})
    seen.add(journal.hand_in(folder, NAME, "ada"))
    assert len(seen) == 3
    assert journal.hand_in(folder, NAME, "bob") is None
