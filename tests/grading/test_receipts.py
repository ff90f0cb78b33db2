"""Receipts over several downloads, and what a human learns from them: nothing is lost, and no time gets later."""

import datetime
import hashlib
import json

import pytest

from course_lib.grading import receipts, template
from tests.grading.downloaded import DEADLINE, World, notebook, snapshot, zipped


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


# again, with other downloads


def test_a_new_hand_in_replaces_the_older(world):
    world.put("ann_ps1.ipynb", notebook("x = 1"), hours=-2)
    world.take()
    world.put("ann_ps1.ipynb", notebook("x = 2"), hours=-1)
    assert world.take().changed == ("ann",)
    assert world.answer("ann") == "x = 2"
    assert sorted(each.status for each in receipts.read(world.book, "ps1")) == ["superseded", "taken"]


def test_a_late_one_does_not_replace_one_in_time_whose_download_is_gone(world):
    world.put("a/ann_ps1.ipynb", notebook("x = 1"), hours=-2).rename(world.down / "ann_ps1.ipynb")
    world.take()
    (world.down / "ann_ps1.ipynb").unlink()
    world.put("b/ann_ps1.ipynb", notebook("x = 2"), hours=1)
    result = world.take()
    assert (result.changed, world.answer("ann")) == ((), "x = 1")
    assert world.statuses() == {"ann_ps1.ipynb": "taken", "b/ann_ps1.ipynb": "superseded"}
    assert world.take().receipts == result.receipts


def test_downloading_the_same_again_makes_it_no_later(world):
    world.put("ann_ps1.ipynb", notebook("x = 1"), hours=-2)
    world.take()
    before = snapshot(world.book)
    world.put("ann_ps1.ipynb", notebook("x = 1"), hours=9)
    world.take()
    assert snapshot(world.book) == before
    (world.down / "ann_ps1.ipynb").rename(world.down / "ann_ps1 (1).ipynb")
    world.take()
    assert world.statuses() == {"ann_ps1.ipynb": "superseded", "ann_ps1 (1).ipynb": "taken"}
    assert world.time("ann") == "2026-11-29 10:00:00.000000 UTC"


def test_a_later_deadline_makes_another_one_count(world):
    world.put("a/ann_ps1.ipynb", notebook("x = 1"), hours=-2)
    world.put("b/ann_ps1.ipynb", notebook("x = 2"), hours=1)
    world.take()
    world.take(DEADLINE + datetime.timedelta(hours=2))
    assert world.answer("ann") == "x = 2"


def test_a_file_that_got_its_right_name_is_nobodys_no_more(world):
    world.put("homework.ipynb", notebook("x = 1"))
    world.take()
    assert world.rows()["homework.ipynb"][0] == "rejected"
    assert len(world.reasons()) == 1
    (world.down / "homework.ipynb").rename(world.down / "ann_ps1.ipynb")
    world.take()
    assert (world.statuses(), world.reasons()) == ({"ann_ps1.ipynb": "taken"}, {})


def test_receipts_of_earlier_downloads_stay(world):
    world.put("ann_ps1.ipynb", notebook("x = 1"))
    world.put("bob_ps1.ipynb", b"{")
    world.take()
    for path in world.down.iterdir():
        path.unlink()
    world.put("cy_ps1.ipynb", notebook("x = 3"))
    result = world.take()
    assert world.statuses() == {"ann_ps1.ipynb": "taken", "bob_ps1.ipynb": "rejected", "cy_ps1.ipynb": "taken"}
    assert (result.changed, result.missing, len(world.reasons())) == (("cy",), ("bob",), 1)


# what a human should see


def test_a_rejection_has_its_reason_in_a_file(world):
    world.put("ann_ps1.ipynb", b"{")
    world.take()
    [(name, text)] = world.reasons().items()
    assert name.startswith("ann_ps1.ipynb.")
    digest = hashlib.sha256(b"{").hexdigest()
    assert text.startswith(f"file: ann_ps1.ipynb\nstudent: ann\nSHA-256: {digest}\n\n")
    assert "open it in JupyterLab, save it, and hand in the saved file" in text


