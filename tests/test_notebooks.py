"""Are the committed notebooks what their lessons say, what a fresh kernel prints, and fit to be read?"""

import json
import os
import re
import statistics
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from course_lib.publish import notebook as nb
from course_lib.publish.build import MAX_BYTES, differences
from course_lib.publish.project import Project
from tests.notebook_comparison import run_nbval

PROJECT = Project(Path(__file__).resolve().parents[1])
READING = sorted(PROJECT.notebooks.glob("*.ipynb"))
SOLVED = sorted(PROJECT.solutions.glob("*.ipynb"))

# Cells whose outputs nobody compares, by notebook; each one must print something that differs from run to run.
MACHINE = {"218646c5604f", "7fc17f32069e"}  # versions, speed and device
UNCOMPARED: dict[str, set[str]] = {
    "notebooks/00_start_here.ipynb": MACHINE,
    "notebooks/solutions/00_start_here.ipynb": MACHINE,
}

MACHINE_PATH = re.compile(r"/(root|work|tmp|home|Users)/|[A-Z]:\\\\")
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d|\b\d\d:\d\d:\d\d\b")


def every(paths):
    """One test a notebook, named by its path."""
    return pytest.mark.parametrize("path", paths, ids=PROJECT.shown)


def code_cells(path):
    return [cell for cell in nb.read(path).cells if cell.cell_type == "code"]


def outputs(path):
    """All stored outputs with the id of their cell."""
    return [(cell.id, output) for cell in code_cells(path) for output in cell.outputs]


def lines(cell):
    return [line for line in cell.source.split("\n") if line.strip()]


def test_there_are_lessons_and_each_has_both_notebooks():
    stems = PROJECT.lesson_stems()
    assert len(stems) >= 2
    assert [path.stem for path in READING] == stems
    assert [path.stem for path in SOLVED] == stems


def test_the_notebooks_are_built_from_their_lessons():
    assert differences(PROJECT) == []


@pytest.fixture(scope="module")
def fresh_runs(request, tmp_path_factory):
    """A fresh run of every notebook that was asked for, as many at once as there are cores; each uses one."""
    asked = [item.callspec.params["path"] for item in request.session.items if "fresh_runs" in item.fixturenames]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    with ThreadPoolExecutor(cores) as pool:
        yield {path: pool.submit(run_nbval, path, tmp_path_factory.mktemp(path.stem)) for path in asked}


@pytest.mark.notebook
@every(READING + SOLVED)
def test_a_fresh_run_prints_what_is_stored(path, fresh_runs):
    found, output = fresh_runs[path].result()
    complaints = [f"{cell}\n{text}" for cell, text in found.items() if text]
    assert not complaints, f"{len(complaints)} cells differ or fail\n\n" + "\n\n".join(complaints)
    assert len(found) == len(code_cells(path)), f"not every cell ran:\n{output}"


@every(READING + SOLVED)
def test_every_cell_was_executed_in_order(path):
    counts = [cell.execution_count for cell in code_cells(path)]
    assert counts == list(range(1, len(counts) + 1))


@every(READING + SOLVED)
def test_no_cell_escapes_the_comparison(path):
    escaping = {
        cell.id
        for cell in code_cells(path)
        if {"nbval-ignore-output", "nbval-skip"} & set(cell.metadata.get("tags", [])) or "NBVAL_" in cell.source
    }
    assert escaping == UNCOMPARED.get(PROJECT.shown(path), set())
    assert not [cell.id for cell in code_cells(path) if "raises-exception" in cell.metadata.get("tags", [])]


@every(READING + SOLVED)
def test_outputs_hold_no_error_no_warning_and_no_bare_widget(path):
    for cell_id, output in outputs(path):
        assert output.output_type != "error", cell_id
        assert output.get("name") != "stderr", cell_id
        kinds = set(output.get("data", {}))
        bare = "application/vnd.jupyter.widget-view+json" in kinds and not any(
            kind.startswith("image/") for kind in kinds
        )
        assert not bare, f"{cell_id}: a widget vanishes where no kernel runs; show a still figure with it"


@every(READING + SOLVED)
def test_every_figure_has_its_own_alternative_text(path):
    texts = []
    for cell_id, output in outputs(path):
        for kind in (kind for kind in output.get("data", {}) if kind.startswith("image/")):
            alt = output.metadata.get(kind, {}).get("alt", "")
            assert len(alt) >= 40, f"{cell_id}: the figure's alternative text is {alt!r}; use plots.show(fig, alt=...)"
            texts.append(alt)
    assert len(texts) == len(set(texts)), "two figures carry the same alternative text"


@every(READING + SOLVED)
def test_the_file_is_small_and_tells_nothing_of_the_machine(path):
    assert path.stat().st_size < MAX_BYTES
    notebook = nb.read(path)
    assert notebook.metadata == nb.METADATA
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            for kind in [kind for kind in output.get("data", {}) if kind.startswith("image/")]:
                del output.data[kind]  # an image in base64 may spell anything
        text = json.dumps(cell, ensure_ascii=False)
        assert not MACHINE_PATH.search(text), f"{cell.id} holds a path of this machine"
        assert not TIMESTAMP.search(text), f"{cell.id} holds a time"


@every(READING)
def test_a_lesson_has_the_form_of_a_lesson(path):
    cells = nb.read(path).cells
    assert 30 <= len(cells) <= 50
    words = sum(len(cell.source.split()) for cell in cells if cell.cell_type == "markdown")
    assert words <= 2500
    head = cells[0]
    assert head.cell_type == "markdown"
    assert head.source.startswith("# ")
    assert "minutes" in head.source + cells[1].source, "the head says how many minutes the lesson takes"
    assert statistics.median(len(lines(cell)) for cell in code_cells(path)) <= 8


@every(READING + SOLVED)
def test_code_cells_fit_on_a_screen(path):
    long = {cell.id: len(lines(cell)) for cell in code_cells(path) if len(lines(cell)) > 15}
    assert not long
