"""Run an experiment's settings over seeds, keep each result at once, repeat nothing that is stored."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, Executor, Future, as_completed
from concurrent.futures.process import BrokenProcessPool

from tqdm import tqdm

from course_lib.experiments import store
from course_lib.experiments.experiment import Experiment, Metrics, Setting
from course_lib.experiments.store import Result
from course_lib.training import is_quiet

_ALONE = threading.Lock()  # a run sets torch's random state and dtype, which belong to the whole process

Job = tuple[Setting, tuple[int, ...]]


class RunnerError(RuntimeError):
    """The runs cannot go on; the message is one sentence, and what was finished is stored."""


def missing(experiment: Experiment, seeds: int) -> list[tuple[Setting, int]]:
    """The runs that the store lacks, seed by seed, in the order of the settings."""
    done = [(each.setting, each.seed) for each in store.known(experiment.name)]
    wanted = ((setting, seed) for seed in range(seeds) for setting in experiment.settings)
    return [run for run in wanted if (dict(run[0]), run[1]) not in done]


def run(experiment: Experiment, seeds: int = 5, executor: Executor | None = None) -> Iterator[Result]:
    """Make every missing run and yield its result; what was finished before a kill stays.

    ``executor`` is any of ``concurrent.futures``, or a Dask client's: the runs are made there, and stored here as they
    come back. Without one they are made here, one after another.
    Errors: RunnerError if the executor's workers die; what a run raises.
    """
    jobs = _jobs(experiment, missing(experiment, seeds))
    total = sum(len(own) for _, own in jobs)
    with tqdm(total=total, desc=experiment.name, unit="run", disable=is_quiet() or not total) as bar:
        for (setting, own), made in _finished(experiment, jobs, executor):
            for seed, (metrics, seconds) in zip(own, made, strict=True):
                yield store.append(experiment, setting, seed, metrics, seconds)
                bar.update()


def _jobs(experiment: Experiment, runs: Sequence[tuple[Setting, int]]) -> list[Job]:
    """What is done in one go: a run, or where the experiment trains its seeds together all seeds of a setting."""
    if experiment.run_seeds is None:
        return [(setting, (seed,)) for setting, seed in runs]
    wanted = [(setting, tuple(seed for each, seed in runs if each == setting)) for setting in experiment.settings]
    return [job for job in wanted if job[1]]


def _finished(
    experiment: Experiment, jobs: Sequence[Job], executor: Executor | None
) -> Iterator[tuple[Job, list[tuple[Metrics, float]]]]:
    """Every job with what it measured, as it is done."""
    if executor is None:
        for setting, own in jobs:
            stored = [each.seed for each in store.known(experiment.name) if each.setting == dict(setting)]
            if left := tuple(seed for seed in own if seed not in stored):  # another runner may have made them
                yield (setting, left), measure(experiment, setting, left)
        return
    sent = _address(experiment)
    futures: dict[Future, Job] = {executor.submit(measure, sent, *job): job for job in jobs}
    try:
        for future in as_completed(futures):
            yield futures[future], future.result()
    except (BrokenProcessPool, CancelledError) as error:
        raise _lost(experiment) from error
    except Exception as error:
        if type(error).__name__ == "KilledWorker":  # Dask's, which need not be installed
            raise _lost(experiment) from error
        raise
    finally:
        for future in futures:
            future.cancel()


def _lost(experiment: Experiment) -> RunnerError:
    return RunnerError(
        f"{experiment.name}: a worker died or was closed, perhaps for want of memory; what was finished is stored, so "
        "the same command goes on from there"
    )


def measure(experiment: Experiment | str, setting: Setting, seeds: Sequence[int]) -> list[tuple[Metrics, float]]:
    """The metrics of each seed and its share of the CPU time, in seconds."""
    if isinstance(experiment, str):
        from course_lib.experiments import EXPERIMENTS  # which imports this module

        experiment = EXPERIMENTS[experiment]
    with _ALONE:
        started = time.thread_time()
        if experiment.run_seeds is None:
            made = [experiment.run(setting, seed) for seed in seeds]
        else:
            made = experiment.run_seeds(setting, seeds)
        seconds = (time.thread_time() - started) / len(seeds)
    return [(metrics, seconds) for metrics in made]


def _address(experiment: Experiment) -> Experiment | str:
    """What is sent to another process: the name of a known experiment, which the process looks up in its own code."""
    from course_lib.experiments import EXPERIMENTS

    return experiment.name if EXPERIMENTS.get(experiment.name) is experiment else experiment


def plan(experiment: Experiment, seeds: int) -> str:
    """How many runs are to be made and, measured on the stored ones, how long they take; in one sentence."""
    todo, seconds = missing(experiment, seeds), _seconds(experiment)
    if not todo:
        return f"{experiment.name}: all {seeds} seeds of {len(experiment.settings)} settings are stored"
    if not seconds:
        return f"{experiment.name}: {len(todo)} runs, none measured so far"
    total = sum(seconds.get(str(dict(setting)), max(seconds.values())) for setting, _ in todo)
    return f"{experiment.name}: {len(todo)} runs, about {total:.0f} s on one core"


def overview(experiments: Mapping[str, Experiment]) -> Iterator[str]:
    """One line an experiment: its name, how much is stored and what that took, and its question."""
    for experiment in experiments.values():
        stored = store.known(experiment.name)
        seconds = sum(each.seconds for each in stored)
        yield f"{experiment.name:18} {len(stored):4} runs {seconds:6.0f} s  {experiment.question}"


def _seconds(experiment: Experiment) -> dict[str, float]:
    """The longest stored run of each setting."""
    seconds: dict[str, float] = {}
    for each in store.known(experiment.name):
        seconds[str(each.setting)] = max(each.seconds, seconds.get(str(each.setting), 0.0))
    return seconds
