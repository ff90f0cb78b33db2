"""The check in the learner's notebook: the judge's own, on this student's samples and the functions defined so far."""

import sysconfig
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy
import torch

from course_lib.grading import samples, wire
from course_lib.grading.comparison import check
from course_lib.grading.problem import Unusable, Wrong

SAMPLES = Path("samples.json")
# Files below these are not the student's: Python's own, what pip installs, this package.
LIBRARIES = (str(Path(__file__).parents[1]), *{sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")})


class Local:
    """The answers in a notebook: functions are called by name, with copies, and only values come back."""

    def __init__(self, namespace: Mapping[str, object]):
        self.namespace = namespace

    def call(self, name: str, *arguments: object) -> object:
        """What the student's function gives back, as a box would send it. Errors: Unusable."""
        function = self.namespace.get(name)
        if not callable(function):
            raise Unusable(f"`{name}` is not defined; run the cell that defines it")
        given = [as_tensors(wire.decode(wire.encode(argument))) for argument in arguments]
        try:
            answer = function(*given)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # exit() as well: it would end the kernel
            raise Unusable(blame(name, error)) from error
        if answer is Ellipsis or answer is NotImplemented:
            return None
        try:
            return wire.decode(wire.encode(answer))
        except wire.WireError as error:
            raise Unusable(f"`{name}` gives back something that is no value: {error}") from error


def checker(namespace: Mapping[str, object]) -> Callable[[str], None]:
    """``check(part)`` for a notebook: it prints a verdict and never raises.

    The cases are those of samples.json in the notebook's folder.
    """

    def verdict(identity: str) -> None:
        try:
            print(_verdict(namespace, identity))
        except (OSError, samples.SamplesError) as error:
            print(f"{SAMPLES} cannot be read ({error}); take it again from the folder that you were handed")
        except Exception as fault:
            print(f"[not yet] {identity}: the check itself failed, which is our fault: {type(fault).__name__}: {fault}")

    return verdict


def as_tensors(value: object) -> object:
    """The value with a tensor of its own for every array, which is what students compute with."""
    if isinstance(value, numpy.ndarray):
        return torch.from_numpy(numpy.array(value))
    if isinstance(value, list | tuple):
        return [as_tensors(item) for item in value]
    if isinstance(value, dict):
        return {key: as_tensors(item) for key, item in value.items()}
    return value


def blame(name: str, error: BaseException) -> str:
    """What stopped the student's function, with the innermost line that is the student's own."""
    if isinstance(error, NotImplementedError) and not error.args:  # torch's own have a text
        return f"nothing here yet: `{name}` raises NotImplementedError"
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.line for frame in frames if frame.line and not frame.filename.startswith(LIBRARIES)]
    where, text = f" at the line `{lines[-1]}`" if lines else "", str(error).partition("\n")[0][:200]
    return f"`{name}` stops with {type(error).__name__}{where}" + (f": {text}" if text else "")


def _verdict(namespace: Mapping[str, object], identity: str) -> str:
    if not SAMPLES.is_file():
        return f"no {SAMPLES} beside the notebook, so {identity} is not checked here; the grader checks it all the same"
    cases = samples.loads(SAMPLES.read_text(encoding="utf-8"))
    if identity not in cases:
        return f"there is no part {identity!r}; parts: {', '.join(cases)}"
    try:
        with torch.random.fork_rng(devices=[]):  # the notebook's own draws are not moved
            return f"[solved] {identity}: {check(Local(namespace), cases[identity])}"
    except Wrong as wrong:
        return f"[not yet] {identity}: {wrong}"
