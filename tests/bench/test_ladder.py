"""The ladder from the plain loop to the kernel: every rung computes the same, and its page holds what was measured."""

import re
from pathlib import Path

import pytest

from course_lib.bench import ladder
from course_lib.bench.shapes import CELLS
from tests.bench.worlds import TINY

PAGE = Path(__file__).resolve().parents[2] / "lessons" / "09_where_the_time_goes.md"


@pytest.mark.parametrize("cell", CELLS)
def test_every_rung_is_timed_and_agrees(cell):
    found = ladder.times(cell, TINY, rounds=2)
    assert list(found) == ["torch.nn", *ladder.RUNGS]
    assert all(each.rounds == 2 for each in found.values())


def test_a_rung_that_computes_something_else_is_refused(monkeypatch):
    monkeypatch.setattr("course_lib.bench.peers.hoisted_loop.linear", lambda x, w, b: x @ w.T)
    with pytest.raises(ValueError, match="differs by"):
        ladder.times("GRU", TINY, rounds=2)


def test_each_rung_calls_fewer_operations():
    found = ladder.shares("GRU", TINY)
    counts = [found[name]["operations"] for name in ladder.RUNGS]
    assert counts == sorted(counts, reverse=True)
    assert all(0 <= each[group] <= 1 for each in found.values() for group in ladder.GROUPS)


def test_operations_are_grouped_by_name():
    found = ladder._grouped({"aten::mm": (6.0, 3), "aten::cat": (1.0, 1), "aten::tanh": (2.0, 5), "Row": (1.0, 1)})
    assert found == {"operations": 9.0, "products": 0.6, "moving": 0.1}


def test_the_tables_stand_between_the_marks(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{ladder.MARKS[0]}\nold\n{ladder.MARKS[1]}\nafter\n", encoding="utf-8")
    ladder.update(page, "new")
    assert page.read_text(encoding="utf-8") == f"before\n{ladder.MARKS[0]}\n\nnew\n\n{ladder.MARKS[1]}\nafter\n"
    page.write_text("nothing", encoding="utf-8")
    with pytest.raises(ValueError, match="has no place for the tables"):
        ladder.update(page, "new")


def test_the_page_holds_measured_tables_and_no_number_typed_by_hand():
    head, _, rest = PAGE.read_text(encoding="utf-8").partition(ladder.MARKS[0])
    measured, _, tail = rest.partition(ladder.MARKS[1])
    assert [re.search(rf"^\| {cell} (\| [\d.]+ )+\|$", measured, re.MULTILINE) is not None for cell in CELLS] == [
        True
    ] * 3
    assert all(name in measured for name in ladder.RUNGS)
    assert re.findall(r"\d+\.\d+|\d+ ?%", head + tail) == []
