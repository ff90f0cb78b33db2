"""The course's Stack where no compiler is: the same rows by Python and torch's operations."""

from collections.abc import Callable

from course_lib import fast
from course_lib.bench.peers import course_stack
from course_lib.bench.peers.task import Job, Task


def build(task: Task, mode: str) -> Job:
    """The job of the Stack, run without the compiled kernel."""
    job = course_stack.build(task, mode)
    return Job(_in_python(job.run), job.read)


def _in_python(run: Callable[[], object]) -> Callable[[], object]:
    def again() -> object:
        with fast.python_only():
            return run()

    return again
