"""The report: columns, what is missing, the way to JSON and back, files that are whole, the picture."""

import os

import pytest

from course_lib.bench import picture
from course_lib.bench.report import ReportError, Row, from_json, write
from course_lib.bench.shapes import SHAPES
from course_lib.bench.tables import markdown, memory, number, speeds, text, threaded
from tests.bench.worlds import report


def test_the_columns_hold_the_numbers():
    head, first, second = speeds(report())
    peers = ["Stack", "Python", "loop", "JAX", "ORT", "Keras"]
    assert head == ["cell", "mode", "shape", "torch.nn ms", *peers, "% FMA", "% floor"]
    shape = "L2 H128 B32 T128"
    assert first == ["LSTM", "forward", shape, "12.3", "2.05 (1.90-2.25)", "-", "-", "-", "-", "-", "46", "57"]
    assert second[:2] == ["GRU", "training"]
    assert memory(report())[1] == ["GRU", shape, "12 MB (2.9)", "-"]
    assert threaded(report())[1] == ["GRU", "forward", shape, "2", "12.3", "2.05 (1.90-2.25)"]


def test_three_digits():
    assert [number(each) for each in (0.123, 9.994, 9.996, 99.94, 99.96, 1234.0)] == [
        *("0.12", "9.99", "10.0", "99.9", "100", "1234")
    ]


def test_the_text_fits_a_terminal_and_says_what_is_missing_and_wrong():
    told = text(report())
    assert max(map(len, told.splitlines())) <= 120
    assert 'Keras: not installed; pip install "course-lib[bench]"' in told
    assert "LSTM forward L2 H128 B32 T128: JAX: DisagreementError" in told
    assert "250 GFLOP/s; GB/s read: 200 (64 KB)" in told
    assert "stopped" not in told
    assert "The run was stopped before its end." in text(report(complete=False))


def test_the_markdown_has_a_table_a_question():
    lines = markdown(report()).splitlines()
    assert sum(line.startswith("|---") for line in lines) == 3
    widths = {line.count("|") for line in lines if line.startswith(("| LSTM", "| cell | mode | shape | torch.nn"))}
    assert widths == {13}


@pytest.mark.parametrize("changes", [{}, {"floor": None, "rows": [], "complete": False}])
def test_json_and_back(changes):
    told = report(**changes)
    assert from_json(told.to_json()) == told
    assert '"median": 2.05' in report().to_json()


@pytest.mark.parametrize("content", ["", "[]", "{}", "3", '{"floor": null, "rows": [1]}'])
def test_what_is_no_report_is_refused(content):
    with pytest.raises(ReportError, match="no report"):
        from_json(content)


def test_a_file_is_written_whole(tmp_path):
    write(tmp_path / "new" / "file", b"one")
    write(tmp_path / "new" / "file", b"two")
    assert (tmp_path / "new" / "file").read_bytes() == b"two"
    assert os.listdir(tmp_path / "new") == ["file"]


def test_who_is_stopped_while_writing_leaves_the_old_file(tmp_path, monkeypatch):
    def stop(*paths):
        raise KeyboardInterrupt

    write(tmp_path / "file", b"one")
    monkeypatch.setattr(os, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "file", b"two")
    assert (tmp_path / "file").read_bytes() == b"one"
    assert os.listdir(tmp_path) == ["file"]


def test_the_picture_has_a_mark_where_the_number_is():
    figure = picture.draw(report())
    titles = [ax.get_title(loc="left") for ax in figure.axes]
    assert titles == ["LSTM, forward", "GRU, forward", "LSTM, training", "GRU, training"]
    drawn = {line.get_label(): list(line.get_xdata()) for line in figure.axes[0].lines}
    assert drawn["Stack"] == [2.05]
    assert drawn["loop"] == []
    assert drawn["torch.nn"] == [1, 1]
    assert figure.axes[0].get_xscale() == "log"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["torch.nn", "Stack"]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == [str(SHAPES["middle"])]
    assert picture.png(report())[:4] == b"\x89PNG"


def test_the_title_is_the_message():
    seconds, speed = report().rows[0].seconds, report().rows[0].speed
    slower = {"Stack": speed["Stack"]._replace(median=0.5)}
    rows = [*report().rows, Row("GRU", "training", SHAPES["deep"], seconds, slower)]
    assert picture.message(report(rows=rows)).endswith("the Stack trains GRU 0.50 to 2.05 times as fast as torch.nn")
    assert "relative to torch.nn" in picture.message(report(rows=report().rows[1:]))
