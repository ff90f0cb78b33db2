"""The peak of one training step, in a process of its own: `python -m course_lib.bench.memory CELL CANDIDATE SIZES`."""

import contextlib
import ctypes
import gc
import json
import subprocess
import sys
from pathlib import Path

from course_lib.bench.shapes import Shape

STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
HIGHEST_SINCE_NOW = "5"  # what clear_refs has to read so that VmHWM starts again (proc(5))


def measure(cell: str, candidate: str, shape: Shape, timeout: float = 300) -> int | None:
    """Bytes by which one training step grows the process at its peak; None where the system does not tell.

    Errors: RuntimeError with the last line of a candidate that failed.
    """
    if not RESET.exists():
        return None
    command = [sys.executable, "-m", "course_lib.bench.memory", cell, candidate, json.dumps(shape)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    if done.returncode != 0:
        raise RuntimeError((done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1])
    return json.loads(done.stdout.splitlines()[-1])


def units(size: int, shape: Shape) -> float:
    """A size in units of B H floats a layer and step."""
    return size / (4 * shape.batch * shape.hidden_size * shape.num_layers * shape.steps)


def growth(cell: str, candidate: str, shape: Shape) -> int | None:
    """The highest resident memory within a first full step, over what was resident before it.

    A step of four times comes first, so that the libraries have loaded what they need.
    """
    from course_lib.bench.peers import CANDIDATES
    from course_lib.bench.peers.task import make_task

    CANDIDATES[candidate].build(make_task(cell, shape._replace(steps=4)), "training").run()
    job = CANDIDATES[candidate].build(make_task(cell, shape), "training")
    _tidy()
    try:
        RESET.write_text(HIGHEST_SINCE_NOW, encoding="ascii")
    except OSError:  # some containers forbid it
        return None
    before = _kilobytes("VmRSS")
    job.run()
    return 1024 * (_kilobytes("VmHWM") - before)


def _tidy() -> None:
    """Give free memory back to the system, so that the step does not hide in it."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):  # not every C library has it
        ctypes.CDLL(None).malloc_trim(0)


def _kilobytes(field: str) -> int:
    lines = STATUS.read_text(encoding="ascii", errors="replace").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


def main(cell: str, candidate: str, sizes: str) -> None:
    """Print the growth as JSON."""
    from course_lib.bench.alone import alone

    with alone():
        print(json.dumps(growth(cell, candidate, Shape(*json.loads(sizes)))))


if __name__ == "__main__":
    main(*sys.argv[1:])
