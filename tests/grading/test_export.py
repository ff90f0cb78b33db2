"""Do the files equal the samples byte for byte, and does nothing leave that is not final?"""

import csv
import json
from pathlib import Path

import pytest

from course_lib.grading import book, export, status
from course_lib.grading.export import ExportError
from course_lib.grading.outcome import Outcome
from tests.grading.test_status import reject
from tests.grading.toy_class import BLANK, NAME, enter, hand_in, late, make_class, mark_by_hand, note, outcome

SAMPLES = Path(__file__).with_name("samples")


@pytest.fixture
def folder(tmp_path):
    """Ada is in time and marked by hand, bob's file was rejected, cy has handed in nothing."""
    folder = make_class(tmp_path / "gradebook")
    late(folder)
    hand_in(folder, "ada", when="2026-10-01 09:00:00 UTC")
    enter(folder, "ada", outcome(1.5, flags=("1a uses nn.RNN",)))
    mark_by_hand(folder, "ada", 3.25)
    reject(folder, "bob", "=the zip is damaged;\nzip it again")
    return folder


def found(folder):
    book.settle(folder, NAME)
    return status.standings(folder, NAME)


def rows(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream))


def test_the_table_of_everything_is_the_sample(folder, tmp_path):
    export.check_closed(found(folder))
    export.write_csv(tmp_path / "out" / "toy.csv", NAME, found(folder))
    assert (tmp_path / "out" / "toy.csv").read_bytes() == (SAMPLES / "grades.csv").read_bytes()


def test_canvas_is_the_sample(folder, tmp_path):
    export.write_canvas(tmp_path / "toy.csv", NAME, found(folder), "12345")
    assert (tmp_path / "toy.csv").read_bytes() == (SAMPLES / "canvas.csv").read_bytes()
    header, possible, *students = rows(tmp_path / "toy.csv")
    assert header == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "toy (12345)"]
    assert possible == ["    Points Possible", "", "", "", "", "9"]
    assert [row[1] for row in students] == ["101", "102", "103"]


def test_gradescope_is_the_sample(folder, tmp_path):
    assert export.write_gradescope(tmp_path, found(folder)) == ["bob", "cy"]
    assert (tmp_path / "ada" / "results.json").read_bytes() == (SAMPLES / "results.json").read_bytes()
    results = json.loads((tmp_path / "ada" / "results.json").read_text(encoding="utf-8"))
    assert results["score"] == sum(test["score"] for test in results["tests"]) == 7.75
    assert {test["visibility"] for test in results["tests"]} == {"visible"}


@pytest.mark.parametrize("status", ["internal error", "waiting", "by hand"])
def test_nothing_leaves_while_anything_is_open(folder, status):
    hand_in(folder, "cy")
    if status == "internal error":
        note(folder, "cy", Outcome(status, reason="disk full"))
    if status == "by hand":
        enter(folder, "cy", outcome())
    with pytest.raises(ExportError, match=r"1 of 3 students are not done: cy \(.*--allow-open"):
        export.check_closed(found(folder))


def test_who_is_left_out_has_empty_scores_and_never_a_zero(folder, tmp_path):
    hand_in(folder, "cy")
    enter(folder, "cy", outcome())
    for write, column in ((export.write_csv, "total"), (export.write_canvas, "toy")):
        write(tmp_path / "toy.csv", NAME, found(folder))
        header, *students = rows(tmp_path / "toy.csv")
        assert [row[header.index(column)] for row in students][-3:] == ["7.75", "", ""]
    export.write_csv(tmp_path / "toy.csv", NAME, found(folder))
    header, *_, cy = rows(tmp_path / "toy.csv")
    assert dict(zip(header, cy)).items() >= {"1a": "2", "written-3": "", "status": "graded", "total": ""}.items()
    assert export.write_gradescope(tmp_path, found(folder)) == ["bob", "cy"]


def test_an_old_result_of_gradescope_does_not_stay(folder, tmp_path):
    export.write_gradescope(tmp_path, found(folder))
    hand_in(folder, "ada", {"1a": "changed"})
    assert export.write_gradescope(tmp_path, found(folder)) == ["ada", "bob", "cy"]
    assert not (tmp_path / "ada" / "results.json").exists()


def test_a_late_hand_in_loses_what_the_settings_say(folder, tmp_path):
    hand_in(folder, "cy", when="2026-10-01 11:00:00 UTC", words=BLANK)
    enter(folder, "cy", outcome())
    export.write_csv(tmp_path / "toy.csv", NAME, found(folder))
    header, *_, cy = rows(tmp_path / "toy.csv")
    assert dict(zip(header, cy)).items() >= {"late_penalty": "5", "total": "0", "status": "graded"}.items()


def test_canvas_must_be_able_to_find_everyone(folder, tmp_path):
    (folder / "roster.csv").write_text("student,name,email\nada,Ada,a@example.org\n", encoding="utf-8")
    with pytest.raises(ExportError, match="Canvas cannot find ada: the roster has neither canvas_id nor login"):
        export.write_canvas(tmp_path / "toy.csv", NAME, found(folder))


def test_points_possible_are_never_guessed(tmp_path):
    folder = make_class(tmp_path / "gradebook")
    with pytest.raises(ExportError, match="nobody has marks in the grade book"):
        export.write_canvas(tmp_path / "toy.csv", NAME, found(folder))
