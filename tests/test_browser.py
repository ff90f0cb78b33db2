"""A learner's first hour: the door opens lesson 02 in a real browser, and the lesson runs from top to bottom."""

import json
import os
import sys
from types import SimpleNamespace

import pytest

from course_lib.publish import notebook as nb
from tests import browser

pytestmark = pytest.mark.browser

STEM = "02_stacking"
READING = sorted(path.stem for path in (browser.ROOT / "notebooks").glob("*.ipynb"))
CELLS = f"() => {browser.PANEL}.content.widgets.map(cell => cell.model.toJSON())"
# What can be seen of each cell once it is scrolled to; an image gets ten seconds to load.
LOOK = f"""async () => {{
    const content = {browser.PANEL}.content, pause = time => new Promise(done => setTimeout(done, time)), seen = [];
    for (const [index, {{node, model}}] of content.widgets.entries()) {{
        await content.scrollToItem(index);
        await pause(50);
        const images = [...node.querySelectorAll('.jp-OutputArea-output img')];
        await Promise.race([Promise.allSettled(images.map(image => image.decode())), pause(10000)]);
        const edge = content.outerNode.getBoundingClientRect().left + content.outerNode.clientWidth;
        const parts = node.querySelectorAll('.jp-RenderedHTMLCommon, .jp-OutputArea-output, .cm-scroller');
        const prose = node.querySelector('.jp-MarkdownOutput')?.cloneNode(true);
        prose?.querySelectorAll('code, mjx-container').forEach(part => part.remove());
        seen.push({{
            id: model.id,
            images: images.map(image => image.naturalWidth),
            formulas: node.querySelectorAll('mjx-container').length,
            unset: node.querySelectorAll('mjx-merror').length > 0 || /\\$[^$]+\\$/.test(prose?.textContent),
            beyond: images.map(image => image.getBoundingClientRect().right - edge).filter(pixels => pixels > 1),
            wide: [node, ...parts].map(part => part.scrollWidth - part.clientWidth).filter(pixels => pixels > 1),
        }});
    }}
    await content.scrollToItem(0);
    return seen;
}}"""


@pytest.fixture(scope="module")
def lesson(tmp_path_factory):
    """What was seen before, while and after all cells ran in a window of ordinary size; the page is still open."""
    require_chromium()
    folder = tmp_path_factory.mktemp("learner")
    root, home = folder / "course", folder / "home"
    root.mkdir()
    home.mkdir()
    browser.installed_copy(root)
    door = [sys.executable, "start.py", "lab", "--no-browser", STEM[:2]]
    with browser.lab(door, root, home) as address, browser.chromium_page(1280, 800) as page:
        watch = browser.Watch(page, address)
        browser.open_notebook(page, address)
        before, in_front = page.evaluate(CELLS), page.locator(browser.IN_FRONT).all_inner_texts()
        prompts = browser.run_all(page, answer="1")
        after, seen = page.evaluate(CELLS), page.evaluate(LOOK)
        in_front += page.locator(browser.IN_FRONT).all_inner_texts()
        yield SimpleNamespace(
            address=address,
            log=(home / "lab.log").read_text(encoding="utf-8"),
            reading=nb.read(root / "notebooks" / f"{STEM}.ipynb").cells,
            predictions=root / "my" / "progress.json",
            page=page,
            watch=watch,
            before=before,
            after=after,
            seen=seen,
            prompts=prompts,
            in_front=in_front,
        )


def require_chromium():
    """Without a browser nothing can be said: on a build server that is a failure."""
    if browser.chromium() is None:
        missing = "there is no Chromium: apt install chromium"
        pytest.fail(missing) if os.environ.get("CI") == "true" else pytest.skip(missing)


def code(cells):
    return [cell for cell in cells if cell["cell_type"] == "code"]


def figures(cell):
    """How many outputs of a cell are figures."""
    return sum(any(kind.startswith("image/") for kind in output.get("data", {})) for output in cell["outputs"])


