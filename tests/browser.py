"""JupyterLab in a real Chromium, for tests and to look at a notebook: python -m tests.browser NOTEBOOK FOLDER."""

import contextlib
import json
import os
import shutil
import signal
import site
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psutil
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 90  # seconds for one thing to happen; a machine may be slow
FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
IN_FRONT = ".jp-Dialog, .Toastify__toast"  # what JupyterLab shows over the page
SLICE = (1300, 1600)  # one picture, in CSS pixels
OVERLAP = 80  # what stands on the edge of two pictures is whole on one of them
OPEN_LAB = """import sys, pathlib
from course_lib.publish.lab import open_lab
from course_lib.publish.project import Project
sys.exit(open_lab(Project(pathlib.Path(sys.argv[1])), sys.argv[2], browser=False))"""

PANEL = "window.jupyterapp?.shell?.currentWidget"
READY = f"""() => {{
    const panel = {PANEL}, kernel = panel?.sessionContext?.session?.kernel;
    return panel?.content?.widgets?.length && panel.context.isReady && panel.sessionContext.isReady
        && kernel?.connectionStatus === 'connected' && kernel.status === 'idle';
}}"""
# Some cell ran, none is running or waiting: a cell that fails stops those after it, and they keep no number.
FINISHED = f"""() => {{
    const code = {PANEL}.content.widgets.map(cell => cell.model).filter(model => model.type === 'code');
    return code.some(model => model.executionCount) && code.every(model => model.executionState !== 'running')
        && {PANEL}.sessionContext.session.kernel.status === 'idle';
}}"""
SHOW_RUNNING = f"""() => {{
    const content = {PANEL}.content, now = content.widgets.findIndex(cell => cell.model.executionState === 'running');
    if (now >= 0 && !content.widgets[now].isAttached) content.scrollToItem(now);
}}"""
# The length of all cells, or 0 while an image, a font or a formula is still on its way.
SETTLED = f"""() => {{
    const area = {PANEL}.content.outerNode, last = [...area.querySelectorAll('.jp-Cell')].at(-1);
    const raw = [...area.querySelectorAll('.jp-MarkdownOutput')].some(prose => {{
        const words = prose.cloneNode(true);
        words.querySelectorAll('code, mjx-container').forEach(node => node.remove());
        return /\\$[^$]+\\$/.test(words.textContent);
    }});
    const busy = raw || document.fonts.status !== 'loaded' || [...area.querySelectorAll('img')].some(i => !i.complete);
    return busy ? 0 : last.getBoundingClientRect().bottom - area.getBoundingClientRect().top + area.scrollTop;
}}"""


def chromium() -> str | None:
    """The system's Chromium; nothing is ever downloaded."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


def installed_copy(folder: Path) -> None:
    """Copy the project, with a .venv that start.py takes for whole; its packages are those of this interpreter."""
    for name in ("course_lib", "lessons", "notebooks"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("start.py", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, folder)
    made = folder / ".venv"
    venv.create(made, symlinks=os.name != "nt")
    [packages] = made.glob("lib/python*/site-packages")
    (packages / "borrowed.pth").write_text("\n".join([str(folder), *site.getsitepackages()]), encoding="utf-8")
    for name in ("etc", "share"):  # JupyterLab's page and the settings of its server
        (made / name).symlink_to(Path(sys.prefix, name))
    stamp = "import json, start; start.STAMP.write_text(json.dumps(start.goal(['course'])))"
    subprocess.run([made / "bin" / "python", "-c", stamp], cwd=folder, check=True)


def learners_environment(home: Path) -> dict[str, str]:
    """The environment of somebody new: an empty home, none of the settings that a developer or a test run has."""
    config = home / ".jupyter" / "jupyter_lab_config.json"
    config.parent.mkdir(parents=True, exist_ok=True)
    # All that sets it apart: the page tells which cells ran. On the screen it changes nothing.
    config.write_text(json.dumps({"LabApp": {"expose_app_in_browser": True}}), encoding="utf-8")
    settings = ("COURSE_", "IPYTHON", "JUPYTER", "MPL", "PYTEST_", "PYTHON", "XDG_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(settings)}
    kept |= {"HOME": str(home), "COURSE_ENGINE": "python"}  # an empty home would compile the kernel anew, in each test
    return kept | {"PIP_NO_INDEX": "1"}  # should start.py ever find something to install, it fails


@contextlib.contextmanager
def lab(command: list[str], folder: Path, home: Path) -> Iterator[str]:
    """Run a command that opens JupyterLab and give the address it prints; in the end no process of it is left."""
    environment, log = learners_environment(home), home / "lab.log"
    with log.open("wb") as output:
        streams = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": output}
        process = psutil.Popen(command, cwd=folder, env=environment, **streams)
    try:
        yield _printed_address(process, log)
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGINT)
        _, stuck = psutil.wait_procs([process], timeout=PATIENCE)
        _, left = psutil.wait_procs([*stuck, *_at_home(home)], timeout=20)
        for survivor in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                survivor.kill()
        psutil.wait_procs(left, timeout=5)
    assert not left, f"Ctrl-C left processes behind: {left}\n{log.read_text(encoding='utf-8')}"


def _printed_address(process: psutil.Popen, log: Path) -> str:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        for line in log.read_text(encoding="utf-8").splitlines(keepends=True):
            if line.startswith("http") and line.endswith("\n"):
                return line.strip()
        time.sleep(0.1)
    raise AssertionError(f"no address was printed; the command said:\n{log.read_text(encoding='utf-8')}")


def _at_home(home: Path) -> list[psutil.Process]:
    """All processes that have this home: the command, its server, the kernels, orphans too."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("HOME") == str(home):
                found.append(process)
    return found


