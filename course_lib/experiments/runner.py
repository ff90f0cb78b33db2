"""Run an experiment's settings over seeds, keep each result at once, repeat nothing that is stored."""

import time
from collections.abc import Iterator, Mapping

from tqdm import tqdm

from course_lib.experiments import store
from course_lib.experiments.experiment import Experiment, Setting
from course_lib.experiments.store import Result
from course_lib.training import is_quiet


def missing(experiment: Experiment, seeds: int) -> list[tuple[Setting, int]]:
    """The runs that the store lacks, cheapest first as listed, seed by seed."""
    done = [(each.setting, each.seed) for each in store.known(experiment.name)]
    wanted = ((setting, seed) for seed in range(seeds) for setting in experiment.settings)
    return [run for run in wanted if (dict(run[0]), run[1]) not in done]


def run(experiment: Experiment, seeds: int = 5) -> Iterator[Result]:
    """Make every missing run and yield its result; what was finished before a kill stays."""
    todo = missing(experiment, seeds)
    for setting, seed in tqdm(todo, desc=experiment.name, unit="run", disable=is_quiet() or not todo):
        started = time.process_time()
        metrics = experiment.run(setting, seed)
        yield store.append(experiment, setting, seed, metrics, time.process_time() - started)


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
        yield f"{experiment.name:14} {len(stored):4} runs {seconds:6.0f} s  {experiment.question}"


def _seconds(experiment: Experiment) -> dict[str, float]:
    """The longest stored run of each setting."""
    seconds: dict[str, float] = {}
    for each in store.known(experiment.name):
        seconds[str(each.setting)] = max(each.seconds, seconds.get(str(each.setting), 0.0))
    return seconds
