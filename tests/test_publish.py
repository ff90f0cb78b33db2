"""From a lesson to its notebooks: the rules, the copies, the build, the check."""

import json
import os
import re
import sys

import pytest

from course_lib.publish import copies, execute, notebook, project, template
from course_lib.publish.build import build, differences
from course_lib.publish.lesson import LessonError, read_lesson
from course_lib.publish.project import Project, PublishError, UnknownLessonError, find_project, resolve

LESSON = '''\
# %% [markdown] tags=["slide"]
# # 04 A question

# %% tags=["setup"]
import warnings
import matplotlib.pyplot as plt
from IPython.display import display

# %% p04.1 · how large? tags=["predict"]
print("smaller", end=" ", flush=True)
print("or larger")

# %% tags=["live"]
fig, ax = plt.subplots()
ax.plot([1, 3, 2]);

# %% [markdown]
# Because.

# %% 04.1 · implement · ●○○ · 5 min tags=["exercise"]
def double(x):
    """Return twice x."""
    ### BEGIN SOLUTION
    twice = x + x
    return twice
    ### END SOLUTION

# %% tags=["check"]
try:
    print(double(2))
except NotImplementedError:
    print("not yet")

# %% [markdown] tags=["solution"]
# Adding twice is doubling.

# %% tags=["nbval-ignore-output"]
print(id(display))
warnings.warn("slow")

# %% [markdown] tags=["notes"]
# Let them vote.

# %% [markdown] q04.1 · a quiz
# Which one?
'''


@pytest.fixture
def course(tmp_path):
    """A course with one lesson."""
    for folder in ("lessons", "notebooks"):
        (tmp_path / folder).mkdir()
    (tmp_path / "start.py").touch()
    (tmp_path / "lessons" / "04_paths.py").write_text(LESSON, encoding="utf-8")
    return Project(tmp_path)


def lesson_of(course, text=LESSON, name="04_paths.py"):
    (course.lessons / name).write_text(text, encoding="utf-8")
    return read_lesson(course.lessons / name)


def by_id(node):
    return {cell.id: cell for cell in node.cells}


# the lesson and its rules


def test_titles_tags_and_lines_are_read(course):
    cells = lesson_of(course).cells
    assert [cell.id for cell in cells if cell.id] == ["p04.1", "04.1", "q04.1"]
    assert cells[5].title == "04.1 · implement · ●○○ · 5 min"
    assert cells[5].tags == ("exercise",)
    assert cells[5].line == 20
    assert cells[-1].kind == "markdown"
    assert cells[-1].title == "q04.1 · a quiz"


EXERCISE = '# %% 04.1 · x tags=["exercise"]\n### BEGIN SOLUTION\n1\n### END SOLUTION\n'
CHECK = '# %% tags=["check"]\n1\n'


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


