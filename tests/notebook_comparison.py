"""Compare notebooks as their readers would: words and integers exactly, decimals to 1e-3, white space loosely.

A pytest plugin that repairs nbval 0.11 in five places: decimals get a tolerance; addresses and durations are masked;
a trailing `;` silences a cell as it does in JupyterLab; stderr, SVG and HTML are not compared; a cell that was never
executed fails, where nbval would skip the comparison. Images are not compared either, so figures carry a text.
"""

import math
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

RTOL, ATOL = 1e-3, 1e-5

_NUMBER = re.compile(
    r"""
    (?<![\w.])                                        # not inside a word or a version
    (?: (?<![)\]%]) [-+−] )?                          # a sign; in 0.1-0.5 it is a dash, as the line above sees
    (?: \d{1,3}(?:,\d{3})+(?:\.\d+)? | \d+(?:\.\d+)? | \.\d+ )
    (?: [eE][-+]?\d+ (?!\w) )?
    (?! \d | \.\d )                                  # 1.2.3 is a version; in "0.25." the last point ends a sentence
    """,
    re.VERBOSE,
)
_MASKS = [
    (re.compile(r"\b0x[0-9a-fA-F]{6,}\b"), "0xADDRESS"),
    (re.compile(r"^(CPU times|Wall time):.*$", re.MULTILINE), r"\1: TIME"),
    (re.compile(r"\[\d\d:\d\d<[^\]]*\]"), "[TIME]"),
    (re.compile(r"\b(in|took|after) \d+(\.\d+)? ?(ns|µs|μs|us|ms|s|sec|seconds|min|minutes)\b"), r"\1 TIME"),
    (re.compile(r"\b\d+(\.\d+)? ?(it/s|s/it)"), "RATE"),
]


def masked(text: str) -> str:
    """The text without addresses and durations."""
    for pattern, word in _MASKS:
        text = pattern.sub(word, text)
    return text


def same(stored: str, fresh: str) -> bool:
    """Would a reader call the two texts equal?"""
    words, numbers = _taken_apart(stored)
    other_words, other_numbers = _taken_apart(fresh)
    return (
        words == other_words
        and len(numbers) == len(other_numbers)
        and all(_same_number(one, other) for one, other in zip(numbers, other_numbers, strict=True))
    )


class Text(str):
    """A text that equals another if `same` says so."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and same(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__


def pytest_configure(config) -> None:
    """Repair nbval when it is asked to compare."""
    if config.getoption("nbval", default=False):
        _repair()


def run_nbval(notebook: Path, scratch: Path, timeout: int = 120) -> tuple[dict[str, str], str]:
    """Run one notebook under nbval in a clean pytest; return what failed, cell by cell, and pytest's output.

    A cell that passed is mapped to "".
    """
    from course_lib.publish.kernel import kernel_environment

    (scratch / "pytest.ini").write_text("[pytest]\n")  # the project's settings are not for notebooks
    report, tests = scratch / "report.xml", Path(__file__).parent
    environment = kernel_environment(scratch) | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}
    environment["PYTHONPATH"] = os.pathsep.join([str(tests), environment["PYTHONPATH"]])
    command = [sys.executable, "-m", "pytest", str(notebook), "-c", str(scratch / "pytest.ini"), "--noconftest", "-q"]
    command += ["-p", "nbval.plugin", "-p", Path(__file__).stem, "-p", "no:cacheprovider", "--color=no"]
    command += ["--nbval", "--nbval-current-env", f"--nbval-cell-timeout={timeout}", f"--junitxml={report}"]
    result = subprocess.run(command, cwd=scratch, env=environment, capture_output=True, text=True, check=False)
    cells = ElementTree.parse(report).iter("testcase") if report.exists() else []
    return {cell.get("name", ""): _complaint(cell) for cell in cells}, result.stdout + result.stderr


def _complaint(cell: ElementTree.Element) -> str:
    return "\n".join(child.text or child.get("message") or child.tag for child in cell if child.tag != "properties")


def _taken_apart(text: str) -> tuple[list[str], list[str]]:
    text = text.strip()
    words = [re.sub(r"\s+", " ", word) for word in _NUMBER.split(text)]
    return words, _NUMBER.findall(text)


def _same_number(one: str, other: str) -> bool:
    if not all(re.search(r"[.eE]", number) for number in (one, other)):
        return one == other
    one_value, other_value = (float(number.replace(",", "").replace("−", "-")) for number in (one, other))
    return math.isclose(one_value, other_value, rel_tol=RTOL, abs_tol=ATOL)


def _repair() -> None:
    import nbval.plugin as nbval
    from nbval.kernel import RunningKernel

    sanitize, runtest, start = nbval.IPyNbCell.sanitize, nbval.IPyNbCell.runtest, nbval.IPyNbFile.__init__

    def sanitize_tolerantly(self, value):
        value = sanitize(self, value)
        return Text(masked(value)) if isinstance(value, str) else value

    def runtest_if_executed(self):
        if self.cell.execution_count is None and self.cell.source.strip():
            self.raise_cell_error("The stored cell was never executed, so there is nothing to compare")
        runtest(self)

    def start_skipping(self, *args, **kwargs):
        start(self, *args, **kwargs)
        self.skip_compare += ("stderr", "image/svg+xml", "text/html")

    def execute_with_history(self, cell_input, allow_stdin=None):
        # IPython looks for the trailing ; in its history.
        return self.kc.execute(cell_input, store_history=True, allow_stdin=allow_stdin, stop_on_error=False)

    nbval.IPyNbCell.sanitize = sanitize_tolerantly
    nbval.IPyNbCell.runtest = runtest_if_executed
    nbval.IPyNbFile.__init__ = start_skipping
    RunningKernel.execute_cell_input = execute_with_history
