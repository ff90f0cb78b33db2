"""What a question of the self-check quiz is made of."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """A question, its choices with the reply to each, and the letter of the right one."""

    text: str
    choices: dict[str, tuple[str, str]]
    right: str
