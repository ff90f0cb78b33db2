"""A quick experiment for the runner's tests; as a program it runs in a folder and notes each run that it makes."""

import contextlib
import os
import sys
import time
from pathlib import Path

import torch

from course_lib.experiments import executors, runner, store
from course_lib.experiments.experiment import Experiment, exactly


def measure(setting, seed):
    """A number that depends on setting, seed and torch's random state; notes when it is done, and dies on demand."""
    with exactly(seed):
        level, exact = setting["level"] + float(torch.rand(())), torch.get_default_dtype() == torch.float64
    time.sleep(setting.get("seconds", 0.0))
    if note := setting.get("note"):
        with open(note, "a") as stream:
            stream.write(f"{os.getpid()} {setting['level']} {seed}\n")
    if setting.get("dies") and not Path(setting["dies"]).exists():
        Path(setting["dies"]).touch()
        os._exit(9)
    return {"level": level, "exact": float(exact)}


def toy(num_settings=3, **options):
    """So many settings that differ in their level."""
    return Experiment("toy", "how high?", measure, tuple({"level": i, **options} for i in range(num_settings)))


def main(folder, workers):
    """Make all 40 runs, here or by so many processes, noting each in the folder's file "made"."""
    store.FOLDER = Path(folder)
    place = executors.processes(workers) if workers else contextlib.nullcontext()
    with place as executor:
        for _ in runner.run(toy(10, seconds=0.02, note=str(Path(folder) / "made")), 4, executor):
            pass


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
