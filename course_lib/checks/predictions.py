"""Commit before you see: a prediction, and later what was measured beside it."""

import os
from collections.abc import Sequence

from course_lib.checks import record

_choices: dict[str, tuple[str, ...]] = {}


def predict(identity: str, question: str, choices: Sequence[str], mine: int | str | None = None) -> None:
    """Ask for a choice and store it: ``mine=`` its number or its words, or an answer at the prompt.

    A stored choice is not asked for again; ``mine=`` replaces it. Errors: ValueError if ``mine`` is no choice.
    """
    _choices[identity] = tuple(choices)
    print(question)
    for number, choice in enumerate(choices, start=1):
        print(f"  {number}  {choice}")
    if mine is not None:
        chosen = _match(mine, choices)
        if chosen is None:
            raise ValueError(f"mine must be a number in 1..{len(choices)} or one of the choices, got {mine!r}")
    else:
        stored = record.get("predictions", identity)
        chosen = stored if stored in choices else _prompt(choices)
    if chosen is None:
        print(f"Commit before you run on: predict({identity!r}, ..., mine=1)")
        return
    record.put("predictions", identity, chosen)
    print(f"You said: {chosen}")


def reveal(identity: str, measured: object) -> None:
    """Set the prediction and what was measured side by side."""
    said, measured = record.get("predictions", identity), f"{measured}"
    if said is None:
        print(f"Measured: {measured}")
        return
    verdict = ""
    if measured in _choices.get(identity, ()):
        verdict = "  ->  as you said" if said == measured else "  ->  not what you said"
    print(f"You said: {said}   Measured: {measured}{verdict}")


def _prompt(choices: Sequence[str]) -> str | None:
    """The choice typed at the prompt; None where nobody can type, or where the learner skips."""
    if os.environ.get("COURSE_BUILD"):
        return None
    for _ in range(3):
        try:
            typed = input(f"Your choice, 1 to {len(choices)} (Enter skips): ").strip()
        except (EOFError, OSError, NotImplementedError):  # no keyboard: a kernel run by a program
            return None
        if not typed:
            return None
        number = int(typed) if typed.isdecimal() else typed  # the number, should a choice be a number as well
        if chosen := _match(number, choices) or _match(typed, choices):
            return chosen
        print(f"{typed!r} is no number in 1..{len(choices)}")
    return None


def _match(answer: int | str, choices: Sequence[str]) -> str | None:
    if answer in choices:
        return str(answer)
    text = str(answer)
    if not text.isdecimal() or not 1 <= int(text) <= len(choices):
        return None
    return choices[int(text) - 1]
