"""Where predictions, answers and solved exercises are kept, and what happens when the file is not as it should be."""

import json
import os
from pathlib import Path

import pytest

from course_lib.checks import progress, record
from course_lib.checks.exercise import EXERCISES

EMPTY = {section: {} for section in record.SECTIONS}


@pytest.fixture(autouse=True)
def new_kernel(monkeypatch, tmp_path):
    """A fresh kernel in an empty folder, with nothing recorded; called again, one more."""

    def start():
        for memory in ("_memory", "_unsaved"):
            monkeypatch.setattr(record, memory, {section: {} for section in record.SECTIONS})

    for name in ("COURSE_BUILD", "COURSE_MY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    start()
    return start


@pytest.fixture
def file(monkeypatch, tmp_path):
    """The record's file in a learner's folder named by COURSE_MY."""
    folder = tmp_path / "my"
    folder.mkdir()
    monkeypatch.setenv("COURSE_MY", str(folder))
    return folder / "progress.json"


def test_the_file_stands_in_my_and_outlives_the_kernel(file, new_kernel):
    record.put("predictions", "p02.1", "höher")
    new_kernel()
    assert record.get("predictions", "p02.1") == "höher"
    assert json.loads(file.read_text(encoding="utf-8")) == EMPTY | {"predictions": {"p02.1": "höher"}}
    assert os.listdir(file.parent) == ["progress.json"]


def test_my_is_found_from_any_folder_of_the_course(tmp_path, monkeypatch):
    deep = tmp_path / "course" / "my" / "week 1"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    assert record.path() is None  # some other folder called my
    (tmp_path / "course" / "start.py").touch()
    assert record.path() == tmp_path / "course" / "my" / "progress.json"
    monkeypatch.chdir(tmp_path)
    assert record.path() is None


def test_the_environment_names_the_folder_and_a_build_has_none(file, monkeypatch, tmp_path):
    assert record.path() == file
    monkeypatch.setenv("COURSE_BUILD", "1")
    assert record.path() is None
    record.put("quiz", "q00.1", "right")
    assert record.get("quiz", "q00.1") == "right"
    assert not file.exists()


def test_without_a_folder_it_is_kept_in_memory(new_kernel):
    record.put("quiz", "q00.1", "right")
    record.put("quiz", "q00.1", "wrong")
    record.put("exercises", "00.1", "solved")
    assert (record.get("quiz", "q00.1"), record.get("exercises", "00.1")) == ("wrong", "solved")
    assert record.get("quiz", "q00.2") is None
    assert repr(progress()).endswith("\nkept in memory only")
    new_kernel()
    assert record.get("quiz", "q00.1") is None


def test_a_working_folder_that_is_gone_costs_nothing(monkeypatch):
    def gone():
        raise FileNotFoundError("getcwd")

    monkeypatch.setattr(Path, "cwd", gone)
    record.put("quiz", "q00.1", "right")
    assert record.get("quiz", "q00.1") == "right"


def test_a_deleted_file_starts_anew(file):
    record.put("exercises", "02.1", "solved")
    file.unlink()
    assert record.get("exercises", "02.1") is None
    record.put("exercises", "02.2", "solved")
    assert json.loads(file.read_text(encoding="utf-8"))["exercises"] == {"02.2": "solved"}


BROKEN = [
    b"",
    b'{"exercises": {"02.1": "sol',
    b"\xff\xfe\x00",
    b"[" * 100_000,
    b"[]",
    b"null",
    b'{"exercises": [1], "quiz": null, "predictions": "x"}',
]


@pytest.mark.parametrize("content", BROKEN, ids=range(len(BROKEN)))
def test_a_broken_file_costs_memory_and_never_the_lesson(file, new_kernel, content):
    file.write_bytes(content)
    assert record.get("exercises", "02.1") is None
    repr(progress())
    record.put("exercises", "02.1", "solved")
    new_kernel()
    assert record.get("exercises", "02.1") == "solved"


def test_what_this_kernel_knows_survives_half_a_file(file, new_kernel):
    record.put("exercises", "02.1", "solved")
    record.put("exercises", "02.2", "solved")
    file.write_text('{"exercises": {"02.1"')
    assert record.get("exercises", "02.1") == "solved"
    record.put("quiz", "q02.1", "right")
    new_kernel()
    assert record.get("exercises", "02.2") == "solved"


def refuse(*args, **options):
    raise PermissionError("read-only")


@pytest.mark.parametrize(("where", "call"), [(os, "replace"), (Path, "write_text")])
def test_a_folder_that_cannot_be_written_costs_memory_and_never_the_lesson(file, monkeypatch, new_kernel, where, call):
    record.put("exercises", "02.1", "solved")
    with monkeypatch.context() as locked:
        locked.setattr(where, call, refuse)
        record.put("exercises", "02.2", "solved")
        record.put("quiz", "q02.1", "right")
        assert os.listdir(file.parent) == ["progress.json"]
        assert record.get("exercises", "02.1") == record.get("exercises", "02.2") == "solved"
        assert repr(progress()).endswith(f"\nkept in memory only: {file} cannot be written")
    assert set(json.loads(file.read_text(encoding="utf-8"))["exercises"]) == {"02.1"}
    record.put("quiz", "q02.2", "right")  # the folder is writable again: all of it is saved
    assert repr(progress()).endswith("\nkept in my/progress.json")
    new_kernel()
    assert record.get("exercises", "02.2") == record._load()["exercises"]["02.1"] == "solved"
    assert record.get("quiz", "q02.1") == "right"


def test_a_folder_that_does_not_exist_keeps_all_in_memory(monkeypatch, tmp_path, new_kernel):
    monkeypatch.setenv("COURSE_MY", str(tmp_path / "nowhere"))
    record.put("predictions", "p02.1", "more")
    assert record.get("predictions", "p02.1") == "more"
    assert not (tmp_path / "nowhere").exists()


def test_two_kernels_write_one_file(file):
    """The other kernel is its own file content here: this kernel's memory must not overwrite it."""
    record.put("exercises", "02.1", "solved")
    other = json.loads(file.read_text(encoding="utf-8"))
    other["exercises"]["02.3"] = "solved"
    other["quiz"]["q02.1"] = "right"
    file.write_text(json.dumps(other), encoding="utf-8")
    record.put("exercises", "02.2", "solved")
    assert set(json.loads(file.read_text(encoding="utf-8"))["exercises"]) == {"02.1", "02.2", "02.3"}
    assert record.get("quiz", "q02.1") == "right"


def test_a_value_that_no_file_takes_is_kept_in_memory(file):
    record.put("predictions", "p02.1", "half a pair \ud83d")
    assert record.get("predictions", "p02.1") == "half a pair \ud83d"
    assert os.listdir(file.parent) == []


def test_progress_tells_lesson_by_lesson(file):
    for identity in ("02.1", "02.3"):
        record.put("exercises", identity, "solved")
    for identity in ("p02.1", "p02.2", "p00.1", "p020.1"):
        record.put("predictions", identity, "more")
    told = repr(progress()).splitlines()
    assert [line[:9] for line in told[:-1]] == sorted({f"lesson {identity[:2]}" for identity in EXERCISES})
    assert told[0] == "lesson 00: 0 of 1 exercises solved, still open: 00.1; predictions made: 1"
    assert told[2] == "lesson 02: 2 of 5 exercises solved, still open: 02.2, 02.4, 02.5; predictions made: 2"
    assert told[-1] == "kept in my/progress.json"
    record.put("exercises", "00.1", "solved")
    assert repr(progress()).startswith("lesson 00: 1 of 1 exercises solved; predictions made: 1\n")
