"""From a lesson to its copies: stubs, solutions, ids, slide roles."""

import re

from course_lib.publish import notebook
from tests.publish.samples import CHECK, LESSON, by_id, lesson_of

# the notebooks


def test_the_reading_copy_has_stubs_and_no_solution(course):
    reading = notebook.reading_copy(lesson_of(course))
    assert by_id(reading)["ex-04-1"].source == (
        'def double(x):\n    """Return twice x."""\n    raise NotImplementedError'
    )
    text = notebook.dumps(reading)
    for secret in ("twice = x", "Adding twice", "Let them vote", "SOLUTION"):
        assert secret not in text


def test_the_solved_copy_has_the_solution_without_markers(course):
    solved = notebook.solved_copy(lesson_of(course))
    assert by_id(solved)["ex-04-1"].source.endswith('x."""\n    twice = x + x\n    return twice')
    text = notebook.dumps(solved)
    assert "Adding twice" in text
    assert "Let them vote" not in text
    assert "SOLUTION" not in text


def test_two_regions_in_a_cell_become_two_stubs(course):
    region = "{0}### BEGIN SOLUTION\n{0}return {1}\n{0}### END SOLUTION\n"
    source = (
        "def f():\n" + region.format("    ", 1) + "class A:\n    def g(self):\n" + region.format(" " * 8, 2) + "x = 3\n"
    )
    lesson = lesson_of(course, '# %% 04.1 · x tags=["exercise"]\n' + source + CHECK)
    assert notebook.reading_copy(lesson).cells[0].source == (
        "def f():\n    raise NotImplementedError\nclass A:\n    def g(self):\n        raise NotImplementedError\nx = 3"
    )
    assert (
        "return 1\nclass A:\n    def g(self):\n        return 2\nx = 3" in notebook.solved_copy(lesson).cells[0].source
    )


def test_ids_are_the_same_in_all_copies_and_survive_an_insertion(course):
    lesson = lesson_of(course)
    reading, solved = notebook.reading_copy(lesson), notebook.solved_copy(lesson)
    assert {"predict-04-1", "ex-04-1", "quiz-04-1"} <= set(by_id(reading))
    assert [i for i in by_id(solved) if i in by_id(reading)] == list(by_id(reading))
    assert list(by_id(notebook.learners_copy(reading))) == list(by_id(reading))
    assert all(re.fullmatch(r"[a-zA-Z0-9-_]{1,64}", cell_id) for cell_id in by_id(solved))

    inserted = LESSON.replace("# %% [markdown]\n# Because.", "# %%\nprint(1)\n\n# %% [markdown]\n# Because.")
    longer = by_id(notebook.reading_copy(lesson_of(course, inserted)))
    assert len(longer) == len(by_id(reading)) + 1
    assert set(by_id(reading)) < set(longer)


def test_equal_cells_get_different_ids(course):
    reading = notebook.reading_copy(lesson_of(course, "# %%\n1\n\n# %%\n1\n\n# %%\n1\n"))
    assert len(by_id(reading)) == 3


def test_slide_roles_follow_from_tags(course):
    solved = by_id(notebook.solved_copy(lesson_of(course)))
    roles = [cell.metadata.slideshow.slide_type for cell in solved.values()]
    assert roles == ["slide", "skip", "fragment", "fragment", "skip", "skip", "skip", "skip", "skip", "skip"]
    both = notebook.reading_copy(lesson_of(course, '# %% tags=["live", "slide"]\n1\n'))
    assert both.cells[0].metadata.slideshow.slide_type == "slide"


def test_metadata_hold_the_kernel_and_nothing_of_jupytext(course):
    reading = notebook.reading_copy(lesson_of(course))
    assert set(reading.metadata) == {"kernelspec", "language_info"}
    assert reading.metadata.kernelspec.name == "python3"
    assert set().union(*(cell.metadata for cell in reading.cells)) == {"slideshow", "tags", "title"}
