"""Which lessons are read, and which are refused in one sentence?"""

import re

import pytest

from course_lib.publish.lesson import LessonError
from tests.publish.samples import CHECK, EXERCISE, lesson_of

# the lesson and its rules


def test_titles_tags_and_lines_are_read(course):
    cells = lesson_of(course).cells
    assert [cell.id for cell in cells if cell.id] == ["p04.1", "04.1", "q04.1"]
    assert cells[5].title == "04.1 · implement · ●○○ · 5 min"
    assert cells[5].tags == ("exercise",)
    assert cells[5].line == 20
    assert cells[-1].kind == "markdown"
    assert cells[-1].title == "q04.1 · a quiz"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('# %% tags=["exercize"]\n1\n', "line 1, cell '1': the tag 'exercize' is unknown"),
        ('# %% tags="live"\n1\n', "a header cannot be read"),
        ('# %% p04.1 · if a = b tags=["predict"]\n1\n', "the header also says"),
        ('# %% [markdown] slideshow={"slide_type": "slide"}\n# x\n', "the header also says slideshow"),
        ("import os\n\n# %%\n1\n", "nothing may stand before the first header"),
        ('# %%\nx = """\n# %% inside\n"""\n', "no line inside a string may start with # %%"),
        ("# %% [raw]\n# x\n", "a raw cell"),
        ("# %%\n\n# %%\n1\n", "the cell is empty"),
        ("", "the lesson has no cells"),
        (EXERCISE + CHECK + "# %% 04.1 · again\n1\n", "the id 04.1 is taken by line 1"),
        ("# %% [markdown] q04.1 · a\n# x\n# %% [markdown] q04.1 · b\n# x\n", "the id q04.1 is taken by line 1"),
        ('# %% p03.1 · x tags=["predict"]\n1\n', "the id p03.1 belongs to lesson 03, not to 04"),
        ("# %% 4.1 · x\n1\n", "the id '4.1' is malformed"),
        ("# %% 04.1: x\n1\n", "the id '04.1:' is malformed"),
        ('# %% tags=["predict"]\n1\n', "a prediction's title starts with its id"),
        (EXERCISE.replace("04.1 · x ", "") + CHECK, "an exercise's title starts with its id"),
        (EXERCISE.replace("### END SOLUTION\n", "") + CHECK, "'### BEGIN SOLUTION' without its partner"),
        (EXERCISE.replace("### BEGIN SOLUTION\n", "") + CHECK, "'### END SOLUTION' without its partner"),
        (EXERCISE.replace("1\n", "### BEGIN SOLUTION\n") + CHECK, "'### BEGIN SOLUTION' without its partner"),
        (EXERCISE.replace("### BEGIN", "## Begin") + CHECK, "'## Begin SOLUTION' is no marker"),
        ("# %%\n### BEGIN SOLUTION\n1\n### END SOLUTION\n", "a solution region outside an exercise"),
        ('# %% 04.1 · x tags=["exercise"]\n1\n' + CHECK, "an exercise without a solution"),
        ('# %% [markdown] 04.1 · x tags=["exercise"]\n# x\n' + CHECK, "an exercise is a code cell"),
        (EXERCISE, "no check follows"),
        (EXERCISE + EXERCISE.replace("04.1", "04.2") + CHECK, "line 1, cell '04.1 · x': no check follows"),
    ],
)
def test_a_broken_rule_is_refused_in_one_sentence(course, text, words):
    with pytest.raises(LessonError, match=re.escape(words)) as caught:
        lesson_of(course, text)
    assert str(caught.value).startswith("04_paths.py")
    assert "\n" not in str(caught.value)


def test_a_file_name_without_number_is_refused(course):
    with pytest.raises(LessonError, match=r"Paths\.py: a lesson's file is named NN_name\.py"):
        lesson_of(course, name="Paths.py")
