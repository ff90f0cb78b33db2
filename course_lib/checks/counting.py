"""Checks of how many parameters a stack has."""

from numbers import Real

from torch import nn

from course_lib.checks.exercise import Wrong, ask, exercise, got

KINDS = {"vanilla": (nn.RNN, 1), "gru": (nn.GRU, 3), "lstm": (nn.LSTM, 4)}


@exercise(
    "02.4",
    hints=(
        "Count one gate of one layer: a matrix for what comes from below, one for the past, and the biases.",
        "torch keeps two biases a gate. Vanilla has 1 block, GRU 3, LSTM 4. Layer 1 reads d, the others what?",
        "In a bidirectional stack each direction has its own weights, and layers 2 and up read 2h.",
    ),
)
def count(answer: object, seed: int) -> str:
    """``count(kind, d, h, num_layers, bidirectional)`` against torch's modules on a grid of 54 settings."""
    settings = [(d, h, layers) for d, h in ((10, 20), (20, 20), (3, 5)) for layers in (1, 2, 5)]
    for bidirectional in (False, True):
        for kind, (module, gates) in KINDS.items():
            for d, h, layers in settings:
                right = sum(p.numel() for p in module(d, h, layers, bidirectional=bidirectional).parameters())
                mine = ask(answer, kind, d, h, layers, bidirectional)
                case = f"{kind}, d={d}, h={h}, {layers} layer{'s' * (layers > 1)}" + (
                    ", bidirectional" if bidirectional else ""
                )
                if isinstance(mine, bool) or not isinstance(mine, Real):
                    raise Wrong(f"{case}: give back a number, {got(mine)}")
                if mine != right:
                    raise Wrong(
                        f"{case}: you count {mine}, torch has {right}"
                        + _name_count(mine, gates, d, h, layers, bidirectional)
                    )
    return "the same numbers as torch for 54 modules"


def _name_count(mine: Real, gates: int, d: int, h: int, layers: int, bidirectional: bool) -> str:
    def total(first: int, other: int, biases: int, factor: int, blocks: int) -> int:
        return factor * blocks * (h * (first + h) + biases * h + (layers - 1) * (h * (other + h) + biases * h))

    factor, other = (2, 2 * h) if bidirectional else (1, h)
    mistakes = {
        "one bias a gate; torch keeps two": total(d, other, 1, factor, gates),
        "no bias at all; torch keeps two a gate": total(d, other, 0, factor, gates),
        "every layer reading d; layers 2 and up read what comes from below": total(d, d, 2, factor, gates),
        "every layer reading h; layer 1 reads d": total(h, other, 2, factor, gates),
        "twice the one-way stack; layers 2 and up read both directions, 2h": total(d, h, 2, 2, gates),
        "one direction": total(d, h, 2, 1, gates),
        "the gates left out: a GRU has 3 blocks, an LSTM 4": total(d, other, 2, factor, 1),
    }
    return next((f". That is the count with {name}" for name, wrong in mistakes.items() if wrong == mine), "")
