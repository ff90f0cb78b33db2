"""Downloads become clean hand-ins: the right one of several counts, and each has a receipt or a written reason."""

import csv
import datetime
import hashlib
import json
import os

import pytest

from course_lib.grading import downloads, receipts
from course_lib.grading.intake import IntakeError
from course_lib.grading.receipts import ReceiptsError
from tests.grading.downloaded import CLASS, DEADLINE, World, notebook, snapshot, zipped


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


# what is written


def test_a_hand_in_becomes_three_files_and_a_receipt(world):
    data = notebook("x = 1")
    world.put("ann_ps1.ipynb", data)
    result = world.take()
    place = world.book / "submitted" / "ann" / "ps1"
    assert sorted(path.name for path in place.iterdir()) == ["ps1.ipynb", "timestamp.txt", "variant.json"]
    assert json.loads((place / "variant.json").read_text()) == {"n": 3}
    assert world.answer("ann") == "x = 1"
    assert world.time("ann") == "2026-11-29 11:00:00.000000 UTC"
    with open(world.book / "receipts" / "ps1.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert rows == [
        {
            "student": "ann",
            "file": "ann_ps1.ipynb",
            "sha256": hashlib.sha256(data).hexdigest(),
            "when": "2026-11-29 11:00:00.000000",
            "size": str(len(data)),
            "status": "taken",
            "reason": "",
        }
    ]
    assert (result.changed, result.missing, result.warnings) == (("ann",), ("bob", "cy"), ())


def test_every_platforms_download_is_taken_from_folders_and_from_a_zip(world, tmp_path):
    files = {
        "leeann_11_901_ps1.ipynb": notebook("x = 'ann'"),
        "Bob Ray_7_assignsubmission_file_/ps1.zip": zipped([("ps1/ps1.ipynb", notebook("x = 'bob'"))]),
        "submitted/cy/ps1/ps1.ipynb": notebook("x = 'cy'"),
    }
    for name, data in files.items():
        world.put(name, data)
    (tmp_path / "class.zip").write_bytes(zipped(files.items()))
    world.take(None)
    assert [world.answer(student) for student in CLASS] == ["x = 'ann'", "x = 'bob'", "x = 'cy'"]
    other = World(tmp_path / "other")
    other.take(None, tmp_path / "class.zip")
    assert [other.answer(student) for student in CLASS] == ["x = 'ann'", "x = 'bob'", "x = 'cy'"]
    other.put("submissions.zip", zipped(files.items()))
    assert other.take(None).changed == ()


def test_a_second_run_touches_nothing(world):
    world.put("ann_ps1.ipynb", notebook("x = 1"))
    world.put("bob_ps1.ipynb", b"{")
    world.put("cy_ps1.ipynb", notebook("x = 3"), hours=2)
    world.put("torch.py", b"")
    world.take()
    before = snapshot(world.book)
    assert world.take().changed == ()
    assert snapshot(world.book) == before
    assert len(before) == 1 + 6 + 2  # release, two hand-ins, receipts and a reason


@pytest.mark.parametrize("stop", range(1, 13))  # three files and the receipts for each of three students
def test_a_run_that_was_stopped_is_finished_by_the_next(world, monkeypatch, stop):
    for student in CLASS:
        world.put(f"{student}_ps1.ipynb", notebook(f"x = '{student}'"))
    real, calls = os.replace, []

    def stopped(source, target):
        calls.append(target)
        if len(calls) == stop:
            raise KeyboardInterrupt
        real(source, target)

    monkeypatch.setattr(os, "replace", stopped)
    with pytest.raises(KeyboardInterrupt):
        world.take()
    monkeypatch.setattr(os, "replace", real)
    assert {each.student for each in receipts.read(world.book, "ps1")} <= {
        path.name for path in (world.book / "submitted").iterdir()
    }
    world.take()
    assert [world.answer(student) for student in CLASS] == ["x = 'ann'", "x = 'bob'", "x = 'cy'"]
    assert set(world.statuses().values()) == {"taken"}
    assert not list(world.book.rglob("*.part"))


# which counts


