"""Run a notebook from top to bottom in a fresh kernel, and make its outputs fit to be stored."""

import tempfile
import time
from pathlib import Path

from nbclient.exceptions import CellExecutionError, CellTimeoutError
from nbformat import NotebookNode

from course_lib.publish.kernel import Kernel
from course_lib.publish.notebook import METADATA, read
from course_lib.publish.project import PublishError

CELL_TIMEOUT = 600  # seconds


class CellFailedError(PublishError):
    """A cell of a notebook raised, ran too long, wrote a warning or lost its kernel."""


def execute(notebook: NotebookNode, name: str, timeout: int = CELL_TIMEOUT) -> None:
    """Run every cell in a fresh kernel, storing the outputs in the notebook; stop at the first cell that fails."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        kernel = Kernel(notebook, Path(folder), timeout)
        try:
            kernel.run()
        except (CellExecutionError, CellTimeoutError, RuntimeError) as error:
            what = _reason(error, timeout, kernel.log)
            raise CellFailedError(f"{name}, {_where(kernel.reached)}: {what}") from None


def run(path: Path, name: str) -> tuple[float, int, str]:
    """Run a stored notebook without changing it; return seconds, code cells and the verdict, `ok` or one line."""
    try:
        notebook = read(path)
    except PublishError as error:
        return 0.0, 0, str(error)
    cells = sum(cell.cell_type == "code" for cell in notebook.cells)
    started = time.perf_counter()
    try:
        execute(notebook, name)
        verdict = "ok"
    except CellFailedError as error:
        verdict = str(error)
    return time.perf_counter() - started, cells, verdict


def tidy(notebook: NotebookNode, name: str) -> None:
    """Remove what changes from run to run, and refuse output to stderr."""
    notebook.metadata = NotebookNode(METADATA)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type != "code":
            continue
        if "nbval-ignore-output" in cell.metadata.get("tags", []):
            cell.outputs = []
        cell.outputs = _merge_streams(cell.outputs)
        for output in cell.outputs:
            if output.get("name") == "stderr":
                text = " ".join(output.text.split())[:200]
                raise CellFailedError(
                    f"{name}, {_where([cell])}: it writes to stderr ({text}); mend the cause, lessons show no warnings"
                )


def first_line(text: str) -> str:
    """The first line that says something."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def _merge_streams(outputs: list[NotebookNode]) -> list[NotebookNode]:
    # The kernel sends text in pieces whose borders depend on time.
    merged: list[NotebookNode] = []
    for output in outputs:
        before = merged[-1] if merged else {}
        if output.output_type == "stream" and before.get("name") == output.name:
            before["text"] += output.text
        else:
            merged.append(output)
    return merged


def _where(reached: list[NotebookNode]) -> str:
    if not reached:
        return "before the first cell"
    cell = reached[-1]
    title = cell.metadata.get("title")
    return f"cell {cell.id}{f' ({title})' if title else ''}, `{first_line(cell.source)}`"


def _reason(error: Exception, timeout: int, log: Path) -> str:
    if isinstance(error, CellExecutionError):
        return f"{error.ename}: {' '.join(error.evalue.split())[:300]}"
    if isinstance(error, CellTimeoutError):
        return f"the cell ran longer than {timeout} s"
    last_words = " ".join(log.read_text(errors="replace").split())[-300:]
    return f"the kernel died; its last words: {last_words or 'none'}"
