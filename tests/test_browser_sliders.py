"""Sliders live: in JupyterLab they stand over a picture, and the picture follows them."""

import sys

import nbformat
import pytest

from course_lib.publish.notebook import METADATA
from tests import browser
from tests.test_browser import require_chromium

pytestmark = pytest.mark.browser

CELL = """from course_lib import plots
plots.explore(plots.regimes, "three curves",
              num_steps=(2, 40, 24), num_layers=(1, 16, 12), a=(0.1, 1.2, 0.6), b=(0.1, 1.2, 0.6))"""
PICTURE = ".jp-OutputArea-output .jp-OutputArea img"


@pytest.fixture
def page(tmp_path):
    """A page with a notebook of one cell, which has run."""
    require_chromium()
    root, home = tmp_path / "course", tmp_path / "home"
    (root / "my").mkdir(parents=True)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)], metadata=METADATA)
    nbformat.write(notebook, root / "my" / "sliders.ipynb")
    command = [sys.executable, "-c", browser.OPEN_LAB, root, "sliders"]
    with browser.lab(command, browser.ROOT, home) as address, browser.chromium_page(1280, 800) as page:
        browser.open_notebook(page, address)
        browser.run_all(page, answer="")
        yield page


def test_the_picture_follows_a_slider(page):
    page.wait_for_selector(PICTURE)
    handles = page.locator(".noUi-handle")
    assert handles.count() == 4
    assert page.locator(".widget-label").all_inner_texts() == ["num_steps", "num_layers", "a", "b"]
    before = page.locator(PICTURE).get_attribute("src")
    handles.nth(2).focus()
    for _ in range(30):  # a: from 0.6 to 0.9
        handles.nth(2).press("ArrowRight")
    page.wait_for_function(f"src => document.querySelector('{PICTURE}')?.src !== src", arg=before)
    assert page.locator(PICTURE).count() == 1
    assert not page.locator(".jp-OutputArea-output[data-mime-type*='stderr']").count()
