"""What one run found: rows of medians and ratios, kept as JSON, written whole or not at all."""

import contextlib
import json
import os
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path

from course_lib.bench.floor import Floor
from course_lib.bench.rounds import Spread
from course_lib.bench.shapes import Shape


class ReportError(ValueError):
    """A file is no report; the message is one sentence."""


@dataclass(frozen=True)
class Row:
    """One cell in one mode and shape, by candidate.

    ``seconds`` a call; ``speed``, torch.nn's time over the candidate's within a round; ``of_peak`` and ``of_floor``,
    the share of the core's multiply-adds and of the shortest possible time; ``problems``, why one was not timed.
    """

    cell: str
    mode: str
    shape: Shape
    seconds: dict[str, Spread] = field(default_factory=dict)
    speed: dict[str, Spread] = field(default_factory=dict)
    of_peak: dict[str, float] = field(default_factory=dict)
    of_floor: dict[str, float] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Memory:
    """The growth of one training step by candidate, in bytes; None where it could not be measured."""

    cell: str
    shape: Shape
    bytes: dict[str, int | None] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Threaded:
    """Stack against torch.nn at torch's own number of threads, by wall time."""

    cell: str
    mode: str
    shape: Shape
    threads: int
    seconds: dict[str, Spread]
    speed: Spread


@dataclass
class Report:
    """All of one run. ``complete`` turns true at its end; ``missing`` names the candidates that are not installed."""

    machine: dict[str, object]
    versions: dict[str, str]
    date: str
    rounds: int
    threads: int = 1
    complete: bool = False
    floor: Floor | None = None
    rows: list[Row] = field(default_factory=list)
    memory: list[Memory] = field(default_factory=list)
    threaded: list[Threaded] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def to_json(self) -> str:
        """The report as JSON, every number with its name."""
        return json.dumps(_named(asdict(self)), indent=1) + "\n"


def from_json(text: str) -> Report:
    """The report that ``to_json`` wrote. Errors: ReportError for anything else."""
    try:
        told = json.loads(text)
        floor = told.pop("floor")
        floor = floor and Floor(floor["multiply_adds"], {int(size): each for size, each in floor["reads"].items()})
        rows = [_row(**each) for each in told.pop("rows")]
        memory = [Memory(**_shaped(each)) for each in told.pop("memory")]
        threaded = [
            Threaded(**_shaped(each) | {"seconds": _spreads(each["seconds"]), "speed": Spread(**each["speed"])})
            for each in told.pop("threaded")
        ]
        return Report(floor=floor, rows=rows, memory=memory, threaded=threaded, **told)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ReportError(f"this is no report of course bench: {type(error).__name__}: {error}") from error


def _row(**told: object) -> Row:
    return Row(**_shaped(told) | {name: _spreads(told[name]) for name in ("seconds", "speed")})


def _shaped(told: dict) -> dict:
    return told | {"shape": Shape(**told["shape"])}


def _spreads(told: dict) -> dict[str, Spread]:
    return {name: Spread(**each) for name, each in told.items()}


def _named(value: object) -> object:
    """Named tuples as dictionaries: JSON has lists for them, without the names."""
    if hasattr(value, "_asdict"):
        return value._asdict()
    if isinstance(value, dict):
        return {str(name): _named(each) for name, each in value.items()}
    return [_named(each) for each in value] if isinstance(value, list) else value


def write(path: Path, content: bytes) -> None:
    """Put a file in place in one stroke: whoever stops this sees the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        os.chmod(temporary, 0o644)  # mkstemp makes files that nobody else may read
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
