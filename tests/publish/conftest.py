"""A course with one lesson, fresh or built once."""

import pytest

from course_lib.publish.build import build
from course_lib.publish.project import Project
from tests.publish.samples import LESSON


@pytest.fixture
def course(tmp_path):
    """A course with one lesson."""
    for folder in ("lessons", "notebooks"):
        (tmp_path / folder).mkdir()
    (tmp_path / "start.py").touch()
    (tmp_path / "lessons" / "04_paths.py").write_text(LESSON, encoding="utf-8")
    return Project(tmp_path)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A course that was built once."""
    root = tmp_path_factory.mktemp("course")
    (root / "lessons").mkdir()
    (root / "lessons" / "04_paths.py").write_text(LESSON, encoding="utf-8")
    build(Project(root), "04_paths")
    return Project(root)
