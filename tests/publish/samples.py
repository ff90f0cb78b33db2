"""A lesson with every kind of cell, shared by the tests of the build."""

from course_lib.publish import notebook
from course_lib.publish.lesson import read_lesson

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
EXERCISE = '# %% 04.1 · x tags=["exercise"]\n### BEGIN SOLUTION\n1\n### END SOLUTION\n'
CHECK = '# %% tags=["check"]\n1\n'


def lesson_of(course, text=LESSON, name="04_paths.py"):
    (course.lessons / name).write_text(text, encoding="utf-8")
    return read_lesson(course.lessons / name)


def by_id(node):
    return {cell.id: cell for cell in node.cells}


def stored(built, solved=False):
    return notebook.read((built.solutions if solved else built.notebooks) / "04_paths.ipynb")


def write_unexecuted(course):
    """Both notebooks as the lesson says, without a kernel."""
    lesson = read_lesson(course.lessons / "04_paths.py")
    notebook.write(course.notebooks / "04_paths.ipynb", notebook.dumps(notebook.reading_copy(lesson)))
    notebook.write(course.solutions / "04_paths.ipynb", notebook.dumps(notebook.solved_copy(lesson)))
