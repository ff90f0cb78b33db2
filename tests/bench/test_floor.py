"""The floor: the formula by hand, rates that grow with the work, and a machine without a compiler."""

import shutil

import pytest

from course_lib.bench import floor
from course_lib.bench.floor import Floor
from course_lib.bench.shapes import SHAPES, Shape, flops, recurrent_bytes
from course_lib.bench.tables import notes
from course_lib.fast.compiler import CompilerError
from tests.bench.worlds import report


def test_with_a_large_batch_the_floor_is_the_multiply_adds():
    shape = Shape(2, 64, 64, 10)
    best = Floor(1e9, {recurrent_bytes("GRU", shape): 1e15})
    assert best.seconds("GRU", shape, "forward") == pytest.approx(flops("GRU", shape, "forward") / 1e9)
    assert best.seconds("GRU", shape, "training") == pytest.approx(flops("GRU", shape, "training") / 1e9)


def test_with_a_batch_of_one_it_is_the_reading_of_the_recurrent_matrix():
    shape = Shape(3, 64, 1, 10)
    best = Floor(1e15, {4 * 4 * 64 * 64: 1e6})
    assert best.seconds("LSTM", shape, "forward") == pytest.approx(3 * 10 * 4 * 4 * 64 * 64 / 1e6, rel=1e-6)


def test_the_share_of_the_peak_is_operations_over_time():
    shape = SHAPES["middle"]
    taken = 2 * flops("LSTM", shape, "training") / 1e11
    assert Floor(1e11, {}).share_of_peak("LSTM", shape, "training", taken) == pytest.approx(0.5)


@pytest.mark.skipif(shutil.which("g++") is None, reason="no compiler here")
def test_the_library_counts_what_it_did():
    shape = Shape(1, 16, 1, 1)
    best = floor.measure([shape], ["RNN"])
    assert set(best.reads) == {recurrent_bytes("RNN", shape)}
    assert 1e8 < best.multiply_adds < 1e13  # of any core since 1998
    assert 1e8 < best.reads[1024] < 1e14


def test_the_best_of_several_samples_counts(monkeypatch):
    times = iter([0.0, 1.0, *(moment for n in range(floor.TRIES) for moment in (10.0 * n, 10.0 * n + 1 + n % 3))])
    assert floor._best(lambda repeats: 6.0 * repeats, clock=times.__next__) == 6.0


def test_without_a_compiler_there_is_no_floor_and_the_notes_say_why(monkeypatch):
    def refuse(source):
        raise CompilerError("none")

    monkeypatch.setattr(floor, "load_library", refuse)
    assert floor.measure([Shape(1, 16, 1, 1)]) is None
    assert floor.WHY_NOT in notes(report(floor=None))
