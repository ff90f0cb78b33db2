"""Stack and torch.nn at torch's own number of threads, by the clock on the wall: `python -m course_lib.bench.threads`.

CPU time adds up the threads, so it cannot tell whether they help; the wall's time counts who else is at work.
"""

import json
import subprocess
import sys
import time

from course_lib.bench.rounds import interleave, ratio, spread
from course_lib.bench.shapes import MODES, SHAPES

SHAPE = SHAPES["middle"]


def measure(cell: str, rounds: int, timeout: float = 300) -> dict[str, object]:
    """Both modes of a cell, in a process of its own that nothing has told to use one thread.

    Errors: RuntimeError with the last line of a process that failed.
    """
    command = [sys.executable, "-m", "course_lib.bench.threads", cell, str(rounds)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    if done.returncode != 0:
        raise RuntimeError((done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1])
    return json.loads(done.stdout.splitlines()[-1])


def timed(cell: str, rounds: int) -> dict[str, object]:
    """The number of threads; of each mode milliseconds of both, and how many times as fast the Stack is."""
    import torch

    from course_lib.bench.peers import BASE, CANDIDATES, STACK
    from course_lib.bench.peers.task import make_task

    task, told = make_task(cell, SHAPE), {"cell": cell, "threads": torch.get_num_threads()}
    for mode in MODES:
        jobs = {name: CANDIDATES[name].build(task, mode).run for name in (BASE, STACK)}
        samples = interleave(jobs, rounds, always=jobs, clock=time.perf_counter)
        seconds = {name: spread(list(each.values())) for name, each in samples.items()}
        told[mode] = {"seconds": seconds, "speed": ratio(samples[BASE], samples[STACK])}
    return told


if __name__ == "__main__":
    print(json.dumps(timed(sys.argv[1], int(sys.argv[2]))))
