"""Notebooks as students have them: a variant, the setup, the solutions or the stubs, and a wrong answer on top."""

import functools
import itertools
import json
import math
from pathlib import Path

import numpy
import torch

from course_lib.grading import build, samples, sets
from course_lib.grading.comparison import check
from course_lib.grading.local import Local
from course_lib.grading.problem import Wrong

NAMES = ("ps1", "ps2")
WRONG = {
    f"{name}/{path.stem}": path for name in NAMES for path in sorted((sets.INSTRUCTOR / name / "wrong").glob("*.py"))
}


@functools.cache
def problems(name):
    return sets.load(name)


@functools.cache
def notebook(name):
    return build.source_notebook(problems(name), sets.INSTRUCTOR / name / f"{name}.py")


@functools.cache
def compiled(name, solved=True):
    cells = (notebook(name) if solved else build.release_notebook(notebook(name))).cells
    return [compile(cell.source, cell.id, "exec") for cell in cells if cell.id.startswith("answer-")]


@functools.cache
def variant(name, seed):
    """A student's numbers; nobody changes them."""
    return json.loads(json.dumps(problems(name).variant(numpy.random.default_rng(seed))))


def namespace(name, own, solved=True, extra=""):
    """What a notebook's kernel knows after all answers, without its check cells."""
    known = {"variant": own, "torch": torch, "math": math, "itertools": itertools, "json": json}
    for code in compiled(name, solved):
        exec(code, known)
    exec(extra, known)
    return known


@functools.cache
def cases(name, seed):
    """Fresh cases of every part, as the judge draws them for a student."""
    rng = numpy.random.default_rng([seed, 7])
    return {part.identity: list(part.cases(variant(name, seed), rng)) for part in problems(name).parts}


@functools.cache
def shown(name, seed):
    """The cases that the student was handed."""
    return samples.draw(problems(name), variant(name, seed))


def verdict(known, asked):
    """ "" for a right answer, or what is wrong with it."""
    try:
        check(Local(known), asked)
    except Wrong as wrong:
        return str(wrong)
    return ""


def hint(path: Path) -> str:
    return path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
