"""Does nbgrader read exactly the mark of the journal, and run nothing?"""

import pytest
from hypothesis import given
from hypothesis import strategies as some
from nbgrader.utils import determine_grade

from course_lib.grading import plugin
from course_lib.grading.outcome import Mark, Outcome
from tests.grading import toy_class
from tests.grading.toy_class import autograded, enter, hand_in, make_class, outcome


@pytest.fixture
def folder(tmp_path):
    return make_class(tmp_path / "gradebook")


def check_cell(points=2.0):
    [cell] = [cell for cell in toy_class.release().cells if cell.metadata.nbgrader.grade_id == "check-1a"]
    cell.metadata.nbgrader.points = points
    return cell


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


# the notebook that nbgrader keeps


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
