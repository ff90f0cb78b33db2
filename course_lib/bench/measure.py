"""One run: the floor, all cells and shapes by all candidates in turn, the memory, torch's own threads."""

import contextlib
import datetime
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from course_lib.bench import agreement, floor, memory, provenance, threads
from course_lib.bench.alone import alone
from course_lib.bench.peers import BASE, CANDIDATES, PYTHON, STACK, Candidate
from course_lib.bench.peers.task import Job, Task, make_task
from course_lib.bench.report import Memory, Report, Row, Threaded
from course_lib.bench.rounds import Spread, interleave, ratio, spread
from course_lib.bench.shapes import CELLS, LONG, MODES, QUICK, SHAPES

ROUNDS, QUICK_ROUNDS = 20, 5
THREADED_ROUNDS = 9  # at most: threads that wait for a busy core spin, and a round may take seconds


@dataclass(frozen=True)
class Plan:
    """What to measure: cells, names of shapes, rounds, whose memory, and whether with torch's own threads.

    Keras is left out of the memory: its time grows with T squared and more, and the memory's T is long.
    """

    cells: tuple[str, ...] = CELLS
    shapes: tuple[str, ...] = tuple(SHAPES)
    rounds: int = ROUNDS
    memory: tuple[str, ...] = (BASE, STACK, PYTHON, "loop", "JAX")
    threaded: bool = True

    @property
    def whole(self) -> bool:
        """Whether nothing is left out, so that its result may stand for the course."""
        everything = Plan()
        return self.rounds >= everything.rounds and all(
            getattr(self, name) == getattr(everything, name) for name in ("cells", "shapes", "memory", "threaded")
        )


def quick(cells: tuple[str, ...] = CELLS, shapes: tuple[str, ...] = QUICK, rounds: int = QUICK_ROUNDS) -> Plan:
    """A look in less than a minute: three shapes, few rounds, the memory of two candidates, no threads."""
    return Plan(cells, shapes, rounds, (BASE, STACK), threaded=False)


def begin(plan: Plan, candidates: Mapping[str, Candidate] = CANDIDATES) -> Report:
    """A report without numbers: where, when, with what."""
    packages = [package for candidate in candidates.values() for package in candidate.packages]
    return Report(
        machine=provenance.machine(),
        versions=provenance.versions(packages),
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        rounds=plan.rounds,
        missing=[candidate.name for candidate in candidates.values() if candidate.missing()],
    )


def fill(
    report: Report, plan: Plan, tell: Callable[[str], None], candidates: Mapping[str, Candidate] = CANDIDATES
) -> None:
    """Measure, and put each row into the report as soon as it is there: whoever stops this keeps what it has."""
    installed = {name: candidate for name, candidate in candidates.items() if name not in report.missing}
    shapes = [SHAPES[name] for name in plan.shapes]
    with alone():
        report.floor = floor.measure(shapes, plan.cells)
        for shape in shapes:
            for cell in plan.cells:
                for mode in MODES:
                    tell(f"{cell} {mode} {shape}")
                    report.rows.append(row(make_task(cell, shape), mode, plan.rounds, installed, report.floor))
        for cell in plan.cells if plan.memory else ():
            tell(f"{cell} memory {LONG}")
            report.memory.append(remember(cell, [name for name in plan.memory if name in installed]))
    for cell in plan.cells if plan.threaded else ():
        tell(f"{cell} threads {threads.SHAPE}")
        with _problems_in(report, f"{cell} with torch's threads"):
            report.threaded += with_threads(cell, min(plan.rounds, THREADED_ROUNDS))
    report.complete = True


def row(task: Task, mode: str, rounds: int, candidates: Mapping[str, Candidate], best: floor.Floor | None) -> Row:
    """One cell, mode and shape: who agrees is timed, who does not is named with the reason."""
    jobs, problems = jobs_of(task, mode, candidates)
    samples = interleave({name: job.run for name, job in jobs.items()}, rounds, always=(BASE, STACK, PYTHON))
    seconds = {name: spread(list(each.values())) for name, each in samples.items()}
    speed = {name: ratio(samples[BASE], each) for name, each in samples.items() if BASE in samples}
    which = (task.cell, task.shape, mode)
    return Row(
        *(task.cell, mode, task.shape, seconds, speed),
        of_peak={name: best.share_of_peak(*which, each.median) for name, each in seconds.items()} if best else {},
        of_floor={name: best.seconds(*which) / each.median for name, each in seconds.items()} if best else {},
        problems=problems,
    )


def jobs_of(task: Task, mode: str, candidates: Mapping[str, Candidate]) -> tuple[dict[str, Job], dict[str, str]]:
    """The jobs of the candidates that compute the same numbers, and what is wrong with the others."""
    wanted = {residual: agreement.expected(task, mode, residual) for residual in (False, True)}
    jobs, problems = {}, {}
    for name, candidate in candidates.items():
        if mode not in candidate.modes:
            continue
        try:
            job = candidate.build(task, mode)
            agreement.check(job, wanted[candidate.residual])
            jobs[name] = job
        except Exception as error:  # a peer's own trouble must not end the run
            problems[name] = " ".join(f"{type(error).__name__}: {error}".split())[:200]
    return jobs, problems


def remember(cell: str, names: list[str]) -> Memory:
    """The memory of one training step by candidate."""
    found = Memory(cell, LONG)
    for name in names:
        try:
            found.bytes[name] = memory.measure(cell, name, LONG)
        except (RuntimeError, OSError, memory.subprocess.SubprocessError) as error:
            found.problems[name] = str(error)[:200]
    return found


def with_threads(cell: str, rounds: int) -> list[Threaded]:
    """Both modes of a cell at torch's own number of threads."""
    told = threads.measure(cell, rounds)
    found = []
    for mode in MODES:
        seconds = {name: Spread(*each) for name, each in told[mode]["seconds"].items()}
        found.append(Threaded(cell, mode, threads.SHAPE, told["threads"], seconds, Spread(*told[mode]["speed"])))
    return found


@contextlib.contextmanager
def _problems_in(report: Report, what: str) -> Iterator[None]:
    try:
        yield
    except (RuntimeError, OSError, threads.subprocess.SubprocessError) as error:
        report.problems.append(f"{what}: {str(error)[:200]}")
