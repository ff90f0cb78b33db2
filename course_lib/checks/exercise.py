"""A check: it calls the learner's answer, names the mistake, never raises and never changes what it was given."""

import copy
import functools
import math
import sysconfig
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from types import MappingProxyType

import torch
from torch import Tensor

from course_lib.checks import record


@dataclass(frozen=True)
class Verdict:
    """Whether an answer passed, and one sentence for the learner; it displays itself."""

    passed: bool
    message: str

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        return f"[{'solved' if self.passed else 'not yet'}] {self.message}"


@dataclass(frozen=True)
class Exercise:
    """A check with its id and its hints, from a nudge to nearly the answer."""

    check: Callable[..., Verdict]
    hints: Sequence[str]


EXERCISES: dict[str, Exercise] = {}
# Files below these are not the learner's: Python's own, what pip installs, this package.
LIBRARIES = (str(Path(__file__).parents[1]), *{sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")})
_hints_given: dict[str, int] = {}


class Wrong(Exception):
    """The learner's mistake, in one sentence."""


def exercise(identity: str, hints: Sequence[str]) -> Callable:
    """Turn ``check(answer, seed) -> what is right about it``, which raises Wrong, into a check that gives a Verdict."""

    def wrap(check: Callable[[object, int], str]) -> Callable[..., Verdict]:
        @functools.wraps(check)
        def verdict(answer: object = None, seed: int = 0) -> Verdict:
            try:
                with torch.inference_mode(False), torch.enable_grad(), torch.random.fork_rng():
                    torch.default_generator.manual_seed(seed)  # the CPU's: no check draws elsewhere
                    message = check(answer, seed)
            except Wrong as mistake:
                return Verdict(False, f"{identity}: {mistake}")
            except Exception as fault:
                return Verdict(
                    False,
                    f"{identity}: the check itself failed, which is our fault and not yours "
                    f"({type(fault).__name__}: {fault}); please report it",
                )
            record.put("exercises", identity, "solved")
            return Verdict(True, f"{identity}: {message}")

        EXERCISES[identity] = Exercise(verdict, hints)
        return verdict

    return wrap


def ask(answer: object, *args: object, cures: Mapping[str, str] = MappingProxyType({})) -> object:
    """Call the learner's function on copies of the arguments. Raises Wrong if it is none, or if it stops.

    ``cures`` has advice for errors whose text holds certain words.
    """
    if not callable(answer):
        raise Wrong(f"expected your function, got {_short(answer)}; pass its name without parentheses")
    args = copy.deepcopy(args)
    try:
        with torch.enable_grad():  # undoes what the function switches
            return answer(*args)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # exit() as well: it would end the kernel
        advice = "".join(f": {cure}" for words, cure in cures.items() if words in str(error))
        raise Wrong(_tell(error) + advice) from error


def _tell(error: BaseException) -> str:
    """What stopped the learner's function, and the innermost line of the learner's own code."""
    if isinstance(error, NotImplementedError) and not error.args:  # torch's own have a text
        return "your function is still to be written"
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.line for frame in frames if frame.line and not frame.filename.startswith(LIBRARIES)]
    where, text = f" at the line `{lines[-1]}`" if lines else "", str(error).partition("\n")[0]
    return f"your function stops with {type(error).__name__}{where}" + (f": {text}" if text else "")


def expect_tensor(value: object, shape: tuple[int, ...], name: str) -> Tensor:
    """The learner's value as a tensor of that shape, holding finite floating-point numbers. Raises Wrong."""
    if not isinstance(value, Tensor):
        raise Wrong(f"{name} must be a tensor, {got(value)}")
    if tuple(value.shape) != shape:
        raise Wrong(f"{name} must have shape {shape}, got {tuple(value.shape)}")
    if not value.is_floating_point():
        raise Wrong(f"{name} must hold floating-point numbers, got {value.dtype}")
    if not value.isfinite().all():
        raise Wrong(f"{name} holds numbers that are NaN or infinite")
    return value


def same(value: object, expected: Tensor) -> bool:
    """Equal to rounding; False, not an error, for other shapes and kinds and for numbers that are none."""
    if not isinstance(value, Tensor) or value.shape != expected.shape or value.is_complex():
        return False
    return torch.allclose(value.detach().to(expected), expected, rtol=1e-5, atol=1e-6)


def plain_numbers(value: object) -> object:
    """Arrays and tensors, and those inside a list or tuple, as Python's own numbers; anything else as it is."""
    if hasattr(value, "tolist"):
        return value.tolist()
    return [plain_numbers(each) for each in value] if type(value) in (list, tuple) else value


def is_number(value: object) -> bool:
    """Whether it is a finite real number; a bool is none."""
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def hint(identity: str) -> None:
    """Print the next hint for an exercise; the last says where the solution is."""
    if identity not in EXERCISES:
        print(f"There is no exercise {identity!r}; the ids stand in the titles, such as {min(EXERCISES)}.")
        return
    hints, given = EXERCISES[identity].hints, _hints_given.get(identity, 0)
    if given == len(hints):
        print(f"No more hints for {identity}. The solution stands in notebooks/solutions/.")
        return
    _hints_given[identity] = given + 1
    print(f"Hint {given + 1} of {len(hints)}: {hints[given]}")


def got(value: object) -> str:
    """What the learner's function gave back instead, in few words."""
    return "got None: is the return missing?" if value is None else f"got {_short(value)}"


def _short(value: object) -> str:
    try:
        text = " ".join(repr(value).split())
    except Exception:  # half-made objects of the learner's own classes
        return type(value).__name__
    return f"{type(value).__name__} {text[:57] + '...' if len(text) > 60 else text}"
