"""The command `course bench`: a small run in a process of its own, what it writes, and what ends it early."""

import subprocess
import sys
from pathlib import Path

import pytest

from course_lib import cli
from course_lib.bench import command, measure, memory
from course_lib.bench.measure import Plan, quick
from course_lib.bench.report import from_json
from course_lib.bench.shapes import Shape
from course_lib.publish.project import Project
from tests.bench.worlds import report

ROOT = Path(__file__).resolve().parents[2]


def test_a_quick_run_of_one_cell_and_shape(tmp_path):
    hidden = "import sys\nsys.modules.update(dict.fromkeys(['jax', 'keras', 'onnx', 'onnxruntime']))"
    find = "import importlib.util as util; real = util.find_spec\n"
    find += "util.find_spec = lambda name: None if name in ('jax', 'keras', 'onnx', 'onnxruntime') else real(name)"
    code = f"{hidden}\n{find}\nfrom course_lib.cli import main\nsys.exit(main(sys.argv[1:]))"
    words = f"bench --quick --rounds 2 --cells RNN --shapes one-step --out {tmp_path}".split()
    done = subprocess.run([sys.executable, "-c", code, *words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"bench.json", "table.md", "bench.png"}
    found = from_json((tmp_path / "bench.json").read_text(encoding="utf-8"))
    assert [(row.cell, row.mode) for row in found.rows] == [("RNN", "forward"), ("RNN", "training")]
    assert all(
        set(row.seconds) == {"torch.nn", "Stack", "no compiler", "loop"} and not row.problems for row in found.rows
    )
    assert all(each.rounds == 2 for row in found.rows for each in row.speed.values())
    assert found.missing == ["JAX", "ONNX Runtime", "Keras"]
    assert found.complete
    assert (found.rounds, found.threads) == (2, 1)
    assert {"python", "torch", "numpy", "course_lib", "engine"} <= found.versions.keys()
    assert done.stdout.splitlines()[1].split()[:6] == ["RNN", "forward", "L2", "H64", "B1", "T1"]
    assert "RNN training L2 H64 B1 T1" in done.stderr


def given(monkeypatch, tmp_path, *words, fill=lambda report, plan, tell: None):
    """The command in a course of its own whose measuring is ``fill``."""
    monkeypatch.setattr(cli, "find_project", lambda: Project(tmp_path))
    monkeypatch.setattr(command, "begin", lambda plan: report(complete=False, rows=[]))
    monkeypatch.setattr(command, "fill", fill)
    return cli.main(["bench", *words])


def whole(found, plan, tell):
    found.rows += report().rows
    found.complete = True


def stopped(found, plan, tell):
    found.rows += report().rows[:1]
    raise KeyboardInterrupt


def test_a_whole_run_replaces_the_course_s_result(monkeypatch, tmp_path, capsys):
    assert given(monkeypatch, tmp_path, fill=whole) == 0
    assert from_json((tmp_path / "docs" / "bench" / "bench.json").read_text(encoding="utf-8")) == report()


@pytest.mark.parametrize("words", [["--quick"], ["--cells", "GRU"], ["--rounds", "19"]])
def test_a_part_of_it_does_not(monkeypatch, tmp_path, capsys, words):
    assert given(monkeypatch, tmp_path, *words, fill=whole) == 0
    assert not (tmp_path / "docs").exists()
    assert "--out FOLDER" in capsys.readouterr().out


def test_ctrl_c_keeps_what_it_has(monkeypatch, tmp_path, capsys):
    assert given(monkeypatch, tmp_path, "--out", str(tmp_path / "mine"), fill=stopped) == 130
    found = from_json((tmp_path / "mine" / "bench.json").read_text(encoding="utf-8"))
    assert (len(found.rows), found.complete) == (1, False)
    said = capsys.readouterr()
    assert "stopped before its end" in said.out
    assert said.err == "course: stopped\n"


def test_ctrl_c_leaves_the_course_s_result_alone(monkeypatch, tmp_path, capsys):
    assert given(monkeypatch, tmp_path, fill=stopped) == 130
    assert not (tmp_path / "docs").exists()


def test_a_report_is_shown_again(monkeypatch, tmp_path, capsys):
    (tmp_path / "bench.json").write_text(report().to_json(), encoding="utf-8")
    assert given(monkeypatch, tmp_path, "--from", str(tmp_path / "bench.json"), fill=None) == 0
    assert "2.05 (1.90-2.25)" in capsys.readouterr().out
    assert {path.name for path in tmp_path.iterdir()} == {"bench.json", "table.md", "bench.png"}


@pytest.mark.parametrize("content", [None, "{"])
def test_a_file_that_is_no_report_is_one_sentence(monkeypatch, tmp_path, capsys, content):
    if content is not None:
        (tmp_path / "bench.json").write_text(content, encoding="utf-8")
    assert given(monkeypatch, tmp_path, "--from", str(tmp_path / "bench.json")) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_what_is_whole():
    assert Plan().whole
    assert Plan(rounds=40).whole
    parts = [quick(), Plan(cells=("GRU",)), Plan(shapes=("deep",)), Plan(rounds=19), Plan(threaded=False)]
    assert not any(plan.whole for plan in parts)


@pytest.mark.skipif(not memory.RESET.exists(), reason="the system does not tell")
def test_the_memory_of_a_step_holds_at_least_what_autograd_keeps():
    shape = Shape(2, 64, 32, 256)
    found = memory.measure("RNN", "torch.nn", shape)
    if found is None:
        pytest.skip("the system does not allow it")
    assert 2 < memory.units(found, shape) < 40  # h and the products' inputs at the least


def test_a_process_that_fails_says_why():
    with pytest.raises(RuntimeError, match="KeyError: 'nobody'"):
        memory.measure("RNN", "nobody", Shape(1, 8, 1, 8))


def test_a_failing_memory_does_not_end_the_run(monkeypatch):
    def fail(*which):
        raise RuntimeError("no room")

    monkeypatch.setattr(memory, "measure", fail)
    found = measure.remember("GRU", ["torch.nn"])
    assert (found.bytes, found.problems) == ({}, {"torch.nn": "no room"})
