"""A stack whose upper layers look further back: layer l continues from its state of 2^(l-1) steps ago."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from course_lib import fast
from course_lib.arguments import check_cells
from course_lib.cells import Cell, State
from course_lib.extend import check_cell, extended, inner_state
from course_lib.relatives.clocked import check_one_a_layer, check_steps
from course_lib.stack import Stack


class Dilated(Cell):
    """A cell that updates at every step, but from its state of ``dilation`` steps ago.

    Equation: s_t = cell(below_t, s_{t-dilation}); the states before the first step are the initial state.

    The state is the cell's newest, s_t, and for each of its fields one more, ``past_h`` and so on, with the
    dilation - 1 states before it, oldest first: (batch, dilation - 1, hidden_size).

    Shapes: below (batch, input_size). Errors: TypeError for a cell of another kind or a dilation that is no whole
    number, ValueError for a dilation below 1.
    Source: Chang et al. 2017, section 2.1, the dilated recurrent skip connection.
    """

    def __init__(self, cell: Cell, dilation: int):
        check_steps("Dilated", "dilation", dilation)
        super().__init__(check_cell("Dilated", cell).input_size, cell.hidden_size)
        self.cell, self.dilation = cell, dilation
        _ = self.state_type  # refuses a cell whose state has such fields already

    @property
    def state_type(self) -> type:
        """The state of the cell, and ``past_...`` for each of its fields."""
        inner = self.cell.state_type
        return extended(inner, "Dilated", tuple(f"past_{field}" for field in inner._fields))

    def initial_state(self, batch_size: int) -> State:
        """The initial state of the cell, ``dilation`` times."""
        state = self.cell.initial_state(batch_size)
        return self._pack([field.expand(self.dilation, *field.shape) for field in state])

    def forward(self, below: Float[Tensor, "batch input_size"], state: State) -> State:
        rings = self._unpack(state)
        new = self.cell(below, self.cell.state_type(*(ring[0] for ring in rings)))
        past = (torch.cat([ring[1:], field[None]])[:-1].transpose(0, 1) for ring, field in zip(rings, new))
        return self.state_type(*new, *past)

    def quick_row(self, below: Float[Tensor, "time batch input_size"], state: State) -> tuple[Tensor, State] | None:
        """h at every time and the last state, by one row of the cell over ``dilation`` interleaved sequences.

        Steps k, k + dilation, k + 2 dilation, ... depend on each other alone: a sequence of its own in the batch.
        None where there are fewer steps than that, and for cells that have no fused row.
        """
        num_steps, batch_size, width = below.shape
        if num_steps < self.dilation or not fast.is_fusable(self.cell, below):
            return None
        missing = -num_steps % self.dilation
        threads = functional.pad(below, (0, 0, 0, 0, 0, missing)).reshape(-1, self.dilation * batch_size, width)
        ended = None
        if missing:
            ended = torch.zeros(len(threads), self.dilation, batch_size, dtype=torch.bool, device=below.device)
            ended[-1, -missing:] = True
            ended = ended.flatten(1)
        old = self.cell.state_type(*(ring.flatten(0, 1) for ring in self._unpack(state)))
        h, last = fast.open_row(self.cell, threads, old, ended)
        rings = [field.unflatten(0, (self.dilation, batch_size)).roll(-num_steps, 0) for field in last]
        return h.reshape(-1, batch_size, self.hidden_size)[:num_steps], self._pack(rings)

    def _unpack(self, state: State) -> list[Tensor]:
        """For each field of the cell's state its last ``dilation`` values, oldest first: (dilation, batch, ...)."""
        newest = inner_state(self.cell, state)
        return [torch.cat([p.transpose(0, 1), n[None]]) for n, p in zip(newest, state[len(newest) :])]

    def _pack(self, rings: Sequence[Tensor]) -> State:
        return self.state_type(*(ring[-1] for ring in rings), *(ring[:-1].transpose(0, 1) for ring in rings))

    def extra_repr(self) -> str:
        return f"dilation={self.dilation}"


class DilatedStack(Stack):
    """A stack whose layer l continues from its state of ``dilations[l-1]`` steps ago, by default 2^(l-1).

    Equation: s_t^(l) = f^(l)(up_t^(l-1), s_{t-d_l}^(l)), where s is h, and c in an LSTM.

    Every layer updates at every step: upper layers are no slower, but an error at step t reaches step t - k in about
    k/d_l steps of layer l instead of k. ``options`` are Stack's; ``DilatedStack.uniform(GRUCell, 8, 16, 4)`` makes
    equal layers. With dilations of 1 it is the plain stack. The first dilation is 1 in the paper's base form. The
    paper's other form starts with a larger one and needs a last layer that fuses neighbouring steps; that layer is
    not here.

    Errors: those of Stack; ValueError for dilations that are not one a layer.
    Source: Chang et al. 2017, sections 2.1 and 2.2.
    """

    def __init__(
        self, cells: Sequence[Cell] | nn.ModuleList, *, dilations: Sequence[int] | None = None, **options: object
    ):
        cells = check_cells(cells)
        dilations = check_one_a_layer("dilations", dilations, len(cells))
        super().__init__([Dilated(cell, dilation) for cell, dilation in zip(cells, dilations)], **options)

    @property
    def dilations(self) -> tuple[int, ...]:
        """d_1..d_L, in steps, bottom to top."""
        return tuple(cell.dilation for cell in self.cells)

    @classmethod
    def from_torch(cls, module: nn.RNNBase, **options: object) -> "DilatedStack":
        """A dilated stack with the weights of a torch module; see Stack.from_torch."""
        stack = Stack.from_torch(module)
        return cls(stack.cells, dropout=stack.dropout, **options).train(module.training)
