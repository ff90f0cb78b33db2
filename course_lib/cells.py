"""One node of the grid: a cell reads what comes from below and from the past, and gives its new state."""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


class RNNState(NamedTuple):
    """State of a vanilla or GRU cell: h, (batch, hidden_size)."""

    h: Float[Tensor, "batch hidden_size"]


class LSTMState(NamedTuple):
    """State of an LSTM cell: h, which goes up, and c, which stays inside its layer; both (batch, hidden_size)."""

    h: Float[Tensor, "batch hidden_size"]
    c: Float[Tensor, "batch hidden_size"]


State = tuple  # any named tuple of tensors that has a field h


def check_size(owner: str, name: str, value: int) -> None:
    """Refuse a size that is no whole number of at least 1: TypeError for its kind, ValueError for its range."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{owner}: {name} must be an int, got {value!r} of type {type(value).__name__}")
    if value < 1:
        raise ValueError(f"{owner}: {name} must be at least 1, got {value}")


def first_weight(module: nn.Module) -> Tensor | None:
    """A parameter that says dtype and device: one of its own, else what torch's walk finds, which takes 3 us."""
    for weight in module._parameters.values():
        if weight is not None:
            return weight
    return next(module.parameters(), None)


class Cell(nn.Module):
    """The contract of every node: ``new_state = cell(below, state)``.

    Equation: h_t^(l) = f^(l)(h_t^(l-1), h_{t-1}^(l)).

    A subclass writes ``forward``. If it names its ``gates``, it gets torch's four parameters, one block of
    ``hidden_size`` rows a gate, drawn from U(-1/sqrt(hidden_size), 1/sqrt(hidden_size)); if not, it makes its own.
    ``state_type`` is a named tuple whose field ``h`` is what goes up. Nothing is to be registered.

    Shapes: below (batch, input_size); every field of the state (batch, hidden_size).
    Errors: TypeError or ValueError for a size that is no whole number of at least 1.
    Source: torch.nn.RNNCell, LSTMCell and GRUCell for names, layout and initial weights.
    """

    gates: tuple[str, ...] = ()
    state_type: type = RNNState

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__()
        check_size(type(self).__name__, "input_size", input_size)
        check_size(type(self).__name__, "hidden_size", hidden_size)
        self.input_size, self.hidden_size = input_size, hidden_size
        if self.gates:
            rows, bound = len(self.gates) * hidden_size, 1 / math.sqrt(hidden_size)
            # Two biases, although one would do for vanilla and LSTM: with torch's names, torch's weights fit.
            shapes = {"weight_ih": (rows, input_size), "weight_hh": (rows, hidden_size)}
            for name, shape in (shapes | {"bias_ih": (rows,), "bias_hh": (rows,)}).items():
                self.register_parameter(name, nn.Parameter(torch.empty(shape).uniform_(-bound, bound)))

    def extra_repr(self) -> str:
        return f"{self.input_size}, {self.hidden_size}"

    def initial_state(self, batch_size: int) -> State:
        """Zeros for every field of the state, (batch_size, hidden_size), on the weights' device and in their dtype."""
        check_size(type(self).__name__, "batch_size", batch_size)
        weight = first_weight(self)
        weight = next(self.buffers(), torch.empty(0)) if weight is None else weight
        zeros = weight.new_zeros(batch_size, self.hidden_size)
        return self.state_type(*[zeros for _ in self.state_type._fields])

    def from_below(self, below: Float[Tensor, "batch input_size"]) -> Float[Tensor, "batch rows"]:
        """W_ih h_t^(l-1) + b_ih: what the layer below adds to every gate."""
        self._check("below", below, self.input_size)
        return functional.linear(below, self.weight_ih, self.bias_ih)

    def from_past(self, h: Float[Tensor, "batch hidden_size"]) -> Float[Tensor, "batch rows"]:
        """W_hh h_{t-1}^(l) + b_hh: what the step before adds to every gate."""
        self._check("state.h", h, self.hidden_size)
        return functional.linear(h, self.weight_hh, self.bias_hh)

    def _check(self, name: str, value: Tensor, width: int) -> None:
        if value.shape[-1] != width:
            raise ValueError(
                f"{type(self).__name__}({self.extra_repr()}): {name} must be (batch, {width}), got {tuple(value.shape)}"
            )


class RNNCell(Cell):
    """The vanilla cell: h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh) (Elman 1990; torch.nn.RNN)."""

    gates = ("h",)

    def forward(self, below: Float[Tensor, "batch input_size"], state: RNNState) -> RNNState:
        return RNNState(torch.tanh(self.from_below(below) + self.from_past(state.h)))


class LSTMCell(Cell):
    """The LSTM cell: c_t = f c_{t-1} + i g, h_t = o tanh(c_t) (Hochreiter 1997, Gers 2000; torch.nn.LSTM)."""

    gates = ("i", "f", "g", "o")
    state_type = LSTMState

    def forward(self, below: Float[Tensor, "batch input_size"], state: LSTMState) -> LSTMState:
        i, f, g, o = (self.from_below(below) + self.from_past(state.h)).chunk(4, dim=-1)
        c = f.sigmoid() * state.c + i.sigmoid() * g.tanh()
        return LSTMState(h=o.sigmoid() * c.tanh(), c=c)


class GRUCell(Cell):
    """The GRU cell: h_t = (1 - z) n + z h_{t-1}, reset after the product (Cho 2014; torch.nn.GRU)."""

    gates = ("r", "z", "n")

    def forward(self, below: Float[Tensor, "batch input_size"], state: RNNState) -> RNNState:
        r_x, z_x, n_x = self.from_below(below).chunk(3, dim=-1)
        r_h, z_h, n_h = self.from_past(state.h).chunk(3, dim=-1)
        r, z = (r_x + r_h).sigmoid(), (z_x + z_h).sigmoid()
        # r multiplies b_hn too, so the GRU's second bias is a parameter of its own.
        n = (n_x + r * n_h).tanh()
        return RNNState((1 - z) * n + z * state.h)
