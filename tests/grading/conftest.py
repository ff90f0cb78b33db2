"""The machine that box tests need, and a toy problem set whose notebook runs with or without a box."""

import copy
import os
import subprocess
from pathlib import Path

import nbformat
import numpy
import pytest

from course_lib.grading import box, kernel, template
from course_lib.grading.limits import BoxError, Limits
from course_lib.grading.problem import Case, Part, ProblemSet
from tests.grading.rebuilt import release

SETUP = "import json\nfrom pathlib import Path\nimport torch\nk = json.loads(Path('variant.json').read_text())['k']"


@pytest.fixture(autouse=True)
def _box(request):
    if request.node.get_closest_marker("box") is not None:
        need_box()


def need_box():
    """Skip where there is no box; where the tests are the project's own, its absence is a failure."""
    if os.geteuid() == 0:
        pytest.skip("root starts no box; run these as an ordinary account, with bubblewrap installed: pytest -m box")
    try:
        with box.Box(("/usr/bin/env",), {}, Limits(wall=20)) as first:
            first.wait()
    except BoxError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(f"needs the package bubblewrap and user namespaces: {error}")


class Unboxed(box.Box):
    """The worker as a plain process, for honest code alone: the judge's side can be tested where there is no box."""

    folder = Path()

    def _launch(self, command, files, channel, stack):
        for name, data in files.items():
            (self.folder / name).write_bytes(data)
        self._printed, printed = kernel.pipe(stack)
        variables = {**os.environ, "PYTHONPATH": str(Path(box.__file__).parents[2]), "IPYTHONDIR": str(self.folder)}
        self._process = subprocess.Popen(
            command,
            stdin=channel or subprocess.DEVNULL,
            stdout=channel or printed.fileno(),
            stderr=printed,
            cwd=self.folder,
            env=variables,
            start_new_session=True,
        )
        printed.close()
        self._inner = os.pidfd_open(self._process.pid)
        stack.callback(os.close, self._inner)

    def _cpu(self):
        return 0.0

    def _used(self):
        return 0

    def _explain(self, code):
        return


@pytest.fixture
def unboxed(tmp_path, monkeypatch):
    """``Unboxed`` in a folder of its own, also for root."""
    monkeypatch.setattr(Unboxed, "folder", tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    return Unboxed


def scale_cases(variant, rng):
    for _ in range(3):
        x = rng.standard_normal((2, 3))
        yield Case("scale", (x,), x * variant["k"], {"forgot the factor": x})


def total_cases(variant, rng):
    for _ in range(3):
        x = rng.standard_normal(4)
        yield Case("total", (x,), x.sum())


@pytest.fixture
def toy():
    """Two parts, worth 2 and 3 points."""
    parts = [Part("1", "Scale", 2.0, scale_cases, ("nn.RNN",)), Part("2", "Sum", 3.0, total_cases)]
    return ProblemSet("toy", "Toy", parts, lambda rng: {"k": 3})


@pytest.fixture
def rng():
    return numpy.random.default_rng(5)


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    """The release notebook as intake reads it."""
    path = tmp_path_factory.mktemp("release") / "ps1.ipynb"
    nbformat.write(release(), path)
    return template.load(path)


@pytest.fixture
def handed(ours):
    """A copy of the release notebook, as a student gets it."""
    return copy.deepcopy(dict(ours.notebook))
