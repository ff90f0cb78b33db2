"""Lessons and processes for the tests of the command `course`."""

import os
import subprocess
import sys
import time

GOOD = "# %% [markdown]\n# # A lesson\n\n# %%\nprint(1)\n"
BAD = "# %%\nprint(1)\n\n# %% 02.1 · divide\nx = 1\n1 / 0\n"
SLOW = """\
# %%
import os, time
with open("{mark}.new", "w") as mark:
    mark.write(str(os.getpid()))
os.rename("{mark}.new", "{mark}")
time.sleep(60)
"""


def environment(course, **more):
    """Nothing of the user's Jupyter, and the package of the course."""
    hidden = ("PYTEST_", "JUPYTER", "COURSE_", "PYTHONPATH")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    home = str(course.root / "home")
    return kept | {"HOME": home, "JUPYTER_RUNTIME_DIR": home, "PYTHONPATH": str(course.root)} | more


def command(course, *words, before=""):
    """`course` in a process of its own, after some lines of Python."""
    code = f"import sys\n{before}\nfrom course_lib.cli import main\nsys.exit(main(sys.argv[1:]))"
    return [sys.executable, "-c", code, *words]


def course_process(course, *words, before=""):
    return subprocess.run(
        command(course, *words, before=before),
        cwd=course.root,
        env=environment(course),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def until(condition, patience=30):
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)
