"""Where does this number come from? Results as JSON lines beside the code, each with its provenance."""

import contextlib
import datetime
import json
import math
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

import torch

from course_lib.experiments.experiment import Experiment, Metrics, Number, Setting
from course_lib.experiments.spread import Spread
from course_lib.version import __version__

FOLDER = Path(__file__).with_name("results")


class StoreError(ValueError):
    """The store cannot answer, or a file of it is damaged; the message is one sentence."""


@dataclass(frozen=True)
class Result:
    """One run: what was measured, with which setting and seed, by which code, where, when and for how long."""

    experiment: str
    setting: dict[str, object]
    seed: int
    metrics: Metrics
    version: str  # of course_lib
    torch: str
    device: str
    threads: int
    seconds: float  # CPU time
    date: str


def file(experiment: str) -> Path:
    """The file of an experiment's results."""
    return FOLDER / f"{experiment}.jsonl"


def load(experiment: str) -> list[Result]:
    """All stored results of an experiment, in the order in which they were made.

    Errors: StoreError for an experiment without results, a line that is no result, or a run that stands there twice.
    """
    path = file(experiment)
    if not path.is_file():
        raise StoreError(f"experiment {experiment!r} has no results; run: {command(experiment)}")
    return _parse(path, _whole(path.read_bytes()))


def _parse(path: Path, lines: bytes) -> list[Result]:
    results: list[Result] = []
    for number, line in enumerate(lines.splitlines(), start=1):
        try:
            result = Result(**json.loads(line))
            _check(result)
        except (TypeError, ValueError) as error:  # bytes that are no text, text that is no JSON, JSON of another form
            raise StoreError(f"{path.name}, line {number}, is no result: {error}; delete the line") from error
        if any((result.setting, result.seed) == (each.setting, each.seed) for each in results):
            raise StoreError(f"{path.name}, line {number}, repeats {result.setting} seed {result.seed}; delete one")
        results.append(result)
    return results


def _check(result: Result) -> None:
    """Errors: TypeError if a field is of another kind than its own."""
    kinds = {"setting": dict, "metrics": dict, "seed": int, "seconds": int | float}
    for name, kind in kinds.items():
        if not isinstance(getattr(result, name), kind):
            raise TypeError(f"{name} is {getattr(result, name)!r}")


def known(experiment: str) -> list[Result]:
    """The same as ``load``, with an empty list for an experiment without results."""
    return load(experiment) if file(experiment).is_file() else []


def _whole(text: bytes) -> bytes:
    """The lines that were written to their end: a run that was killed may leave half a line behind.

    A last line that only lacks its end, as some editors leave it, is whole.
    """
    last = text[text.rfind(b"\n") + 1 :]
    try:
        Result(**json.loads(last))
    except (TypeError, ValueError):
        return text[: len(text) - len(last)]
    return text + b"\n"


def values(experiment: str, metric: str, **setting: object) -> list:
    """One number, or list of numbers, a seed, in the order of the seeds; ``setting`` has to name one row.

    Errors: StoreError if no stored row fits, if several do, or if none of them measured the metric.
    """
    fitting = [each for each in load(experiment) if setting.items() <= each.setting.items()]
    rows = {json.dumps(each.setting, sort_keys=True): each.setting for each in fitting}
    if len(rows) != 1:
        stored = rows or {str(each.setting): each.setting for each in load(experiment)}
        raise StoreError(
            f"{experiment}: {len(rows)} stored settings fit {setting}, one must; stored are {list(stored.values())}"
        )
    if missing := [each.seed for each in fitting if metric not in each.metrics]:
        raise StoreError(
            f"{experiment}: seed {missing[0]} did not measure {metric!r}; it has {', '.join(fitting[0].metrics)}"
        )
    return [each.metrics[metric] for each in sorted(fitting, key=lambda each: each.seed)]


def spread(experiment: str, metric: str, at: int | None = None, **setting: object) -> Spread:
    """The stored numbers of one row over its seeds; ``at`` picks an element where the metric is a list."""
    found = values(experiment, metric, **setting)
    return Spread(tuple(found if at is None else (each[at] for each in found)))


def command(experiment: str, seeds: int = 5) -> str:
    """The command that makes an experiment's results."""
    return f"course experiment run {experiment} --seeds {seeds}"


def append(experiment: Experiment, setting: Setting, seed: int, metrics: Metrics, seconds: float) -> Result:
    """Add one run to the experiment's file, whole or not at all; what stands there already stays and is given back.

    Several runners may append at once.
    Errors: ValueError for a metric that is no number or list of numbers; a failed run may store ``math.nan``.
    """
    check_metrics(experiment.name, metrics)
    result = Result(
        experiment=experiment.name,
        setting=dict(setting),
        seed=seed,
        metrics=metrics,
        version=__version__,
        torch=torch.__version__.partition("+")[0],
        device="cpu",
        threads=1,
        seconds=round(seconds, 2),
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
    )
    FOLDER.mkdir(exist_ok=True)
    path = file(experiment.name)
    with open(path, "a+b") as stream, _alone(stream):
        stream.seek(0)
        kept = _whole(stream.read())
        for each in _parse(path, kept):
            if (each.setting, each.seed) == (result.setting, result.seed):
                return each
        stream.seek(0, os.SEEK_END)
        if stream.tell() < len(kept):
            stream.write(b"\n")  # which the last line lacked
        stream.truncate(len(kept))
        stream.write((json.dumps(asdict(result)) + "\n").encode())
        stream.flush()
        os.fsync(stream.fileno())
    return result


@contextlib.contextmanager
def _alone(stream: BinaryIO) -> Iterator[None]:
    """Hold the file: another runner waits. The system lets go when this process ends, however it ends."""
    if os.name == "nt":
        import msvcrt

        stream.seek(0)
        msvcrt.locking(stream.fileno(), msvcrt.LK_LOCK, 1)
    else:
        import fcntl

        fcntl.flock(stream, fcntl.LOCK_EX)
    try:
        yield
    finally:
        if os.name == "nt":
            stream.seek(0)
            msvcrt.locking(stream.fileno(), msvcrt.LK_UNLCK, 1)


def check_metrics(name: str, metrics: Metrics) -> None:
    """Only numbers and lists of numbers can be stored and compared."""
    for metric, value in metrics.items():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, bool) or not isinstance(each, int | float):
                raise ValueError(f"experiment {name}: {metric} must be a number or a list of numbers, got {value!r}")


def agree(stored: Metrics, again: Metrics, tolerance: float = 1e-6) -> bool:
    """Whether two runs measured the same, to a relative tolerance; NaN agrees with NaN."""
    return stored.keys() == again.keys() and all(_close(stored[each], again[each], tolerance) for each in stored)


def _close(one: Number | list[Number], other: Number | list[Number], tolerance: float) -> bool:
    if isinstance(one, list) is not isinstance(other, list):
        return False
    if isinstance(one, list):
        return len(one) == len(other) and all(_close(a, b, tolerance) for a, b in zip(one, other))
    return (math.isnan(one) and math.isnan(other)) or math.isclose(one, other, rel_tol=tolerance, abs_tol=1e-12)
