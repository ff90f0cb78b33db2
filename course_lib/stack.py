"""The wiring: cells on top of each other, a connection from layer to layer, weights to and from torch."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise

import torch
from jaxtyping import Bool, Float, Integer
from torch import Tensor, nn

from course_lib import arguments, fast
from course_lib.cells import Cell, GRUCell, LSTMCell, RNNCell, State, check_size, first_weight
from course_lib.grid import Grid

TORCH_MODULES = {RNNCell: nn.RNN, LSTMCell: nn.LSTM, GRUCell: nn.GRU}


def plain(below: Float[Tensor, "*time batch below"], h: Float[Tensor, "*time batch width"]) -> Tensor:
    """What goes up is h alone: h_t^(l)."""
    return h


def residual(below: Float[Tensor, "*time batch below"], h: Float[Tensor, "*time batch width"]) -> Tensor:
    """What goes up is the sum: what came from below + h_t^(l), a stream along depth (Wu 2016, section 3.1)."""
    if below.shape[-1] != h.shape[-1]:  # width 1 would broadcast
        raise ValueError(
            f"residual adds what comes from below, width {below.shape[-1]}, to h, width {h.shape[-1]}; "
            "they must be equal"
        )
    return below + h


class Stack(nn.Module):
    """Cells on top of each other: a grid, time across, depth up.

    Equation: h_t^(l) = f^(l)(up_t^(l-1), h_{t-1}^(l)), up_t^(0) = x_t, up_t^(l) = connection(up_t^(l-1), h_t^(l)).

    Time comes first: x is (time, batch, input_size). ``connection`` is a function or module (below, h) -> what goes up,
    used by layers 2..L, or a list with one a layer whose first is ``plain``. ``dropout``, a probability or a module,
    masks what the cells of layers 2..L read, afresh each step, and never the residual stream.
    States go in and come out; the stack remembers nothing. It takes no unbatched input, no packed sequence and
    no projection.

    Errors: ValueError for sizes and ranges, TypeError for kinds, dtypes and devices, here wherever possible.
    Source: the note's N3 and N19; Graves 2013, section 2; Zaremba 2014, section 3, for the place of the dropout.
    """

    def __init__(
        self,
        cells: Sequence[Cell] | nn.ModuleList,
        *,
        connection: Callable | Sequence[Callable] = plain,
        dropout: float | nn.Module = 0.0,
    ):
        super().__init__()
        self.cells = nn.ModuleList(arguments.check_cells(cells))
        self.connections = arguments.check_connections(connection, len(self.cells), plain)
        modules = dict.fromkeys(each for each in self.connections if isinstance(each, nn.Module))
        self.connection_modules = nn.ModuleList(modules)  # so that their weights are the stack's
        self.dropout = arguments.check_dropout(dropout)
        self.output_size = self._climb()

    @classmethod
    def uniform(
        cls, cell: Callable[[int, int], Cell], input_size: int, hidden_size: int, num_layers: int, **options: object
    ) -> "Stack":
        """``num_layers`` cells of one kind and width; ``options`` are those of Stack."""
        if isinstance(cell, nn.Module):
            raise TypeError(f"cell must be a class such as LSTMCell, got an instance of {type(cell).__name__}")
        check_size("Stack.uniform", "num_layers", num_layers)
        sizes = [input_size] + [hidden_size] * num_layers
        return cls([cell(below, width) for below, width in pairwise(sizes)], **options)

    @property
    def num_layers(self) -> int:
        """L, the number of layers."""
        return len(self.cells)

    @property
    def input_size(self) -> int:
        """d, the width that layer 1 reads."""
        return self.cells[0].input_size

    @property
    def hidden_sizes(self) -> tuple[int, ...]:
        """h_1..h_L, the width of every layer, bottom to top."""
        return tuple(cell.hidden_size for cell in self.cells)

    def initial_states(self, batch_size: int) -> tuple[State, ...]:
        """The initial state of every layer, bottom to top; a cell without weights follows the stack's."""
        states = tuple(cell.initial_state(batch_size) for cell in self.cells)
        return states if (like := self._weight()) is None else tuple([_follow(state, like) for state in states])

    def step(self, x_t: Float[Tensor, "batch input_size"], states: Sequence[State]) -> tuple[State, ...]:
        """One column: the new state of every layer at one time, bottom to top."""
        arguments.check_input("x_t", x_t, ("batch", "input_size"), self.input_size, self._weight())
        states = arguments.check_states(states, self.initial_states(len(x_t)))
        return self._column(x_t, states, [mask if mask is None else mask[0] for mask in self._masks(x_t[None])])[0]

    def forward(
        self,
        x: Float[Tensor, "time batch input_size"],
        states: Sequence[State] | None = None,
        lengths: Integer[Tensor, " batch"] | Sequence[int] | None = None,
    ) -> tuple[Float[Tensor, "time batch output_size"], tuple[State, ...]]:
        """What goes up from the top layer at every time, zero past a sequence's end, and every layer's last state."""
        last = []
        for _, up, state in self._rows(*self._enter(x, states, lengths)):
            output = up  # the one of the layer below is free to go
            last.append(state)
        return output, tuple(last)

    def rows(
        self,
        x: Float[Tensor, "time batch input_size"],
        states: Sequence[State] | None = None,
        lengths: Integer[Tensor, " batch"] | Sequence[int] | None = None,
    ) -> tuple[Float[Tensor, "time batch _"], ...]:
        """h of every layer at every time, bottom to top; past a sequence's end h repeats."""
        x, states, ended = self._enter(x, states, lengths)
        return tuple(fast.repeat_last(h, last, ended) for h, _, last in self._rows(x, states, ended))

    def grid(
        self,
        x: Float[Tensor, "time batch input_size"],
        states: Sequence[State] | None = None,
        lengths: Integer[Tensor, " batch"] | Sequence[int] | None = None,
    ) -> Grid:
        """Every node of the pass, walked column by column; time * layers nodes stay in memory."""
        x, states, ended = self._enter(x, states, lengths)
        masks = self._masks(x)
        inputs = tuple(as_node(x_t) for x_t in x)
        columns, ups = [tuple(type(state)(*map(as_node, state)) for state in states)], []
        for time, x_t in enumerate(inputs):
            masks_t = [mask if mask is None else mask[time] for mask in masks]
            column, up = self._column(x_t, columns[-1], masks_t, None if ended is None else ended[time])
            columns.append(column)
            ups.append(up)
        return Grid(inputs, tuple(columns), tuple(ups))

    def _column(
        self, below: Tensor, states: Sequence[State], masks: list[Tensor | None], ended: Tensor | None = None
    ) -> tuple[tuple[State, ...], tuple[Tensor, ...]]:
        """All layers at one time: their new states, and what leaves each of them upwards."""
        column, ups = [], []
        for cell, state, connection, mask in zip(self.cells, states, self.connections, masks, strict=True):
            read = below if mask is None else below * mask
            state = fast.freeze(cell(read, state), state, ended)
            below = fast.silence(connection(below, state.h), ended)
            column.append(state)
            ups.append(below)
        return tuple(column), tuple(ups)

    def _rows(self, x: Tensor, states: Sequence[State], ended: Tensor | None) -> Iterator[tuple[Tensor, Tensor, State]]:
        """One layer at all times, layer by layer: its h, open past an end, what leaves it upwards, its last state."""
        below = x
        for cell, state, connection, mask in zip(self.cells, states, self.connections, self._masks(below), strict=True):
            read = below if mask is None else below * mask
            h, state = fast.open_row(cell, read, state, ended)
            below = fast.silence(connection(below, h), ended)
            yield h, below, state

    def _enter(
        self, x: Tensor, states: Sequence[State] | None, lengths: Tensor | Sequence[int] | None
    ) -> tuple[Tensor, tuple[State, ...], Bool[Tensor, "time batch"] | None]:
        """The arguments, checked: x zero past each end, one state a layer, where each sequence has ended."""
        arguments.check_input("x", x, ("time", "batch", "input_size"), self.input_size, self._weight())
        templates = self.initial_states(x.shape[1])
        states = templates if states is None else arguments.check_states(states, templates)
        ended = None if lengths is None else arguments.check_lengths(lengths, *x.shape[:2], x.device)
        return fast.silence(x, ended), states, ended

    def _masks(self, x: Float[Tensor, "time batch input_size"]) -> list[Tensor | None]:
        """What each layer's input is multiplied by, drawn bottom up for all times; None is no mask."""
        if type(self.dropout) is nn.Dropout and (not self.dropout.training or self.dropout.p == 0):
            return [None] * self.num_layers
        return [None, *(self.dropout(x.new_ones(*x.shape[:2], cell.input_size)) for cell in self.cells[1:])]

    def _weight(self) -> Tensor | None:
        found = first_weight(next(iter(self.cells)))
        return next(self.cells.parameters(), None) if found is None else found

    def _climb(self) -> int:
        """Send zeros up once: every cell must read the width that comes from below. Returns the top width."""
        weight = self._weight()
        below = torch.zeros(1, self.input_size) if weight is None else weight.new_zeros(1, self.input_size)
        for layer, (cell, connection) in enumerate(zip(self.cells, self.connections), start=1):
            if below.shape[-1] != cell.input_size:
                under = self.cells[layer - 2].hidden_size
                sent = "" if under == below.shape[-1] else f", sends up width {below.shape[-1]}"
                raise ValueError(
                    f"layer {layer - 1} has hidden_size={under}{sent} but layer {layer} has "
                    f"input_size={cell.input_size}; they must be equal"
                )
            told = f"layer {layer} has input_size={cell.input_size} and hidden_size={cell.hidden_size}"
            below = arguments.send_up(connection, below, below.new_zeros(1, cell.hidden_size), told)
        return below.shape[-1]

    def extra_repr(self) -> str:
        names = [getattr(each, "__name__", type(each).__name__) for each in self.connections]
        return f"connections=[{', '.join(names)}]"

    @classmethod
    def from_torch(cls, module: nn.RNNBase) -> "Stack":
        """A stack with the weights, dtype, device and dropout of a torch.nn.RNN (tanh), LSTM or GRU.

        The stack reads time first, whatever the module's batch_first; a missing bias becomes zeros.
        Errors: TypeError for another module; ValueError for relu, bidirectional and projected modules.
        """
        cell = cell_of(module)
        refused = {"nonlinearity": "relu", "bidirectional": True}
        refused |= {"proj_size": module.proj_size} if module.proj_size else {}
        for name, value in refused.items():
            if getattr(module, name, None) == value:
                raise ValueError(f"from_torch: a stack has no {name}={value!r}; got {module}")
        stack = cls.uniform(cell, module.input_size, module.hidden_size, module.num_layers, dropout=module.dropout)
        return take_weights(stack, module, _torch_names(stack))

    def to_torch(self) -> nn.RNNBase:
        """The torch.nn module with this stack's weights; it computes the same numbers.

        Errors: TypeError for cells or connections that torch's modules do not have, ValueError for unequal widths.
        """
        kinds = {type(cell) for cell in self.cells}
        if len(kinds) != 1 or not kinds <= set(TORCH_MODULES):
            names = [type(cell).__name__ for cell in self.cells]
            raise TypeError(f"to_torch needs one kind of RNNCell, LSTMCell or GRUCell in all layers, got {names}")
        if any(connection is not plain for connection in self.connections):
            raise TypeError(f"to_torch needs plain connections, got {self.extra_repr()}")
        if len(set(self.hidden_sizes)) != 1:
            raise ValueError(f"to_torch needs equal widths, got hidden_sizes={self.hidden_sizes}")
        if type(self.dropout) is not nn.Dropout:
            raise TypeError(f"to_torch needs a dropout probability, got {type(self.dropout).__name__}")
        dropout = self.dropout.p if self.num_layers > 1 else 0.0  # torch warns of a dropout that has no place
        make = TORCH_MODULES[kinds.pop()]
        module = make(self.input_size, self.hidden_sizes[0], self.num_layers, dropout=dropout)
        module.to(self._weight()).train(self.training)
        with torch.no_grad():
            for parameter, name in _torch_names(self):
                getattr(module, name).copy_(parameter)
        return module


