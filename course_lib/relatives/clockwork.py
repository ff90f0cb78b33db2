"""The clockwork RNN: one layer whose units run at several speeds, the slow ones feeding the fast ones."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from course_lib.cells import Cell, check_size
from course_lib.relatives.clocked import check_steps
from course_lib.stack import Stack


class ClockworkState(NamedTuple):
    """State of a clockwork layer: h, (batch, hidden_size), and clock, (batch,) of int64, the steps made."""

    h: Float[Tensor, "batch hidden_size"]
    clock: Int[Tensor, " batch"]


def clockwork_mask(periods: Sequence[int], module_size: int) -> Bool[Tensor, "hidden_size hidden_size"]:
    """Which unit reads which: True where the row's unit reads the column's, (g * module_size, g * module_size).

    Rule: module i reads module j if T_j >= T_i: itself and every slower one. With the periods in growing order the
    matrix is block upper triangular; g(g+1)/2 of its g^2 blocks are there.
    Errors: TypeError and ValueError for periods that do not grow, or sizes below 1.
    Source: Koutnik et al. 2014, section 3.
    """
    check_size("clockwork_mask", "module_size", module_size)
    units = torch.tensor(check_periods("clockwork_mask", periods)).repeat_interleave(module_size)
    return units[None, :] >= units[:, None]


class ClockworkCell(Cell):
    """One tanh layer of g equal modules; module i updates every T_i steps, and reads itself and the slower modules.

    Equation: h_t[i] = tanh(W_ih[i] x_t + b_ih[i] + sum over j with T_j >= T_i of W_hh[i,j] h_{t-1}[j] + b_hh[i]) if
    t mod T_i = 0, else h_{t-1}[i]. [i] are the rows of module i; a module that does not update reads no input either.

    The first step is t = 1 (the reading taken here) and the initial state is that of t = 0, so module i first updates
    at step T_i. ``clock`` in the state is t; an initial state with clock -1 makes the first step t = 0, at which all
    update. Masked entries of weight_hh are there but unread, ``num_unread`` of them. All rows are computed and those
    that do not update are dropped: the numbers are the paper's, its saving of time is not.

    Shapes: below (batch, input_size). Errors: TypeError for kinds; ValueError for periods that do not grow, or a
    hidden_size that is no multiple of their number.
    Source: Koutnik, Greff, Gomez and Schmidhuber 2014, section 3, equation 1; initial weights as in Cell.
    """

    gates = ("h",)
    state_type = ClockworkState

    def __init__(self, input_size: int, hidden_size: int, periods: Sequence[int] = (1, 2, 4, 8)):
        super().__init__(input_size, hidden_size)
        self.periods = check_periods("ClockworkCell", periods)
        if hidden_size % len(self.periods):
            raise ValueError(
                f"ClockworkCell: hidden_size={hidden_size} must be a multiple of the number of periods, "
                f"{len(self.periods)}: all modules have equal sizes"
            )
        module_size = hidden_size // len(self.periods)
        self.register_buffer("mask", clockwork_mask(self.periods, module_size), persistent=False)
        self.register_buffer(
            "unit_periods", torch.tensor(self.periods).repeat_interleave(module_size), persistent=False
        )

    @property
    def num_unread(self) -> int:
        """How many entries of weight_hh no unit reads."""
        return int((~self.mask).sum())

    def initial_state(self, batch_size: int) -> ClockworkState:
        """Zeros, and a clock that stands at 0."""
        check_size("ClockworkCell", "batch_size", batch_size)
        h = self.weight_hh.new_zeros(batch_size, self.hidden_size)
        return ClockworkState(h, torch.zeros(batch_size, dtype=torch.int64, device=h.device))

    def from_past(self, h: Float[Tensor, "batch hidden_size"]) -> Float[Tensor, "batch hidden_size"]:
        """(mask * W_hh) h_{t-1} + b_hh: what every module reads of itself and the slower ones."""
        self._check("state.h", h, self.hidden_size)
        return h @ (self.weight_hh * self.mask).T + self.bias_hh

    def forward(self, below: Float[Tensor, "batch input_size"], state: ClockworkState) -> ClockworkState:
        clock = state.clock + 1
        updates = clock[:, None] % self.unit_periods == 0
        new = torch.tanh(self.from_below(below) + self.from_past(state.h))
        return ClockworkState(torch.where(updates, new, state.h), clock)

    def extra_repr(self) -> str:
        return f"{self.input_size}, {self.hidden_size}, periods={self.periods}"


class ClockworkRNN(Stack):
    """The clockwork RNN as published: a stack of one ClockworkCell, with all that a Stack can do.

    Equation, shapes, errors and source: ClockworkCell. Output: h_t of all units, (time, batch, hidden_size).
    """

    def __init__(self, input_size: int, hidden_size: int, periods: Sequence[int] = (1, 2, 4, 8)):
        super().__init__([ClockworkCell(input_size, hidden_size, periods)])

    @classmethod
    def uniform(cls, *_: object, **__: object) -> "ClockworkRNN":
        """Refused: TypeError. A clockwork RNN is one layer; several are ``Stack.uniform(ClockworkCell, ...)``."""
        raise TypeError(
            "ClockworkRNN is one layer: ClockworkRNN(input_size, hidden_size, periods); for several write "
            "Stack.uniform(ClockworkCell, input_size, hidden_size, num_layers)"
        )

    @property
    def periods(self) -> tuple[int, ...]:
        """T_1..T_g, in steps, fast to slow."""
        return self.cells[0].periods


def check_periods(owner: str, periods: Sequence[int]) -> tuple[int, ...]:
    """At least one whole number of at least 1, each larger than the one before."""
    if not isinstance(periods, Sequence) or isinstance(periods, str):
        raise TypeError(f"{owner}: periods must be a list of whole numbers, got {periods!r}")
    if not periods:
        raise ValueError(f"{owner}: periods is empty; give one a module, such as (1, 2, 4, 8)")
    for number, period in enumerate(periods, start=1):
        check_steps(owner, f"period {number}", period)
    for number, (fast, slow) in enumerate(pairwise(periods), start=1):
        if fast >= slow:
            raise ValueError(
                f"{owner}: periods must grow, but period {number} is {fast} and period {number + 1} is {slow}; "
                "order them from fast to slow, each once"
            )
    return tuple(periods)
