"""What a made-up task is: how to draw it, what guessing gets, and what the best possible answer gets."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from course_lib.cells import check_size
from course_lib.data.batch import Batch

IGNORE = -100  # torch's ignore_index: no answer is asked at this step

Draw = Callable[[int, int, torch.Generator], tuple[Tensor, Tensor]]


@dataclass(frozen=True, eq=False)
class Task:
    """A sequence task with an exact chance level and, where one is known, an exact optimum.

    ``num_inputs`` is the number of symbols where x is (time, batch), and the width where x is (time, batch, width).
    ``answers[k]`` is the probability that an asked answer is k. ``floor`` is the least loss that any network can
    reach, in nats an asked answer; its meaning for a task with a limited view is said where the task is made.
    ``draw(num_steps, batch_size, generator)`` gives x and y. ``shortest`` is the least num_steps that asks anything.
    """

    name: str
    num_inputs: int
    answers: tuple[float, ...]
    draw: Draw
    floor: float = 0.0
    shortest: int = 1

    @property
    def num_outputs(self) -> int:
        """How many different answers there are."""
        return len(self.answers)

    @property
    def chance_accuracy(self) -> float:
        """The share of right answers of the best constant guess: max_k p_k."""
        return max(self.answers)

    @property
    def chance_nats(self) -> float:
        """The loss of the best guess that reads nothing: the entropy -sum_k p_k ln p_k, in nats."""
        return -sum(p * math.log(p) for p in self.answers if p > 0)

    def sample(self, num_steps: int, batch_size: int, seed: int) -> Batch:
        """One batch. Equal arguments give equal batches, and the caller's random state is untouched.

        Shapes: x (time, batch) of int64 or (time, batch, num_inputs) of the default dtype; y (time, batch) of int64.
        Errors: TypeError or ValueError for a size that is no whole number of at least 1, or too short to ask anything.
        """
        return self.batches(1, num_steps, batch_size, seed)[0]

    def batches(self, num_batches: int, num_steps: int, batch_size: int, seed: int) -> list[Batch]:
        """Several batches in a row from one seed; the first is what ``sample`` gives."""
        sizes = {"num_batches": num_batches, "num_steps": num_steps, "batch_size": batch_size}
        for name, size in sizes.items():
            check_size(self.name, name, size)
        if not isinstance(seed, int):
            raise TypeError(f"{self.name}: seed must be an int, got {seed!r} of type {type(seed).__name__}")
        if num_steps < self.shortest:
            raise ValueError(
                f"{self.name}: num_steps must be at least {self.shortest}, so that an answer is asked, got {num_steps}"
            )
        generator = torch.Generator().manual_seed(seed)
        drawn = (self.draw(num_steps, batch_size, generator) for _ in range(num_batches))
        return [Batch(x, y, torch.full((batch_size,), num_steps)) for x, y in drawn]


def uniform(num_outputs: int) -> tuple[float, ...]:
    """Equal probabilities."""
    return (1 / num_outputs,) * num_outputs


def accuracy(scores: Float[Tensor, "time batch num_outputs"], y: Int[Tensor, "time batch"]) -> float:
    """The share of asked answers whose highest score is the right one. Errors: ValueError if none is asked."""
    if scores.shape[:-1] != y.shape:
        raise ValueError(f"scores must be (time, batch, answers) for y {tuple(y.shape)}, got {tuple(scores.shape)}")
    asked = y != IGNORE
    if not asked.any():
        raise ValueError("y asks no answer: all of it is IGNORE")
    return (scores.argmax(-1) == y)[asked].double().mean().item()