def test_the_last_before_the_deadline_counts(world):
    world.put("a/ann_ps1.ipynb", notebook("x = 1"), hours=-2)
    world.put("b/ann_ps1.ipynb", notebook("x = 2"), hours=0)
    world.put("c/ann_ps1.ipynb", notebook("x = 3"), hours=1)
    world.take()
    assert world.answer("ann") == "x = 2"
    assert world.rows() == {
        "a/ann_ps1.ipynb": ("superseded", "b/ann_ps1.ipynb counts"),
        "b/ann_ps1.ipynb": ("taken", ""),
        "c/ann_ps1.ipynb": ("superseded", "late; b/ann_ps1.ipynb counts"),
    }


def test_if_all_are_late_the_first_counts_and_its_time_says_so(world):
    world.put("a/ann_ps1.ipynb", notebook("x = 1"), hours=3)
    world.put("b/ann_ps1.ipynb", notebook("x = 2"), hours=2)
    world.take()
    assert (world.answer("ann"), world.time("ann")) == ("x = 2", "2026-11-29 14:00:00.000000 UTC")
    assert world.statuses() == {"a/ann_ps1.ipynb": "superseded", "b/ann_ps1.ipynb": "late"}


def test_without_a_deadline_the_last_counts_and_none_is_late(world):
    world.put("a/ann_ps1.ipynb", notebook("x = 1"), hours=3)
    world.put("b/ann_ps1.ipynb", notebook("x = 2"), hours=9)
    world.take(None)
    assert (world.answer("ann"), world.statuses()["b/ann_ps1.ipynb"]) == ("x = 2", "taken")


def test_nbgraders_time_is_believed_where_nbgrader_wrote_it_and_nowhere_else(world):
    stamp = b"2026-11-29 10:00:00.0 UTC"
    world.put("submitted/ann/ps1/ps1.ipynb", notebook(), hours=5)
    world.put("submitted/ann/ps1/timestamp.txt", stamp)
    world.put("bob+ps1+2026-11-29 11:30:00 UTC/ps1.ipynb", notebook(), hours=5)
    world.put("Cy Poe_1_assignsubmission_file_/ps1.ipynb", notebook(), hours=5)
    world.put("Cy Poe_1_assignsubmission_file_/timestamp.txt", stamp)  # Cy's own idea
    world.take()
    assert world.time("ann") == "2026-11-29 10:00:00.000000 UTC"
    assert world.time("bob") == "2026-11-29 11:30:00.000000 UTC"
    assert world.time("cy") == "2026-11-29 17:00:00.000000 UTC"
    assert world.rows()["Cy Poe_1_assignsubmission_file_/ps1.ipynb"] == ("late", "left out: timestamp.txt")


def test_a_students_own_timestamp_deeper_down_says_nothing(world):
    world.put("submitted/ann/ps1/ps1.ipynb", notebook("x = 1"), hours=-9)
    world.put("submitted/ann/ps1/timestamp.txt", b"2026-12-05 10:00:00 UTC")
    world.put("submitted/ann/ps1/sub/ps1.ipynb", notebook("x = 2"), hours=-9)
    world.put("submitted/ann/ps1/sub/timestamp.txt", b"2026-11-29 10:00:00 UTC")
    world.take()
    assert set(world.statuses().values()) == {"late", "superseded"}
    assert world.time("ann") == "2026-12-05 10:00:00.000000 UTC"


@pytest.mark.parametrize("text", [b"\xff yesterday", b"0900-01-01 00:00:00 UTC", b"9999-12-31 23:59:59 -1400"])
def test_a_time_that_cannot_be_read_is_that_of_the_file(world, text):
    world.put("submitted/ann/ps1/ps1.ipynb", notebook(), hours=-2)
    world.put("submitted/ann/ps1/timestamp.txt", text)
    for _ in range(2):
        world.take()
    assert world.time("ann") == "2026-11-29 10:00:00.000000 UTC"


