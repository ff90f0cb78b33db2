"""What is computed: shapes as values, and how many operations and bytes a pass over one takes."""

from typing import NamedTuple

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}  # blocks of hidden_size rows in the weights; RNN is the tanh cell
CELLS = tuple(GATES)
MODES = ("forward", "training")


class Shape(NamedTuple):
    """The sizes of one pass: L, H, B and T; the input is as wide as the layers."""

    num_layers: int
    hidden_size: int
    batch: int
    steps: int

    def __str__(self) -> str:
        return f"L{self.num_layers} H{self.hidden_size} B{self.batch} T{self.steps}"


SHAPES = {
    "one-step": Shape(2, 64, 1, 1),
    "single": Shape(2, 64, 1, 128),
    "small": Shape(2, 64, 16, 128),
    "middle": Shape(2, 128, 32, 128),
    "deep": Shape(8, 128, 16, 128),
    "wide": Shape(4, 256, 32, 128),
    "wider": Shape(2, 512, 64, 64),
}
QUICK = ("one-step", "single", "middle")
LONG = Shape(2, 128, 32, 1024)  # for the memory, which grows with T


def flops(cell: str, shape: Shape, mode: str) -> int:
    """The operations of the matrix products of one pass; a multiply-add counts as two.

    Equation: 2 B T sum_l gates H (D_l + H) forward, with D_l = H; training three times that, since the backward pass
    has two products of the same size for each: one for the inputs, one for the weights.
    """
    width = shape.hidden_size
    forward = 2 * shape.batch * shape.steps * shape.num_layers * GATES[cell] * width * (width + width)
    return forward if mode == "forward" else 3 * forward


def recurrent_bytes(cell: str, shape: Shape) -> int:
    """The size of one layer's W_hh in float32, which every step has to read."""
    return 4 * GATES[cell] * shape.hidden_size**2