@pytest.mark.parametrize(("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_a_missing_chromium_fails_a_build_and_skips_at_home(ci, outcome, monkeypatch):
    monkeypatch.setattr(browser.shutil, "which", lambda name: None)
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match="apt install chromium"):
        require_chromium()


def test_the_door_prints_the_address_of_the_learners_copy_and_no_trouble(lesson):
    assert lesson.address.startswith("http://localhost:")
    assert f"/lab/tree/my/{STEM}.ipynb?token=" in lesson.address
    assert f"new: my/{STEM}.ipynb" in lesson.log
    assert not [word for word in ("Installing", "Traceback", "Error", "[E ") if word in lesson.log], lesson.log


def test_the_copy_has_the_lessons_cells_and_no_outputs(lesson):
    assert [cell["id"] for cell in lesson.before] == [cell.id for cell in lesson.reading]
    assert any(cell.outputs for cell in code(lesson.reading))
    assert not [cell["id"] for cell in code(lesson.before) if cell["outputs"] or cell["execution_count"]]


def test_every_cell_runs_in_order_without_an_error(lesson):
    errors = [
        (cell["id"], output["ename"], output["evalue"])
        for cell in code(lesson.after)
        for output in cell["outputs"]
        if output["output_type"] == "error"
    ]
    assert errors == []
    counts = [cell["execution_count"] for cell in code(lesson.after)]
    assert counts == list(range(1, len(counts) + 1))


def test_each_prediction_was_asked_for_and_is_kept_beside_the_copy(lesson):
    asked = [cell["id"] for cell in code(lesson.after) if "predict" in cell["metadata"].get("tags", [])]
    prompts, kept = lesson.prompts, json.loads(lesson.predictions.read_text(encoding="utf-8"))
    assert prompts == len(asked) > 0
    assert len(kept["predictions"]) == prompts


def test_no_other_host_is_asked_and_nothing_complains(lesson):
    assert lesson.watch.foreign == []
    assert lesson.watch.page_errors == []
    assert lesson.watch.console_errors == []
    assert lesson.in_front == []


def test_every_figure_is_an_image_that_loaded(lesson):
    wanted = {cell["id"]: figures(cell) for cell in code(lesson.after) if figures(cell)}
    assert wanted
    assert {cell["id"]: len(cell["images"]) for cell in lesson.seen if cell["images"]} == wanted
    assert not [cell["id"] for cell in lesson.seen if 0 in cell["images"]]


def test_formulas_are_set_and_none_is_left_as_written(lesson):
    assert sum(cell["formulas"] for cell in lesson.seen) > 0
    assert not [cell["id"] for cell in lesson.seen if cell["unset"]]


def test_the_page_starts_with_the_lessons_heading(lesson):
    heading = lesson.page.locator(".jp-Notebook h1").first
    assert heading.is_visible()
    assert heading.bounding_box()["y"] < 400
    assert lesson.before[0]["source"].startswith("# ")


def test_nothing_is_wider_than_its_column_in_an_ordinary_window(lesson):
    assert lesson.page.viewport_size == {"width": 1280, "height": 800}
    wide = {cell["id"]: cell["beyond"] + cell["wide"] for cell in lesson.seen if cell["beyond"] or cell["wide"]}
    assert not wide, f"too wide, in pixels: {wide}; a line of code fits if it has at most 107 characters"


SOUND = """import torch
from IPython.display import Audio
from course_lib.data import sound
roll = torch.zeros(8, 88)
roll[:, 40] = roll[4:, 47] = 1
Audio(sound.from_roll(roll, 0.25), rate=sound.RATE)"""
PLAY = """async () => {
    const audio = document.querySelector('.jp-OutputArea-output audio');
    audio.muted = true;
    await audio.play();
    await new Promise(done => setTimeout(done, 600));
    return {duration: audio.duration, position: audio.currentTime, error: audio.error?.message ?? null};
}"""


def test_a_piano_roll_plays(lesson):
    """Leaves lesson 02."""
    about = nb.read(browser.ROOT / "notebooks" / f"{STEM}.ipynb").metadata  # with the kernel that is to run it
    notebook = nb.nbformat.v4.new_notebook(cells=[nb.nbformat.v4.new_code_cell(SOUND)], metadata=about)
    nb.nbformat.write(notebook, lesson.predictions.with_name("sound.ipynb"))
    browser.open_notebook(lesson.page, lesson.address.replace(f"my/{STEM}", "my/sound"))
    browser.run_all(lesson.page, answer="1")
    lesson.page.wait_for_selector(".jp-OutputArea-output audio")
    played = lesson.page.evaluate(PLAY)
    assert played["error"] is None
    assert played["duration"] == pytest.approx(2.0, abs=0.05)  # eight frames of a quarter second
    assert played["position"] > 0.1


@pytest.mark.parametrize("stem", READING)
def test_each_reading_copy_is_whole_in_an_ordinary_window(stem, lesson):
    """The last tests of this file: they leave the learner's copy."""
    browser.open_notebook(lesson.page, lesson.address.replace(f"my/{STEM}", f"notebooks/{stem}"))
    cells, seen = lesson.page.evaluate(CELLS), lesson.page.evaluate(LOOK)
    wanted = {cell["id"]: figures(cell) for cell in code(cells) if figures(cell)}
    assert {cell["id"]: len(cell["images"]) for cell in seen if cell["images"]} == wanted
    assert not [cell["id"] for cell in seen if 0 in cell["images"] or cell["unset"]]
    assert {cell["id"]: cell["beyond"] + cell["wide"] for cell in seen if cell["beyond"] or cell["wide"]} == {}
    assert lesson.watch.foreign == lesson.watch.page_errors == lesson.watch.console_errors == []
