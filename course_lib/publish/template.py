"""A new lesson that keeps every rule and builds, ready to be filled."""

import re

from course_lib.publish.project import Project, PublishError

TEMPLATE = '''\
# %% [markdown] tags=["slide"]
# # {number} {title}: what is the question?
#
# *20 minutes.* Afterwards you can define …, compute … and explain …. You need lesson 00 first.

# %% tags=["setup"]
import math

# %% [markdown] tags=["slide"]
# ## A question as a heading
#
# State the common belief fairly. Then turn it in one sentence.

# %% tags=["live"]
print(f"one number {{math.sqrt(2):.3f}}")

# %% [markdown]
# Say why, now that the number is known.

# %% {number}.1 · implement · ●○○ · 5 min tags=["exercise"]
def double(x):
    """Return twice x."""
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION

# %% tags=["check"]
# Replace this by a check from course_lib.checks that names the likely mistake.
try:
    print("[passed]" if double(3) == 6 else "[not yet] double(3) should be 6")
except NotImplementedError:
    print("[not yet] double is still the stub")

# %% [markdown] tags=["notes"]
# For the lecturer: two minutes; let the room vote before running. Notes never reach the notebooks.

# %% [markdown]
# ## The answer
#
# Five sentences with the measured numbers, what this does not show, a quiz, sources.
'''


def new_lesson(project: Project, name: str, number: int | None = None) -> str:
    """Write `lessons/NN_name.py` from the template and return its name; an existing lesson is never touched."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise PublishError(f"name={name!r} is no lesson name; use small letters, digits and _, such as slow_clocks")
    taken = {int(stem[:2]): stem for stem in project.lesson_stems() if stem[:2].isdigit()}
    if number is None:
        number = max(taken, default=-1) + 1
    if not 0 <= number <= 99:
        raise PublishError(f"number={number} is no lesson number; choose one from 0 to 99 with --number")
    if number in taken:
        raise PublishError(f"number {number:02d} is taken by lessons/{taken[number]}.py; choose another with --number")
    if name in {stem[3:] for stem in taken.values()}:
        raise PublishError(f"the name {name!r} is taken; lessons are named by it, so choose another")
    stem = f"{number:02d}_{name}"
    text = TEMPLATE.format(number=f"{number:02d}", title=name.replace("_", " ").capitalize())
    with (project.lessons / f"{stem}.py").open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)
    return stem