@pytest.mark.parametrize("moment", [-62e9, -1.0, 0.0, 1e12, 1e300])
def test_a_file_of_a_year_that_no_calendar_has_is_of_1970(moment):
    assert downloads.a_time(moment) == datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def test_canvas_says_itself_what_is_late_and_in_which_order(world):
    """The files' times are those of the download, days later."""
    world.put("leeann_11_902_ps1-1.ipynb", notebook("x = 2"), hours=50)
    world.put("leeann_11_901_ps1.ipynb", notebook("x = 1"), hours=51)
    world.put("leeann_LATE_11_903_ps1-2.ipynb", notebook("x = 3"), hours=-50)
    world.put("raybob_LATE_22_910_ps1.ipynb", notebook("y = 1"), hours=-50)
    world.put("raybob_LATE_22_911_ps1-1.ipynb", notebook("y = 2"), hours=-51)
    world.take()
    assert (world.answer("ann"), world.time("ann")) == ("x = 2", "2026-11-29 12:00:00.000000 UTC")
    assert (world.answer("bob"), world.time("bob")) == ("y = 1", "2026-11-29 12:00:01.000000 UTC")
    assert world.statuses()["raybob_LATE_22_910_ps1.ipynb"] == "late"


def test_of_two_at_one_time_the_higher_number_counts_and_then_the_assignments_name(world):
    world.put("ann_ps1.ipynb", notebook("x = 1"))
    world.put("ann_ps1 (2).ipynb", notebook("x = 2"))
    world.put("Bob Ray_7_assignsubmission_file_/zz.ipynb", notebook("y = 1"))
    world.put("Bob Ray_7_assignsubmission_file_/ps1.ipynb", notebook("y = 2"))
    world.take()
    assert (world.answer("ann"), world.answer("bob")) == ("x = 2", "y = 2")


def test_a_later_rejected_file_does_not_push_out_an_earlier_good_one(world):
    world.put("a/ann_ps1.ipynb", notebook("x = 1"), hours=-2)
    world.put("b/ann_ps1.ipynb", b"{", hours=-1)
    result = world.take()
    assert world.statuses() == {"a/ann_ps1.ipynb": "taken", "b/ann_ps1.ipynb": "rejected"}
    assert result.missing == ("bob", "cy")


def test_what_belongs_to_another_assignment_is_left_alone(world):
    world.put("submitted/ann/ps2/ps2.ipynb", notebook())
    result = world.take()
    assert (result.receipts, result.warnings) == ((), ())


# our side


@pytest.mark.parametrize("place", ["gradebook", ".", "gradebook/submitted", "gradebook/feedback/x"])
def test_downloads_where_intake_writes_are_refused(world, tmp_path, place):
    (tmp_path / place).mkdir(parents=True, exist_ok=True)
    with pytest.raises(IntakeError, match="move the downloads to a folder of their own"):
        world.take(place=tmp_path / place)


def test_downloads_may_lie_in_the_grade_book_in_a_folder_of_their_own(world):
    world.put("ann_ps1.ipynb", notebook("x = 1"), root=world.book / "downloads")
    assert world.take(place=world.book / "downloads").changed == ("ann",)


def test_no_downloads_and_a_deadline_without_a_zone_are_refused(world):
    with pytest.raises(IntakeError, match="which is not there"):
        world.take(place=world.down / "none")
    with pytest.raises(IntakeError, match="without a time zone"):
        world.take(DEADLINE.replace(tzinfo=None))


@pytest.mark.parametrize("text", ["", "a,b\n", "student,file,sha256,when,size,status,reason\nann,f\n"])
def test_damaged_receipts_stop_intake_before_it_writes(world, text):
    world.put("receipts/ps1.csv", text.encode(), root=world.book)
    world.put("ann_ps1.ipynb", notebook())
    with pytest.raises(ReceiptsError, match="run intake again"):
        world.take()
    assert not (world.book / "submitted").exists()


def test_an_error_of_ours_is_no_rejection(world, monkeypatch):
    world.put("ann_ps1.ipynb", notebook())

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        world.take()
    assert not (world.book / "rejected").exists()


def test_the_progress_bar_is_quiet_where_outputs_must_not_change(world, monkeypatch, capfd):
    world.put("ann_ps1.ipynb", notebook())
    monkeypatch.setenv("COURSE_BUILD", "1")
    world.take()
    assert capfd.readouterr() == ("", "")
    monkeypatch.delenv("COURSE_BUILD")
    world.take()
    assert "1/1" in capfd.readouterr().err
