"""The build: executed, clean, the same bytes twice, the old notebooks kept when it fails."""

import os
import sys

import pytest

from course_lib.publish import execute, notebook
from course_lib.publish.build import build
from tests.publish.samples import lesson_of, stored


@pytest.mark.notebook
def test_built_notebooks_are_executed_and_clean(built):
    for solved in (False, True):
        cells = [cell for cell in stored(built, solved).cells if cell.cell_type == "code"]
        assert [cell.execution_count for cell in cells] == [1, 2, 3, 4, 5, 6]
        assert all("execution" not in cell.metadata for cell in cells)
        assert cells[1].outputs == [{"output_type": "stream", "name": "stdout", "text": "smaller or larger\n"}]
        assert "image/png" in cells[2].outputs[0].data
        assert cells[5].outputs == [], "a cell tagged nbval-ignore-output is stored without output"
        assert cells[4].outputs[0].text == ("4\n" if solved else "not yet\n")
        assert stored(built, solved).metadata == notebook.METADATA


@pytest.mark.notebook
def test_building_twice_gives_the_same_bytes(built):
    paths = [built.notebooks / "04_paths.ipynb", built.solutions / "04_paths.ipynb"]
    before = [path.read_bytes() for path in paths]
    products = build(built, "04_paths")
    assert [path.read_bytes() for path in paths] == before
    assert [product.path for product in products] == paths
    assert before[0].endswith(b"}\n")
    assert sorted(path.name for path in built.notebooks.iterdir()) == ["04_paths.ipynb", "solutions"]


def test_text_that_came_in_pieces_is_stored_whole():
    pieces = [notebook.v4.new_output("stream", name="stdout", text=text) for text in "abc"]
    node = notebook.v4.new_notebook(cells=[notebook.v4.new_code_cell("f()", outputs=pieces)])
    execute.tidy(node, "04_paths")
    assert [output.text for output in node.cells[0].outputs] == ["abc"]


@pytest.mark.notebook
def test_the_kernel_is_this_interpreter_with_a_quiet_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.setenv("COURSE_MY", "elsewhere")
    source = (
        "import os, sys\nprint(sys.executable, *[os.environ.get(n) for n in "
        "('COURSE_BUILD', 'PYTHONHASHSEED', 'COURSE_MY', 'MPLBACKEND')], os.listdir())"
    )
    node = notebook.v4.new_notebook(cells=[notebook.v4.new_code_cell(source)])
    execute.execute(node, "x")
    words = node.cells[0].outputs[0].text.split()
    assert os.path.samefile(words[0], sys.executable)
    assert words[1:] == ["1", "0", "None", "module://matplotlib_inline.backend_inline", "[]"]


@pytest.mark.notebook
@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (
            '# %% 04.9 · x tags=["live"]\n\ny = 1\nint("four")',
            r"ex-04-9 \(04\.9 · x\), `y = 1`: ValueError: invalid",
        ),
        ("# %%\nwarnings.warn('old')", r"`warnings.warn\('old'\)`: it writes to stderr"),
        ("# %%\nimport os; os._exit(3)", "the kernel died"),
    ],
)
def test_a_failed_build_names_the_cell_and_leaves_the_old_notebooks(built, course, cell, words):
    old = (built.notebooks / "04_paths.ipynb").read_text(encoding="utf-8")
    (course.notebooks / "04_paths.ipynb").write_text(old, encoding="utf-8")
    lesson_of(course, f"# %%\nimport warnings\n{cell}\n")
    with pytest.raises(execute.CellFailedError, match=r"^notebooks/04_paths\.ipynb, .*" + words) as caught:
        build(course, "04_paths")
    assert "\n" not in str(caught.value)
    assert [path.name for path in course.notebooks.iterdir()] == ["04_paths.ipynb"]
    assert (course.notebooks / "04_paths.ipynb").read_text(encoding="utf-8") == old


@pytest.mark.notebook
def test_a_cell_that_runs_too_long_is_named():
    node = notebook.v4.new_notebook(cells=[notebook.v4.new_code_cell("import time; time.sleep(30)", id="slow")])
    with pytest.raises(execute.CellFailedError, match=r"x, cell slow, .*: the cell ran longer than 1 s"):
        execute.execute(node, "x", timeout=1)


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    (tmp_path / "a").write_text("old")

    def killed(*paths):
        raise KeyboardInterrupt

    monkeypatch.setattr(notebook.os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        notebook.write(tmp_path / "a", "new")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a", "old")]
