"""Where do the committed notebooks differ from their lessons?"""

import json
import re

import pytest

from course_lib.publish.build import differences
from tests.publish.samples import LESSON, lesson_of, write_unexecuted

# the check


@pytest.mark.notebook
def test_the_check_passes_after_a_build(built):
    assert differences(built) == []


def edited(course, change):
    write_unexecuted(course)
    assert differences(course) == []
    path = course.notebooks / "04_paths.ipynb"
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")
    return differences(course)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c["cells"][1]["source"].append("x"), "the source of cell [0-9a-f]{12} differs"),
        (lambda c: c["cells"][5]["metadata"].pop("tags"), "the metadata of cell ex-04-1 differs"),
        (lambda c: c["cells"].insert(2, c["cells"].pop(1)), "its cells stand in another order"),
        (lambda c: c["cells"].pop(5), "cell ex-04-1 of the lesson is missing"),
        (lambda c: c["cells"][5].update(id="mine"), "cell mine is not in the lesson"),
        (lambda c: c["metadata"]["language_info"].update(version="3"), "its metadata was changed"),
        (lambda c: c.clear(), " is no notebook"),
    ],
)
def test_the_check_finds_an_edit_and_names_the_cure(course, change, words):
    found = edited(course, change)
    assert any(re.search(words, sentence) for sentence in found), found
    assert all(
        sentence.startswith("notebooks/04_paths.ipynb") and sentence.endswith("run: course build 04")
        for sentence in found
    )


def test_the_check_finds_a_changed_lesson_in_both_notebooks(course):
    write_unexecuted(course)
    lesson_of(course, LESSON.replace("Because.", "Therefore."))
    assert {sentence.split(":")[0] for sentence in differences(course)} == {
        "notebooks/04_paths.ipynb",
        "notebooks/solutions/04_paths.ipynb",
    }


def test_the_check_finds_missing_and_orphaned_notebooks(course):
    write_unexecuted(course)
    (course.solutions / "04_paths.ipynb").rename(course.notebooks / "05_lost.ipynb")
    assert differences(course) == [
        "notebooks/solutions/04_paths.ipynb is missing; run: course build 04",
        "notebooks/05_lost.ipynb has no lesson lessons/05_lost.py; delete it or write its lesson",
    ]


def test_the_check_reports_a_broken_lesson(course):
    (course.lessons / "04_paths.py").write_text("# %%\n")
    assert differences(course) == ["04_paths.py, line 1, cell '': the cell is empty; fill it or delete its header"]