class Watch:
    """Writes down what a page complains of, and what it asks of hosts other than its own."""

    def __init__(self, page: Page, address: str) -> None:
        self.page_errors: list[str] = []
        self.console_errors: list[str] = []
        self.foreign: list[str] = []
        self._home = urlsplit(address).netloc
        page.on("pageerror", lambda error: self.page_errors.append(str(error)))
        page.on("console", lambda said: self.console_errors.append(said.text) if said.type == "error" else None)
        page.context.on("request", lambda request: self._visit(request.url))
        page.on("websocket", lambda socket: self._visit(socket.url))

    def _visit(self, url: str) -> None:
        if urlsplit(url).netloc not in ("", self._home):  # data: and blob: have no host
            self.foreign.append(url)


@contextlib.contextmanager
def chromium_page(width: int, height: int) -> Iterator[Page]:
    """One empty page in a headless Chromium of its own."""
    sandbox = getattr(os, "geteuid", lambda: 1)() != 0  # Chromium refuses root a sandbox
    with sync_playwright() as playwright:
        options = {"executable_path": chromium() or "chromium", "args": FLAGS, "chromium_sandbox": sandbox}
        browser = playwright.chromium.launch(headless=True, **options)
        try:
            page = browser.new_page(viewport={"width": width, "height": height})
            page.set_default_timeout(PATIENCE * 1000)
            yield page
        finally:
            browser.close()


def open_notebook(page: Page, address: str) -> None:
    """Open the address and wait until the kernel is connected and idle: cells run earlier only raise a dialog."""
    page.goto(address)
    page.wait_for_function(READY)
    settle(page)


def settle(page: Page) -> float:
    """Wait until all is drawn and the notebook's length stays; what still moves after 20 s is taken as it is."""
    end, before = time.monotonic() + 20, 0.0
    while True:
        now = page.evaluate(SETTLED)
        if now == before > 0 or time.monotonic() > end:
            return now
        before = now
        page.wait_for_timeout(400)


def run_all(page: Page, answer: str, patience: float = 300) -> int:
    """Choose Run All Cells in the menu, answer every prompt as a learner would, and return how many there were."""
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    prompts, end = 0, time.monotonic() + patience
    while not page.evaluate(FINISHED):
        assert not page.locator(IN_FRONT).count(), page.locator(IN_FRONT).all_inner_texts()
        assert time.monotonic() < end, "the cells do not come to an end"
        page.evaluate(SHOW_RUNNING)
        if (box := page.query_selector(".jp-Stdin-input")) is None:
            page.wait_for_timeout(200)
            continue
        box.fill(answer)
        box.press("Enter")
        box.wait_for_element_state("hidden")
        prompts += 1
    settle(page)
    return prompts


def pictures(notebook: Path, folder: Path) -> list[Path]:
    """Show a notebook with its stored outputs in JupyterLab and save its full length as pictures, top to bottom."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch, contextlib.ExitStack() as stack:
        root, home = Path(scratch, "course"), Path(scratch, "home")
        (root / "my").mkdir(parents=True)
        shutil.copy(notebook, root / "my")
        every_cell = home / ".jupyter/lab/user-settings/@jupyterlab/notebook-extension/tracker.jupyterlab-settings"
        every_cell.parent.mkdir(parents=True)
        every_cell.write_text('{"windowingMode": "none"}', encoding="utf-8")  # cells out of sight are drawn too
        address = stack.enter_context(lab([sys.executable, "-c", OPEN_LAB, root, notebook.stem], ROOT, home))
        page = stack.enter_context(chromium_page(SLICE[0] + 66, SLICE[1] + 112))
        open_notebook(page, address.replace("/lab/tree/", "/doc/tree/"))  # without the columns at the sides
        return _slices(page, folder, notebook.stem)


def _slices(page: Page, folder: Path, stem: str) -> list[Path]:
    area = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-WindowedPanel-outer").first
    box, saved, top = area.bounding_box(), [], 0.0
    while True:
        area.evaluate("(node, top) => { node.scrollTop = top; }", top)
        length = settle(page)
        saved.append(folder / f"{stem}_{len(saved) + 1:02d}.png")
        page.screenshot(path=str(saved[-1]), clip=box | {"height": min(box["height"], length - top + 20)})
        if top + box["height"] >= length:
            return saved
        top += box["height"] - OVERLAP


if __name__ == "__main__":
    print(*pictures(Path(sys.argv[1]), Path(sys.argv[2])), sep="\n")
