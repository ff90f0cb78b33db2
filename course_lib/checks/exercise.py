"""A check: it calls the learner's answer, names the mistake, never raises and never changes what it was given."""

import copy
import functools
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from course_lib.checks import record


@dataclass(frozen=True)
class Verdict:
    """Whether an answer passed, and one sentence for the learner; it displays itself."""

    passed: bool
    message: str

    def __repr__(self) -> str:
        return f"[{'solved' if self.passed else 'not yet'}] {self.message}"


@dataclass(frozen=True)
class Exercise:
    """A check with its id and its hints, from a nudge to nearly the answer."""

    check: Callable[..., Verdict]
    hints: Sequence[str]


EXERCISES: dict[str, Exercise] = {}
_hints_given: dict[str, int] = {}


class Wrong(Exception):
    """The learner's mistake, in one sentence."""


def exercise(identity: str, hints: Sequence[str]) -> Callable:
    """Turn ``check(answer, seed) -> what is right about it``, which raises Wrong, into a check that gives a Verdict."""

    def wrap(check: Callable[[object, int], str]) -> Callable[..., Verdict]:
        @functools.wraps(check)
        def verdict(answer: object, seed: int = 0) -> Verdict:
            try:
                with torch.random.fork_rng():
                    torch.manual_seed(seed)
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


def ask(answer: object, *args: object) -> object:
    """Call the learner's function on copies of the arguments. Raises Wrong if it is none, or if it stops."""
    if not callable(answer):
        raise Wrong(f"expected your function, got {_short(answer)}; pass its name without parentheses")
    try:
        return answer(*copy.deepcopy(args))
    except NotImplementedError:
        raise Wrong("your function is still to be written") from None
    except Exception as error:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.name == answer.__name__]
        line = f" at the line `{frames[-1].line}`" if frames and frames[-1].line else ""
        text = str(error).partition("\n")[0]
        raise Wrong(f"your function stops with {type(error).__name__}{line}: {text}") from error


def expect_tensor(value: object, shape: tuple[int, ...], name: str) -> Tensor:
    """The learner's value as a tensor of that shape. Raises Wrong."""
    if not isinstance(value, Tensor):
        hint = ": is the return missing?" if value is None else ""
        raise Wrong(f"{name} must be a tensor, got {_short(value)}{hint}")
    if tuple(value.shape) != shape:
        raise Wrong(f"{name} must have shape {shape}, got {tuple(value.shape)}")
    return value


def same(value: Tensor, expected: Tensor) -> bool:
    """Equal to rounding; False, not an error, for other shapes, kinds and numbers that are none."""
    if value.shape != expected.shape or value.is_complex():
        return False
    return torch.allclose(value.detach().to(expected.dtype), expected, rtol=1e-5, atol=1e-6)


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


def _short(value: object) -> str:
    text = " ".join(repr(value).split())
    return f"{type(value).__name__} {text[:57] + '...' if len(text) > 60 else text}"