# the build


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A course that was built once."""
    root = tmp_path_factory.mktemp("course")
    (root / "lessons").mkdir()
    (root / "lessons" / "04_paths.py").write_text(LESSON, encoding="utf-8")
    build(Project(root), "04_paths")
    return Project(root)


def stored(built, solved=False):
    return notebook.read((built.solutions if solved else built.notebooks) / "04_paths.ipynb")


@pytest.mark.notebook
def test_built_notebooks_are_executed_and_clean(built):
    for solved in (False, True):
        cells = [cell for cell in stored(built, solved).cells if cell.cell_type == "code"]
        assert [cell.execution_count for cell in cells] == [1, 2, 3, 4, 5, 6]
        assert all("execution" not in cell.metadata for cell in cells)
        assert cells[1].outputs == [{"output_type": "stream", "name": "stdout", "text": "smaller or larger\n"}]
        assert "image/png" in cells[2].outputs[0].data
        assert cells[5].outputs == [], "a cell tagged nbval-ignore-output is stored without output"
        assert cells[4].outputs[0].text == ("4\n" if solved else "not yet\n")
        assert stored(built, solved).metadata == notebook.METADATA


@pytest.mark.notebook
def test_building_twice_gives_the_same_bytes(built):
    paths = [built.notebooks / "04_paths.ipynb", built.solutions / "04_paths.ipynb"]
    before = [path.read_bytes() for path in paths]
    products = build(built, "04_paths")
    assert [path.read_bytes() for path in paths] == before
    assert [product.path for product in products] == paths
    assert before[0].endswith(b"}\n")
    assert sorted(path.name for path in built.notebooks.iterdir()) == ["04_paths.ipynb", "solutions"]


def test_text_that_came_in_pieces_is_stored_whole():
    pieces = [notebook.v4.new_output("stream", name="stdout", text=text) for text in "abc"]
    node = notebook.v4.new_notebook(cells=[notebook.v4.new_code_cell("f()", outputs=pieces)])
    execute.tidy(node, "04_paths")
    assert [output.text for output in node.cells[0].outputs] == ["abc"]


@pytest.mark.notebook
def test_the_kernel_is_this_interpreter_with_a_quiet_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.setenv("COURSE_MY", "elsewhere")
    source = (
        "import os, sys\nprint(sys.executable, *[os.environ.get(n) for n in "
        "('COURSE_BUILD', 'PYTHONHASHSEED', 'COURSE_MY', 'MPLBACKEND')], os.listdir())"
    )
    node = notebook.v4.new_notebook(cells=[notebook.v4.new_code_cell(source)])
    execute.execute(node, "x")
    words = node.cells[0].outputs[0].text.split()
    assert os.path.samefile(words[0], sys.executable)
    assert words[1:] == ["1", "0", "None", "module://matplotlib_inline.backend_inline", "[]"]


@pytest.mark.notebook
@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (
            '# %% 04.9 · x tags=["live"]\n\ny = 1\nint("four")',
            r"ex-04-9 \(04\.9 · x\), `y = 1`: ValueError: invalid",
        ),
        ("# %%\nwarnings.warn('old')", r"`warnings.warn\('old'\)`: it writes to stderr"),
        ("# %%\nimport os; os._exit(3)", "the kernel died"),
    ],
)
def test_a_failed_build_names_the_cell_and_leaves_the_old_notebooks(built, course, cell, words):
    old = (built.notebooks / "04_paths.ipynb").read_text(encoding="utf-8")
    (course.notebooks / "04_paths.ipynb").write_text(old, encoding="utf-8")
    lesson_of(course, f"# %%\nimport warnings\n{cell}\n")
    with pytest.raises(execute.CellFailedError, match=r"^notebooks/04_paths\.ipynb, .*" + words) as caught:
        build(course, "04_paths")
    assert "\n" not in str(caught.value)
    assert [path.name for path in course.notebooks.iterdir()] == ["04_paths.ipynb"]
    assert (course.notebooks / "04_paths.ipynb").read_text(encoding="utf-8") == old


@pytest.mark.notebook
def test_a_cell_that_runs_too_long_is_named():
    node = notebook.v4.new_notebook(cells=[notebook.v4.new_code_cell("import time; time.sleep(30)", id="slow")])
    with pytest.raises(execute.CellFailedError, match=r"x, cell slow, .*: the cell ran longer than 1 s"):
        execute.execute(node, "x", timeout=1)


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    (tmp_path / "a").write_text("old")

    def killed(*paths):
        raise KeyboardInterrupt

    monkeypatch.setattr(notebook.os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        notebook.write(tmp_path / "a", "new")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a", "old")]


# the check


def write_unexecuted(course):
    """Both notebooks as the lesson says, without a kernel."""
    lesson = read_lesson(course.lessons / "04_paths.py")
    notebook.write(course.notebooks / "04_paths.ipynb", notebook.dumps(notebook.reading_copy(lesson)))
    notebook.write(course.solutions / "04_paths.ipynb", notebook.dumps(notebook.solved_copy(lesson)))


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
