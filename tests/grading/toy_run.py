"""Runs over the toy class with a judge that obeys the answers; as a program it judges a folder and notes each one."""

import os
import sys
import time
from pathlib import Path

from course_lib.experiments import executors
from course_lib.grading import runs
from course_lib.grading.outcome import Mark, Outcome
from tests.grading.toy_class import NAME, POINTS

SECRET = bytes(range(32))
INSTRUCTOR = Path(__file__).with_name("toy_set")


def grade(cells, problems, variant, rng, limits):
    """Points, failures and deaths as the answer to part 1a asks: "points 1.5", "raise", "die NOTE", "wait NOTE"."""
    word, _, value = dict(cells)["answer-1a"].partition(" ")
    if word == "raise":
        raise OSError("no space left")
    if word == "first" and not Path(value).exists():  # fails at the first attempt
        Path(value).touch()
        return Outcome("internal error", reason="the box did not start")
    if word == "die" and not Path(value).exists():
        Path(value).touch()
        os._exit(9)
    if word == "limit":
        return Outcome("limit", reason="wall time")
    if word == "wait":
        time.sleep(0.05)
        with open(value, "a") as stream:
            stream.write(f"{os.getpid()}\n")
    earned = float(value) if word == "points" else 2.0
    said = f"n is {variant['n']}, drawn {rng.integers(1 << 60)}, set {problems.name}"
    return Outcome("graded", marks={"1a": Mark(earned, POINTS["1a"], said), "2": Mark(3.0, POINTS["2"], "right")})


def judging(**more):
    return runs.Judging(SECRET, INSTRUCTOR, grade=grade, **more)


def main(folder, workers):
    """Judge the folder, here or by so many processes."""
    if workers:
        with executors.processes(workers) as executor:
            list(runs.run(Path(folder), NAME, judging(), executor=executor))
    else:
        list(runs.run(Path(folder), NAME, judging()))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