def test_files_that_are_no_hand_ins_are_left_out_and_noted(world):
    """A module that would shadow torch, one that Python runs at its start, a test's set-up, a pickled model."""
    bad = ("torch.py", "sitecustomize.py", "conftest.py", "course_lib/__init__.py", "model.pt")
    for name in bad:
        world.put(f"submitted/ann/ps1/{name}", b"raise SystemExit('read')")
    world.put("submitted/ann/ps1/variant.json", b'{"n": 1000}')
    world.put("submitted/ann/ps1/ps1.ipynb", notebook())
    zips = [(name, b"") for name in (*bad, "variant.json", "samples.json")]
    world.put("bob_ps1.zip", zipped([*zips, ("ps1.ipynb", notebook("x = 1"))]))
    world.put("Cy Poe_1_assignsubmission_file_/model.pt", b"\x80")
    result = world.take()
    for student in ("ann", "bob"):
        place = world.book / "submitted" / student / "ps1"
        assert sorted(path.name for path in place.iterdir()) == ["ps1.ipynb", "timestamp.txt", "variant.json"]
        assert json.loads((place / "variant.json").read_text()) == {"n": 3}
    notes = {each.student: each.reason for each in result.receipts}
    assert notes["ann"] == "left out: conftest.py, __init__.py, model.pt, sitecustomize.py, torch.py"
    assert notes["bob"] == "left out: torch.py, sitecustomize.py, conftest.py, course_lib/__init__.py, model.pt"
    assert notes["cy"] == "no notebook was handed in, only model.pt; hand in ps1.ipynb"
    assert world.rows()["model.pt"][0] == "rejected"


def test_a_missing_answer_is_noted_in_the_receipt(world):
    data = json.loads(notebook())
    other = json.loads(notebook())["cells"][1]
    data["cells"] = [data["cells"][0], {**other, "source": "5.0"}]
    world.put("ann_ps1.ipynb", json.dumps(data).encode())
    world.take()
    assert world.rows()["ann_ps1.ipynb"] == ("taken", "a change to check-1 was left out")


def test_if_all_file_times_are_late_there_is_a_warning(world):
    world.put("ann_ps1.ipynb", notebook(), hours=1)
    world.put("bob_ps1.ipynb", notebook(), hours=1)
    assert "may be the time of the download" in world.take().warnings[0]
    assert world.take(None).warnings == ()


def test_a_rejection_for_an_unforeseen_reason_stops_nothing_and_is_shown(world, monkeypatch):
    world.put("ann_ps1.ipynb", notebook("x = 1"))
    world.put("bob_ps1.ipynb", notebook("x = 2"))
    real = template.rebuild

    def puzzled(data, ours):
        if b"x = 1" in data:
            raise ZeroDivisionError("by zero")
        return real(data, ours)

    monkeypatch.setattr(template, "rebuild", puzzled)
    result = world.take()
    assert world.statuses() == {"ann_ps1.ipynb": "rejected", "bob_ps1.ipynb": "taken"}
    [warning] = result.warnings
    assert "ann_ps1.ipynb (ZeroDivisionError: by zero)" in warning


def test_files_that_are_nobodys_and_no_hand_ins_are_named(world):
    world.put("grades.csv", b"")
    assert world.take().warnings == ("no hand-ins, and nobody's: grades.csv",)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("=1+1", "'=1+1"),
        (" @a", "' @a"),
        ("x;=1+1;.zip", "x;'=1+1;.zip"),
        ("a; -1;+2", "a;' -1;'+2"),
        ("a = b; c-d, -1", "a = b; c-d, -1"),
    ],
)
def test_no_cell_is_a_formula_whatever_ends_a_cell(text, shown):
    assert receipts.no_formula(text) == shown
    assert receipts.no_formula(shown) == shown
    assert receipts.printable(text) == shown
