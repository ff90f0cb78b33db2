"""Names of lessons, new lessons, learners' copies."""

import pytest

from course_lib.publish import copies, notebook, project, template
from course_lib.publish.build import build
from course_lib.publish.lesson import read_lesson
from course_lib.publish.project import PublishError, UnknownLessonError, find_project, resolve
from tests.publish.samples import LESSON, stored, write_unexecuted

# names, templates, copies


@pytest.mark.parametrize("name", ["4", "04", "paths", "04_paths", "lessons/04_paths.py", "notebooks/04_paths.ipynb"])
def test_a_lesson_has_many_names(name):
    assert resolve([name], ["02_stacking", "04_paths"]) == ["04_paths"]


def test_an_unknown_lesson_is_refused_with_the_known_ones():
    with pytest.raises(UnknownLessonError, match="there is no lesson '7'; known lessons: 02_stacking, 04_paths"):
        resolve(["4", "7"], ["02_stacking", "04_paths"])


def test_two_lessons_with_one_number_are_refused(course):
    (course.lessons / "04_other.py").write_text(LESSON, encoding="utf-8")
    with pytest.raises(PublishError, match=r"lessons/04_other\.py and lessons/04_paths\.py share a number"):
        course.lesson_stems()


def test_the_project_is_found_around_the_package_or_above(course, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (course.root / "deep" / "er").mkdir(parents=True)
    assert find_project(package=course.root / "course_lib", start=elsewhere) == course
    assert find_project(package=elsewhere / "course_lib", start=course.root / "deep" / "er") == course
    with pytest.raises(PublishError, match="no course was found"):
        find_project(package=elsewhere / "course_lib", start=elsewhere)


def test_a_new_lesson_keeps_the_rules(course):
    assert template.new_lesson(course, "slow_clocks") == "05_slow_clocks"
    read_lesson(course.lessons / "05_slow_clocks.py")
    assert template.new_lesson(course, "folds", number=1) == "01_folds"


@pytest.mark.notebook
def test_a_new_lesson_builds(course):
    build(course, template.new_lesson(course, "slow_clocks"))
    assert "[passed]" in (course.solutions / "05_slow_clocks.ipynb").read_text(encoding="utf-8")
    assert "[not yet]" in (course.notebooks / "05_slow_clocks.ipynb").read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "number"), [("other", 4), ("paths", None), ("My-Lesson", None), ("other", 100)])
def test_a_new_lesson_never_overwrites(course, name, number):
    with pytest.raises(PublishError):
        template.new_lesson(course, name, number)
    assert [path.name for path in course.lessons.iterdir()] == ["04_paths.py"]
    assert (course.lessons / "04_paths.py").read_text(encoding="utf-8") == LESSON


@pytest.mark.notebook
def test_my_copies_have_no_outputs_and_are_never_overwritten(built):
    [path] = copies.make_copies(built)
    mine = notebook.read(path)
    assert mine == notebook.learners_copy(stored(built))
    assert all(cell.outputs == [] and cell.execution_count is None for cell in mine.cells if cell.cell_type == "code")
    path.write_text("my work")
    assert copies.make_copies(built) == []
    assert path.read_text() == "my work"


def test_reset_keeps_every_old_copy(course):
    day = copies.datetime.date(2026, 11, 24)
    write_unexecuted(course)
    fresh, backup = copies.reset(course, "04_paths", day)
    assert backup is None
    for work, name in [("one", "04_paths.before-2026-11-24.ipynb"), ("two", "04_paths.before-2026-11-24-2.ipynb")]:
        fresh.write_text(work)
        assert copies.reset(course, "04_paths", day) == (fresh, course.my / name)
        assert (course.my / name).read_text() == work
    assert (course.my / "04_paths.before-2026-11-24.ipynb").read_text() == "one"
    assert notebook.read(fresh).cells


def test_copies_need_notebooks(course):
    with pytest.raises(PublishError, match="notebooks/ holds no lesson; run: course build"):
        copies.make_copies(project.Project(course.root))


@pytest.mark.parametrize("text", ["{", '{"cells": 3, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'])
def test_a_broken_notebook_costs_the_learner_nothing(course, text):
    write_unexecuted(course)
    mine, _ = copies.reset(course, "04_paths")
    mine.write_text("my work")
    (course.notebooks / "04_paths.ipynb").write_text(text)
    with pytest.raises(PublishError, match=r"04_paths.ipynb is no notebook \(.*\); run: course build"):
        copies.reset(course, "04_paths")
    assert [path.name for path in course.my.iterdir()] == ["04_paths.ipynb"]
    assert mine.read_text() == "my work"
