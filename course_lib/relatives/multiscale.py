"""The hierarchical multiscale LSTM: each layer finds out when a segment ends, and only then speaks to the next."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Integer
from torch import Tensor, nn

from course_lib import arguments, fast
from course_lib.cells import Cell, check_size
from course_lib.grid import Grid
from course_lib.relatives.boundary import boundary
from course_lib.stack import as_node


class MultiscaleState(NamedTuple):
    """State of one layer: h and c, (batch, hidden_size), and z, (batch, 1): 1.0 if a segment ended here, else 0.0."""

    h: Float[Tensor, "batch hidden_size"]
    c: Float[Tensor, "batch hidden_size"]
    z: Float[Tensor, "batch 1"]


class MultiscaleCell(Cell):
    """One layer's step: UPDATE, COPY or FLUSH, as this layer's last boundary and the boundary below say.

    Equations: a = b W_ih h_t^(l-1) + W_hh h_{t-1}^(l) + p W_top h_{t-1}^(l+1) + bias, p = z_{t-1}^(l), b = z_t^(l-1);
    the blocks of a give i, f, o = sigmoid, g = tanh (torch's order i, f, g, o) and, one row, z_t^(l) = boundary.
        p=0, b=1  UPDATE  c_t = f c_{t-1} + i g,  h_t = o tanh(c_t)
        p=0, b=0  COPY    c_t = c_{t-1},          h_t = h_{t-1}
        p=1       FLUSH   c_t = i g,              h_t = o tanh(c_t)
    The three cases are written as one sum with factors p, 1 - p, b and 1 - b, so that gradients reach the boundaries
    (the reading taken here). z is computed in every case. ``above_size`` None is the top layer: no W_top, and z stays
    0.

    Shapes: below (batch, input_size), above (batch, above_size), b (batch, 1). One bias, as in the paper.
    Source: Chung, Ahn and Bengio 2017, section 3.1, equations 1 to 7.
    """

    state_type = MultiscaleState

    def __init__(self, input_size: int, hidden_size: int, above_size: int | None = None):
        super().__init__(input_size, hidden_size)
        self.above_size, self.slope = above_size, 1.0
        rows, bound = 4 * hidden_size + (above_size is not None), hidden_size**-0.5
        shapes = {"weight_ih": (rows, input_size), "weight_hh": (rows, hidden_size), "bias": (rows,)}
        shapes |= {} if above_size is None else {"weight_top": (rows, above_size)}
        for name, shape in shapes.items():
            self.register_parameter(name, nn.Parameter(torch.empty(shape).uniform_(-bound, bound)))

    def initial_state(self, batch_size: int) -> MultiscaleState:
        """Zeros: nothing is known and no segment has ended."""
        check_size("MultiscaleCell", "batch_size", batch_size)
        zeros = self.bias.new_zeros(batch_size, self.hidden_size)
        return MultiscaleState(zeros, zeros, zeros[:, :1])

    def forward(
        self,
        below: Float[Tensor, "batch input_size"],
        state: MultiscaleState,
        above: Float[Tensor, "batch above_size"] | None = None,
        b: Float[Tensor, "batch 1"] | float = 1.0,
    ) -> MultiscaleState:
        p = state.z
        scores = b * (below @ self.weight_ih.T) + state.h @ self.weight_hh.T + self.bias
        if self.above_size is not None:
            scores = scores + p * (above @ self.weight_top.T)
        i, f, g, o = scores[:, : 4 * self.hidden_size].chunk(4, dim=-1)
        fresh = i.sigmoid() * g.tanh()
        copies = (1 - p) * (1 - b)
        c = p * fresh + (1 - p) * b * (f.sigmoid() * state.c + fresh) + copies * state.c
        h = (1 - copies) * o.sigmoid() * c.tanh() + copies * state.h
        z = torch.zeros_like(p) if self.above_size is None else boundary(scores[:, -1:], self.slope)
        return MultiscaleState(h, c, z)

    def extra_repr(self) -> str:
        return f"{self.input_size}, {self.hidden_size}, above_size={self.above_size}"


class GatedSum(nn.Module):
    """What the network says at a step, from all its layers: a gated sum of what each would say.

    Equation: out = relu(sum over l of g^(l) W^(l) h^(l)), g^(l) = sigmoid(w^(l) [h^(1); ...; h^(L)]), a number a layer.
    Shapes: h of every layer, (*, h_l) each; out (*, output_size). No biases.
    Source: Chung et al. 2017, the output module of the character models, figure 2 (right).
    """

    def __init__(self, hidden_sizes: Sequence[int], output_size: int):
        super().__init__()
        self.gates = nn.Linear(sum(hidden_sizes), len(hidden_sizes), bias=False)
        self.lifts = nn.ModuleList(nn.Linear(width, output_size, bias=False) for width in hidden_sizes)

    def forward(self, hs: Sequence[Float[Tensor, "*time batch _"]]) -> Float[Tensor, "*time batch output_size"]:
        gates = self.gates(torch.cat(tuple(hs), dim=-1)).sigmoid().split(1, dim=-1)
        return sum(gate * lift(h) for gate, lift, h in zip(gates, self.lifts, hs, strict=True)).relu()


class MultiscaleLSTM(nn.Module):
    """The hierarchical multiscale LSTM: a layer is woken by the boundaries of the one below, and resets at its own.

    Equations: MultiscaleCell, bottom to top at each step, with h_t^(0) = x_t and z_t^(0) = 1: layer 1 always reads.
    What comes from above is that of the step before. The top layer has no detector (z = 0) and nothing above it, so
    it never flushes. The output is GatedSum's, ``output_size`` wide, by default as wide as the top layer: the top
    alone would be silent between its updates.

    It is called as a Stack is: ``output, states = net(x, states=None, lengths=None)``, and ``step``, ``rows``,
    ``grid``. After ``step``, ``net.output([state.h for state in states])`` is the output. No Stack can hold it,
    because its layers look up as well as down. ``net.slope`` is that of the boundaries, see ``boundary`` and
    ``annealed_slope``. No layer normalisation. States go in and come out.

    Errors: ValueError for sizes and ranges, TypeError for kinds, dtypes and devices.
    Source: Chung, Ahn and Bengio 2017, section 3.
    """

    def __init__(self, input_size: int, hidden_sizes: Sequence[int], output_size: int | None = None):
        super().__init__()
        if not isinstance(hidden_sizes, Sequence) or isinstance(hidden_sizes, str):
            raise TypeError(f"MultiscaleLSTM: hidden_sizes must be a list, one width a layer, got {hidden_sizes!r}")
        if not hidden_sizes:
            raise ValueError("MultiscaleLSTM: hidden_sizes is empty; give the width of at least one layer")
        self.input_size, self.hidden_sizes = input_size, tuple(hidden_sizes)
        self.output_size = hidden_sizes[-1] if output_size is None else output_size
        sizes = {f"hidden_size of layer {layer}": width for layer, width in enumerate(hidden_sizes, start=1)}
        sizes |= {"input_size": input_size, "output_size": self.output_size}
        for name, size in sizes.items():
            check_size("MultiscaleLSTM", name, size)
        below, above = (input_size, *hidden_sizes[:-1]), (*hidden_sizes[1:], None)
        self.cells = nn.ModuleList(map(MultiscaleCell, below, hidden_sizes, above))
        self.output = GatedSum(hidden_sizes, self.output_size)

    @property
    def num_layers(self) -> int:
        """L, the number of layers."""
        return len(self.cells)

    @property
    def slope(self) -> float:
        """The slope of the boundaries' hard sigmoid, 1 at first: gradients depend on it, outputs do not."""
        return self.cells[0].slope

    @slope.setter
    def slope(self, value: int | float) -> None:
        """Refuses what is not above 0."""
        if not value > 0:
            raise ValueError(f"slope must be above 0, got {value}")
        for cell in self.cells:
            cell.slope = float(value)

    def get_extra_state(self) -> float:
        """The slope belongs to ``state_dict``: training goes on with it."""
        return self.slope

    def set_extra_state(self, state: float) -> None:
        """The slope of a loaded ``state_dict``."""
        self.slope = state

    def initial_states(self, batch_size: int) -> tuple[MultiscaleState, ...]:
        """Zeros for every layer, bottom to top."""
        return tuple(cell.initial_state(batch_size) for cell in self.cells)

    def step(
        self, x_t: Float[Tensor, "batch input_size"], states: Sequence[MultiscaleState]
    ) -> tuple[MultiscaleState, ...]:
        """One column: the new state of every layer at one time, bottom to top."""
        arguments.check_input("x_t", x_t, ("batch", "input_size"), self.input_size, self.cells[0].bias)
        return self._column(x_t, arguments.check_states(states, self.initial_states(len(x_t))))

    def forward(
        self,
        x: Float[Tensor, "time batch input_size"],
        states: Sequence[MultiscaleState] | None = None,
        lengths: Integer[Tensor, " batch"] | Sequence[int] | None = None,
    ) -> tuple[Float[Tensor, "time batch output_size"], tuple[MultiscaleState, ...]]:
        """The output at every time, zero past a sequence's end, and every layer's last state."""
        x, states, ended = self._enter(x, states, lengths)
        columns = self._columns(x, states, ended)
        return fast.silence(self.output(_rows(columns)), ended), columns[-1]

    def rows(
        self,
        x: Float[Tensor, "time batch input_size"],
        states: Sequence[MultiscaleState] | None = None,
        lengths: Integer[Tensor, " batch"] | Sequence[int] | None = None,
    ) -> tuple[Float[Tensor, "time batch _"], ...]:
        """h of every layer at every time, bottom to top; past a sequence's end h repeats."""
        return _rows(self._columns(*self._enter(x, states, lengths)))

    def boundaries(
        self,
        x: Float[Tensor, "time batch input_size"],
        states: Sequence[MultiscaleState] | None = None,
        lengths: Integer[Tensor, " batch"] | Sequence[int] | None = None,
    ) -> Float[Tensor, "detectors time batch"]:
        """z of layers 1..L-1 at every time: 1.0 where the layer ends a segment; 0 past a sequence's end.

        Entry [l-1, t-1, n] is z_t^(l). The top layer has no detector; with L = 1 there is none at all.
        """
        x, states, ended = self._enter(x, states, lengths)
        columns = self._columns(x, states, ended)
        z = torch.stack([torch.stack([state.z[:, 0] for state in column]) for column in columns], dim=1)[:-1]
        return z if ended is None else z.masked_fill(ended, 0)

    def grid(
        self,
        x: Float[Tensor, "time batch input_size"],
        states: Sequence[MultiscaleState] | None = None,
        lengths: Integer[Tensor, " batch"] | Sequence[int] | None = None,
    ) -> Grid:
        """Every node of the pass; what leaves a layer upwards is its h, whether the next one reads it or not."""
        x, states, ended = self._enter(x, states, lengths)
        inputs = tuple(as_node(x_t) for x_t in x)
        initial = tuple(MultiscaleState(*map(as_node, state)) for state in states)
        columns = self._columns(inputs, initial, ended)
        ups = [
            tuple(fast.silence(state.h, None if ended is None else ended[time]) for state in column)
            for time, column in enumerate(columns)
        ]
        return Grid(inputs, (initial, *columns), tuple(ups))

    def _column(
        self, below: Tensor, states: Sequence[MultiscaleState], ended: Tensor | None = None
    ) -> tuple[MultiscaleState, ...]:
        """All layers at one time; from above comes the state before, from below the new one."""
        column, b = [], 1.0
        above = [*(state.h for state in states[1:]), None]
        for cell, state, down in zip(self.cells, states, above, strict=True):
            new = cell(below, state, down, b)
            below, b = new.h, new.z
            column.append(fast.freeze(new, state, ended))
        return tuple(column)

    def _columns(
        self, x: Sequence[Tensor] | Tensor, states: tuple[MultiscaleState, ...], ended: Tensor | None
    ) -> list[tuple[MultiscaleState, ...]]:
        """The columns of times 1..T."""
        columns = []
        for time, x_t in enumerate(x):
            states = self._column(x_t, states, None if ended is None else ended[time])
            columns.append(states)
        return columns

    def _enter(
        self, x: Tensor, states: Sequence[MultiscaleState] | None, lengths: Tensor | Sequence[int] | None
    ) -> tuple[Tensor, tuple[MultiscaleState, ...], Bool[Tensor, "time batch"] | None]:
        """The arguments, checked: x zero past each end, one state a layer, where each sequence has ended."""
        arguments.check_input("x", x, ("time", "batch", "input_size"), self.input_size, self.cells[0].bias)
        templates = self.initial_states(x.shape[1])
        states = templates if states is None else arguments.check_states(states, templates)
        ended = None if lengths is None else arguments.check_lengths(lengths, *x.shape[:2], x.device)
        return fast.silence(x, ended), states, ended


def _rows(columns: Sequence[tuple[MultiscaleState, ...]]) -> tuple[Tensor, ...]:
    """h of every layer, (time, batch, width) each."""
    return tuple(torch.stack([state.h for state in row]) for row in zip(*columns))