def cell_of(module: nn.RNNBase) -> type[Cell]:
    """The kind of cell in a torch module: TypeError for another one."""
    for cell, torch_module in TORCH_MODULES.items():
        if type(module) is torch_module:
            return cell
    raise TypeError(f"from_torch takes torch.nn.RNN, LSTM or GRU, got {type(module).__name__}")


def take_weights(stack: nn.Module, module: nn.RNNBase, names: Iterable[tuple[nn.Parameter, str]]) -> nn.Module:
    """Give the stack a torch module's weights, dtype, device and mode; a bias that the module lacks becomes zeros."""
    stack.to(module.weight_ih_l0).train(module.training)
    with torch.no_grad():
        for parameter, name in names:
            parameter.copy_(getattr(module, name)) if hasattr(module, name) else parameter.zero_()
    return stack


def _torch_names(stack: Stack) -> Iterator[tuple[nn.Parameter, str]]:
    """Every parameter of the cells with torch's name: cells.0.weight_ih is weight_ih_l0."""
    for layer, cell in enumerate(stack.cells):
        for name, parameter in cell.named_parameters():
            yield parameter, f"{name}_l{layer}"


def _follow(state: State, like: Tensor) -> State:
    """The state with its floating-point fields in the dtype and on the device of the weights."""
    if state.h.dtype == like.dtype and state.h.device == like.device:
        return state
    floats = [isinstance(field, Tensor) and field.is_floating_point() for field in state]
    return type(state)(*(field.to(like) if moves else field for field, moves in zip(state, floats)))


def as_node(value: Tensor) -> Tensor:
    """A tensor to differentiate with respect to: itself if attached, else a leaf of its own.

    torch.func and forward mode keep their own account of what is attached, which a leaf would cut.
    """
    if not isinstance(value, Tensor) or not value.is_floating_point() or value.requires_grad or fast.is_transformed():
        return value
    return value.detach().requires_grad_()
