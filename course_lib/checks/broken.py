"""Five stacks with a fault that a real stack once had; the learner finds which fault is in which.

Each fault was found in published code. All five pass a test with one layer.
"""

import random
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from course_lib import fast
from course_lib.cells import GRUCell, State
from course_lib.stack import Stack

FAULTS = {
    "raw input": "layers 2 and up read the raw input instead of the layer below",
    "shared cell": "all upper layers are one and the same cell",
    "shared state": "every layer starts from the initial state of layer 1",
    "unused dropout": "masks are drawn, but the layers read the unmasked values",
    "reversed states": "the last states come back from the top layer down",
    "none": "no fault at all",
}


def disguised(kind: type[Stack]) -> type[Stack]:
    """The class under the name Stack, so that printing a stack tells nothing of its fault."""
    kind.__name__ = kind.__qualname__ = Stack.__name__
    return kind


@disguised
class RawInput(Stack):
    """Every layer reads x: the variable that should climb is never updated."""

    def _column(self, below: Tensor, states: Sequence[State], masks: list, ended: Tensor | None = None) -> tuple:
        reads = [below if mask is None else below * mask for mask in masks]
        column = tuple(fast.freeze(cell(*each), each[1], ended) for cell, *each in zip(self.cells, reads, states))
        return column, tuple(fast.silence(state.h, ended) for state in column)

    def _rows(self, x: Tensor, states: Sequence[State], ended: Tensor | None) -> Iterator[tuple[Tensor, Tensor, State]]:
        for cell, state, mask in zip(self.cells, states, self._masks(x)):
            h, state = fast.row(cell, x if mask is None else x * mask, state, ended)
            yield h, fast.silence(h, ended), state


@disguised
class SharedCell(Stack):
    """One cell for layers 2 and up."""

    def __init__(self, *args: object, **options: object):
        super().__init__(*args, **options)
        for layer in range(2, self.num_layers):
            self.cells[layer] = self.cells[1]


@disguised
class SharedState(Stack):
    """One initial state for all layers."""

    def _enter(self, x: Tensor, states: Sequence[State] | None, lengths: object) -> tuple:
        x, states, ended = super()._enter(x, states, lengths)
        return x, (states[0],) * len(states), ended


@disguised
class UnusedDropout(Stack):
    """The masked value is computed and thrown away."""

    def _masks(self, x: Tensor) -> list[Tensor | None]:
        super()._masks(x)
        return [None] * self.num_layers


@disguised
class ReversedStates(Stack):
    """The last states in the order of a recursion that ends at the bottom."""

    def forward(self, x: Tensor, states: Sequence[State] | None = None, lengths: object = None) -> tuple:
        output, states = super().forward(x, states, lengths)
        return output, states[::-1]


def make(fault: str) -> Stack:
    """A stack of three GRU layers, width 4 throughout, dropout 0.5, with that fault. Errors: KeyError for another."""
    kinds = {
        "raw input": RawInput,
        "shared cell": SharedCell,
        "shared state": SharedState,
        "unused dropout": UnusedDropout,
        "reversed states": ReversedStates,
    }
    if fault not in FAULTS:
        raise KeyError(f"fault must be one of {', '.join(FAULTS)}, got {fault!r}")
    return kinds.get(fault, Stack).uniform(GRUCell, 4, 4, 3, dropout=0.5).eval()


def stacks(seed: int = 2) -> dict[str, Stack]:
    """Five stacks, A to E, each with a fault of its own; which is where depends on the seed."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return {letter: make(fault) for letter, fault in truth(seed).items()}


def truth(seed: int = 2) -> dict[str, str]:
    """Which fault is in which of ``stacks(seed)``: for the check."""
    faults = [fault for fault in FAULTS if fault != "none"]
    return dict(zip("ABCDE", random.Random(seed).sample(faults, len(faults))))
