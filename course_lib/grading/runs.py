"""Judge every hand-in that was not judged yet; each outcome is in the journal before the grade book hears of it."""

import copy
import datetime
import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, as_completed
from dataclasses import dataclass
from pathlib import Path

import numpy
from tqdm import tqdm

from course_lib.experiments.runner import RunnerError
from course_lib.grading import book, journal, sets
from course_lib.grading.course_folder import BookError
from course_lib.grading.journal import Entry, JournalError
from course_lib.grading.limits import Limits
from course_lib.grading.outcome import Outcome
from course_lib.grading.variant import student_rng
from course_lib.training import is_quiet
from course_lib.version import __version__

ATTEMPTS = 2  # an error of ours may be a full disk or a busy machine

Cells = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Judging:
    """How to judge: the class secret, where the problem sets are, the box's limits (None: its own), and by what."""

    secret: bytes
    instructor: Path = sets.INSTRUCTOR
    limits: Limits | None = None
    grade: Callable[..., Outcome] | None = None  # None: the judge with its box


@dataclass(frozen=True)
class Job:
    """A hand-in with all that a worker needs to judge it; the class secret stays behind."""

    assignment: str
    student: str
    hand_in: str
    nonce: str
    cells: Cells
    variant: Mapping[str, object]
    rng: numpy.random.Generator
    instructor: Path
    limits: Limits | None
    grade: Callable[..., Outcome] | None


@dataclass(frozen=True)
class Step:
    """A student's entry in the journal, and what kept it out of the grade book, if anything did."""

    entry: Entry
    trouble: str = ""


def handed_in(folder: Path, assignment: str) -> list[str]:
    """The students of whom something is to be judged."""
    return sorted(path.parent.parent.name for path in folder.glob(f"submitted/*/{assignment}/{assignment}.ipynb"))


def missing(folder: Path, assignment: str, student: str | None = None) -> list[str]:
    """The students whose hand-in was never judged, or ended in an error of ours; ``student``: that one alone."""
    standing = journal.standing(folder, assignment)
    done = [name for name, entry in standing.items() if entry.outcome.status in journal.JUDGED]
    return [each for each in handed_in(folder, assignment) if each not in done and student in (None, each)]


def run(
    folder: Path,
    assignment: str,
    judging: Judging,
    student: str | None = None,
    executor: Executor | None = None,
    again: bool = False,
) -> Iterator[Step]:
    """Bring the grade book up to date with the journal, then judge what is missing; yield each student that it did.

    ``executor`` is as for ``experiments.runner.run``. After a kill the same call goes on; when all is done it does
    nothing, unless it is to judge a student ``again``: the new judgement replaces the old one.
    Errors: RunnerError if workers die, JournalError for a damaged journal or while another run judges, ValueError for
    all students again.
    """
    if again and student is None:
        raise ValueError("again is True and student is None; name the one student who is to be judged again")
    with journal.alone(folder, assignment):
        yield from _catch_up(folder, assignment, student)
        todo = [student] if again else missing(folder, assignment, student)
        with tqdm(total=len(todo), desc=assignment, unit="student", disable=is_quiet() or not todo) as bar:
            for entry in _judged(folder, assignment, judging, todo, executor):
                yield _enter(folder, assignment, journal.append(folder, assignment, entry))
                bar.update()


def _catch_up(folder: Path, assignment: str, student: str | None) -> Iterator[Step]:
    """Enter what a run that was killed had judged and not yet entered."""
    entered = book.entered(folder, assignment)
    for name, entry in journal.standing(folder, assignment).items():
        if name not in entered and student in (None, name) and entry.outcome.status in journal.JUDGED:
            yield _enter(folder, assignment, entry)


def _enter(folder: Path, assignment: str, entry: Entry) -> Step:
    if entry.outcome.status not in journal.JUDGED:
        return Step(entry)
    try:
        book.enter(folder, assignment, entry.student)
    except (BookError, JournalError) as error:
        return Step(entry, str(error))
    return Step(entry)


def _judged(
    folder: Path, assignment: str, judging: Judging, students: Sequence[str], executor: Executor | None
) -> Iterator[Entry]:
    """An entry for each student, as they are done; a hand-in that cannot be read is an error of ours."""
    jobs = []
    for student in students:
        try:
            jobs.append(_job(folder, assignment, judging, student))
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            digest = journal.hand_in(folder, assignment, student) or ""
            yield _entry(student, digest, "", _ours(error))
    for job, outcome in _finished(jobs, executor):
        yield _entry(job.student, job.hand_in, job.nonce, outcome)


def _job(folder: Path, assignment: str, judging: Judging, student: str) -> Job:
    submitted = folder / "submitted" / student / assignment
    nonce = secrets.token_hex(8)
    return Job(
        assignment=assignment,
        student=student,
        hand_in=journal.hand_in(folder, assignment, student) or "",
        nonce=nonce,
        cells=_cells(json.loads((submitted / f"{assignment}.ipynb").read_text(encoding="utf-8"))),
        variant=json.loads((submitted / "variant.json").read_text(encoding="utf-8")),
        rng=student_rng(judging.secret, student, f"judge/{assignment}/{nonce}"),
        instructor=judging.instructor,
        limits=judging.limits,
        grade=judging.grade,
    )


def _cells(notebook: Mapping) -> Cells:
    """Id and source of every code cell that is no check cell."""
    found = []
    for number, cell in enumerate(notebook["cells"]):
        about = cell["metadata"].get("nbgrader", {})
        if cell["cell_type"] == "code" and not about.get("grade"):
            source = cell["source"]
            text = source if isinstance(source, str) else "".join(source)
            found.append((about.get("grade_id") or f"cell {number}", text))
    return found


def _finished(jobs: Sequence[Job], executor: Executor | None) -> Iterator[tuple[Job, Outcome]]:
    if executor is None:
        yield from ((job, judge(job)) for job in jobs)
        return
    futures: dict[Future, Job] = {executor.submit(judge, job): job for job in jobs}
    try:
        for future in as_completed(futures):
            yield futures[future], _result(future)
    except BrokenExecutor as error:
        raise RunnerError(
            "a worker process died, perhaps for want of memory; what was finished is in the journal, so the same "
            "command goes on from there"
        ) from error
    finally:
        for future in futures:
            future.cancel()


def _result(future: Future) -> Outcome:
    try:
        return future.result()
    except BrokenExecutor:
        raise
    except Exception as error:  # a worker of a cluster that died or lacks the course: one student's, not the batch's
        return _ours(error)


def judge(job: Job) -> Outcome:
    """What the judge says, at the second attempt where the first one failed; whatever fails is an error of ours."""
    for _ in range(ATTEMPTS):
        try:
            outcome = _judge(job)
        except Exception as error:  # whatever it is, the others' hand-ins must be judged
            outcome = _ours(error)
        if outcome.status != "internal error":
            break
    return outcome


def _judge(job: Job) -> Outcome:
    grade = job.grade
    if grade is None:
        from course_lib.grading.judge import grade  # a box needs Linux; what is read from a journal does not

    problems, limits = sets.load(job.assignment, job.instructor), job.limits
    limits = Limits() if limits is None else limits
    return grade(job.cells, problems, dict(job.variant), copy.deepcopy(job.rng), limits)


def _ours(error: Exception) -> Outcome:
    return Outcome("internal error", reason=f"{type(error).__name__}: {error}")


def _entry(student: str, hand_in: str, nonce: str, outcome: Outcome) -> Entry:
    date = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return Entry(student, hand_in, nonce, outcome, __version__, date)
