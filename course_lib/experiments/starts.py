"""Initialisation as the rival of the residual: which start alone lets a deep plain stack learn echo?"""

from collections.abc import Callable, Sequence

import torch

from course_lib import init
from course_lib.experiments import trainability
from course_lib.experiments.experiment import Experiment, Metrics, Setting
from course_lib.experiments.trainability import row
from course_lib.stack import Stack


@torch.no_grad()
def steeper(stack: Stack, factor: float = 3.0) -> Stack:
    """Multiply the upward weights of layers 2..L, so that a signal shrinks less on its way down."""
    for cell in stack.cells[1:]:
        cell.weight_ih.mul_(factor)
    return stack


STARTS: dict[str, Callable[[Stack], Stack]] = {
    "orthogonal": init.orthogonal,
    "orthogonal, times 0.707": lambda stack: init.orthogonal(stack, 0.5**0.5, 0.5**0.5),
    "identity": init.identity,
    "upward weights times 3": steeper,
    "orthogonal, upward times 3": lambda stack: init.orthogonal(stack, 1.0, 3.0),
}


def run(setting: Setting, seed: int) -> Metrics:
    """As in ``trainability``, from one of STARTS."""
    return run_seeds(setting, [seed])[0]


def run_seeds(setting: Setting, seeds: Sequence[int]) -> list[Metrics]:
    """The same for several seeds, trained side by side."""
    return trainability.contest(setting, seeds, STARTS[setting["start"]])


def started(cell: str, layers: int, start: str, **changes: object) -> Setting:
    """A row of ``trainability`` with a start in place of the forget bias."""
    setting = row("echo", cell, layers, **changes) | {"start": start}
    return {name: value for name, value in setting.items() if name != "forget_bias"}


EXPERIMENT = Experiment(
    name="starts",
    question="Which start alone lets a deep plain stack learn echo, as a residual does?",
    run=run,
    run_seeds=run_seeds,
    settings=(
        started("vanilla", 4, "orthogonal", steps=15),
        *(started("lstm", 8, start) for start in ("orthogonal", "upward weights times 3")),
        *(started("vanilla", 12, start) for start in STARTS),
        *(started("lstm", 12, start) for start in ("orthogonal", "upward weights times 3")),
        started("lstm", 8, "orthogonal, upward times 3"),
    ),
)
