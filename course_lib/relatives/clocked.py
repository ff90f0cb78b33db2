"""A stack whose upper layers are slower by construction: layer l updates every 2^(l-1) steps."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from course_lib import fast
from course_lib.arguments import check_cells
from course_lib.cells import Cell, State, check_size
from course_lib.extend import check_cell, extended, inner_state
from course_lib.stack import Stack


def powers_of_two(count: int) -> tuple[int, ...]:
    """1, 2, 4, ..., 2^(count - 1): the periods and dilations of the papers."""
    check_size("powers_of_two", "count", count)
    return tuple(2**exponent for exponent in range(count))


class Clocked(Cell):
    """A cell that updates every ``period`` steps and keeps its state in between.

    Equation: s_t = cell(below_t, s_{t-1}) if t mod period = 0, else s_{t-1}; between its updates it reads nothing.

    The first step is t = 1 and the initial state is that of t = 0, so the first update comes at step ``period``. The
    state is the cell's, with one more field ``clock``, (batch,) of int64: the steps made, t. A chunk goes on where
    the one before stopped; a state with another clock starts in another phase (-1: the first step is t = 0 and all
    layers update).

    Shapes: below (batch, input_size). Errors: TypeError for a cell of another kind or a period that is no whole number,
    ValueError for a period below 1.
    Source: Koutnik, Greff, Gomez and Schmidhuber 2014, section 3, for the rule of the clock.
    """

    def __init__(self, cell: Cell, period: int):
        check_steps("Clocked", "period", period)
        super().__init__(check_cell("Clocked", cell).input_size, cell.hidden_size)
        self.cell, self.period = cell, period
        _ = self.state_type  # refuses a cell that has a clock already

    @property
    def state_type(self) -> type:
        """The state of the cell, and ``clock``."""
        return extended(self.cell.state_type, "Clocked", ("clock",))

    def initial_state(self, batch_size: int) -> State:
        """The initial state of the cell, and a clock that stands at 0."""
        state = self.cell.initial_state(batch_size)
        return self.state_type(*state, torch.zeros(batch_size, dtype=torch.int64, device=state.h.device))

    def forward(self, below: Float[Tensor, "batch input_size"], state: State) -> State:
        old, clock = inner_state(self.cell, state), state.clock + 1
        new = fast.freeze(self.cell(below, old), old, clock % self.period != 0)
        return self.state_type(*new, clock)

    def quick_row(self, below: Float[Tensor, "time batch input_size"], state: State) -> tuple[Tensor, State] | None:
        """h at every time and the last state, by a row of the cell over the steps at which it updates.

        None where that is impossible: sequences whose clocks differ, cells that have no fused row.
        """
        if not fast.is_fusable(self.cell, below) or bool((state.clock != state.clock[0]).any()):
            return None
        clock = int(state.clock[0])
        old = inner_state(self.cell, state)
        read = below[-(clock + 1) % self.period :: self.period]
        h, new = fast.open_row(self.cell, read, old) if len(read) else (read.new_zeros(0, *old.h.shape), old)
        times = torch.arange(clock + 1, clock + 1 + len(below), device=below.device)
        updates = times // self.period - clock // self.period  # so many lie behind each step
        held = torch.cat([old.h[None], h]).index_select(0, updates)
        return held, self.state_type(*new, state.clock + len(below))

    def extra_repr(self) -> str:
        return f"period={self.period}"


class ClockedStack(Stack):
    """A stack whose layer l updates every ``periods[l-1]`` steps, by default every 2^(l-1).

    Equation: h_t^(l) = f^(l)(up_t^(l-1), h_{t-1}^(l)) if t mod T_l = 0, else h_{t-1}^(l); t = 1 is the first step.

    What goes up from a layer between its updates is connection(below, h) of the h it keeps. ``options`` are Stack's;
    ``ClockedStack.uniform(GRUCell, 8, 16, 4, periods=(1, 2, 4, 8))`` makes equal layers. Each layer's state carries its
    clock, see Clocked. With periods of 1 it is the plain stack.

    Errors: those of Stack; ValueError for periods that are not one a layer.
    Source: the note's N8. The clock is that of Koutnik 2014, section 3, given to the layers of a stack.
    """

    def __init__(
        self, cells: Sequence[Cell] | nn.ModuleList, *, periods: Sequence[int] | None = None, **options: object
    ):
        cells = check_cells(cells)
        periods = check_one_a_layer("periods", periods, len(cells))
        super().__init__([Clocked(cell, period) for cell, period in zip(cells, periods)], **options)

    @property
    def periods(self) -> tuple[int, ...]:
        """T_1..T_L, in steps, bottom to top."""
        return tuple(cell.period for cell in self.cells)

    @classmethod
    def from_torch(cls, module: nn.RNNBase, **options: object) -> "ClockedStack":
        """A clocked stack with the weights of a torch module; see Stack.from_torch."""
        stack = Stack.from_torch(module)
        return cls(stack.cells, dropout=stack.dropout, **options).train(module.training)


def check_steps(owner: str, name: str, value: int) -> None:
    """Refuse a number of steps that is no whole number in 1..1,000,000; powers of two pass that at layer 21."""
    check_size(owner, name, value)
    if value > 1_000_000:
        raise ValueError(
            f"{owner}: {name} must be at most 1,000,000 steps, got {value}; give shorter ones, one a layer"
        )


def check_one_a_layer(name: str, values: Sequence[int] | None, num_layers: int) -> tuple[int, ...]:
    """One value a layer; None becomes 1, 2, 4, ..."""
    if values is None:
        return powers_of_two(num_layers)
    if not isinstance(values, Sequence) or isinstance(values, str):
        raise TypeError(f"{name} must be a list of whole numbers, one a layer, got {values!r}")
    if len(values) != num_layers:
        raise ValueError(f"{name} lists {len(values)} entries for {num_layers} layers; give one a layer")
    return tuple(values)
