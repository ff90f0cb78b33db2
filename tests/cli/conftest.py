"""A course of two built lessons, with a package of its own that needs no torch."""

import shutil
from pathlib import Path

import pytest

from course_lib import cli
from course_lib.publish.build import build
from course_lib.publish.project import Project
from tests.cli.samples import GOOD


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A course of two built lessons, with a package of its own that needs no torch."""
    root = tmp_path_factory.mktemp("course")
    package = Path(cli.__file__).parent
    shutil.copytree(package / "publish", root / "course_lib" / "publish", ignore=shutil.ignore_patterns("__pycache__"))
    for folder in ("bench", "grading"):
        (root / "course_lib" / folder).mkdir()
    light = ("bench/__init__.py", "bench/shapes.py", "grading/__init__.py", "grading/commands.py")
    for name in ("cli.py", "version.py", *light):
        shutil.copy(package / name, root / "course_lib" / name)
    (root / "course_lib" / "__init__.py").touch()
    (root / "start.py").touch()
    (root / "lessons").mkdir()
    for stem in ("00_start_here", "02_stacking"):
        (root / "lessons" / f"{stem}.py").write_text(GOOD)
        build(Project(root), stem)
    return root


@pytest.fixture
def course(built, tmp_path, monkeypatch):
    """A fresh copy of that course, which `main` takes for its own."""
    shutil.copytree(built, tmp_path, dirs_exist_ok=True)
    monkeypatch.setattr(cli, "find_project", lambda: Project(tmp_path))
    return Project(tmp_path)
