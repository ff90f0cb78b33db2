"""What each step from the plain loop to the compiled kernel won, and where the time goes on each rung."""

from collections.abc import Callable, Mapping
from pathlib import Path

from torch.profiler import ProfilerActivity, profile

from course_lib.bench import agreement, provenance
from course_lib.bench.alone import alone
from course_lib.bench.peers import BASE, CANDIDATES, PYTHON, STACK, Candidate
from course_lib.bench.peers.task import Job, Task, make_task
from course_lib.bench.report import write
from course_lib.bench.rounds import Spread, interleave, spread
from course_lib.bench.shapes import CELLS, SHAPES, Shape
from course_lib.bench.tables import number, percent

SHAPE, ROUNDS = SHAPES["middle"], 20
RUNGS = {
    "the loop": CANDIDATES["loop"],
    "inputs at once": Candidate("inputs at once", "hoisted_loop"),
    "backward by hand": CANDIDATES[PYTHON],
    "compiled": CANDIDATES[STACK],
}
GROUPS = {
    "products": ("aten::mm", "aten::addmm", "aten::addmm_", "mkldnn::"),
    "moving": ("aten::copy_", "aten::cat", "aten::fill_", "aten::add_", "aten::sum", "aten::zero_"),
}
MARKS = ("<!-- measured by `course bench --ladder`: everything up to the end mark is overwritten -->", "<!-- end -->")


def times(cell: str, shape: Shape = SHAPE, rounds: int = ROUNDS) -> dict[str, Spread]:
    """Seconds of one training step on every rung and of torch.nn, in turn, once all give the same numbers."""
    jobs = {name: job.run for name, job in _jobs(make_task(cell, shape)).items()}
    return {name: spread(list(each.values())) for name, each in interleave(jobs, rounds, always=jobs).items()}


def shares(cell: str, shape: Shape = SHAPE) -> dict[str, dict[str, float]]:
    """On every rung: how many operations one training step calls, and the part of its time by group of operations."""
    found = {}
    for name, job in _jobs(make_task(cell, shape)).items():
        job.run()
        with profile(activities=[ProfilerActivity.CPU]) as seen:
            job.run()
        found[name] = _grouped({each.key: (each.self_cpu_time_total, each.count) for each in seen.key_averages()})
    return found


def _jobs(task: Task) -> dict[str, Job]:
    jobs = {}
    for name, candidate in {BASE: CANDIDATES[BASE], **RUNGS}.items():
        jobs[name] = candidate.build(task, "training")
        agreement.check(jobs[name], agreement.expected(task, "training", candidate.residual))
    return jobs


def _grouped(events: Mapping[str, tuple[float, int]]) -> dict[str, float]:
    total = sum(time for time, _ in events.values())
    found = {"operations": float(sum(count for name, (_, count) in events.items() if "::" in name))}
    for group, names in GROUPS.items():
        found[group] = sum(time for name, (time, _) in events.items() if name.startswith(names)) / total
    return found


def tables(shape: Shape = SHAPE, rounds: int = ROUNDS, tell: Callable[[str], None] = lambda what: None) -> str:
    """Both tables in Markdown, and on what they were measured."""
    lines = [f"| training, {shape} | {BASE} ms | {' | '.join(f'{name} ms' for name in RUNGS)} | loop / last |"]
    lines.append("|---" * (len(RUNGS) + 3) + "|")
    with alone():
        for cell in CELLS:
            tell(f"{cell} {shape}")
            found = times(cell, shape, rounds)
            told = [number(1000 * found[name].median) for name in (BASE, *RUNGS)]
            won = number(found["the loop"].median / found["compiled"].median)
            lines.append(f"| {cell} | {' | '.join(told)} | {won} |")
        lines += [
            "",
            "| GRU: one training step | operations called | % in products | % moving numbers |",
            "|---|---|---|---|",
        ]
        for name, each in shares("GRU", shape).items():
            told = [f"{each['operations']:.0f}", *(percent(each[group]) for group in GROUPS)]
            lines.append(f"| {name} | {' | '.join(told)} |")
    machine, versions = provenance.machine(), provenance.versions([])
    where = f"{machine['processor']}, one thread, CPU time, {rounds} rounds in turn; torch {versions['torch']}"
    return "\n".join([*lines, "", f"Measured on {where}, engine {versions['engine']}."])


def update(path: Path, measured: str) -> None:
    """Put the tables between the marks of a page. Errors: ValueError for a page without them."""
    text = path.read_text(encoding="utf-8")
    head, mark, rest = text.partition(MARKS[0])
    _, end, tail = rest.partition(MARKS[1])
    if not (mark and end):
        raise ValueError(f"{path.name} has no place for the tables: it needs the lines {MARKS[0]!r} and {MARKS[1]!r}")
    write(path, f"{head}{mark}\n\n{measured}\n\n{end}{tail}".encode())
