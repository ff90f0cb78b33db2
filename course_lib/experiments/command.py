"""`course experiment list` and `course experiment run NAME`: the plan first, then a line a result."""

import contextlib
from collections.abc import Mapping

from course_lib.experiments import executors, runner
from course_lib.experiments.experiment import Experiment
from course_lib.experiments.runner import RunnerError
from course_lib.experiments.store import StoreError

FAILURES = (StoreError, RunnerError)


def show(experiments: Mapping[str, Experiment]) -> None:
    """Print one line an experiment."""
    print("\n".join(runner.overview(experiments)))


def run(experiment: Experiment, seeds: int, workers: int | None = None, scheduler: str | None = None) -> None:
    """Make what is missing on this machine's cores, or on the workers of a Dask scheduler, and print each result.

    Errors: StoreError for a damaged store, RunnerError if workers die or no scheduler answers, OSError without data.
    """
    print(runner.plan(experiment, seeds), flush=True)
    todo = len(runner.missing(experiment, seeds))
    if not todo:
        return
    workers = min(workers or executors.cores(), todo)
    if scheduler is not None:
        place = executors.cluster(scheduler)
    else:
        place = executors.processes(workers) if workers > 1 else contextlib.nullcontext()
    with place as executor:
        for result in runner.run(experiment, seeds, executor):
            print(f"{result.setting} seed {result.seed}: {result.seconds:.1f} s", flush=True)
