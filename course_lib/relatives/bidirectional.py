"""Two stacks that read the same sequence in opposite directions: any cell, any stack can be made bidirectional."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Integer
from torch import Tensor, nn

from course_lib import arguments, fast
from course_lib.cells import Cell, check_size
from course_lib.stack import Stack, cell_of, plain, take_weights


class BothStates(NamedTuple):
    """The states of the two directions; each is what its stack takes and gives: one state a layer."""

    forward: tuple
    backward: tuple


class Bidirectional(nn.Module):
    """One stack reads a sequence from its start, another from its end; what both send up stands side by side.

    Equation: output_t = [forward(x_1..x_T)_t ; backward(x_T..x_1)_{T+1-t}], T the sequence's own length.

    Each may be a Stack or another network called like one. The backward stack reads every sequence reversed within its
    own length, so that padding is never read. Its last state is that after step 1, and its initial state stands after
    step T: a chunk continues the forward direction alone. An output waits for the end of its sequence.

    Shapes: x (time, batch, input_size); output (time, batch, output_size), the two output sizes together.
    Errors: TypeError for what is no such network, ValueError for two that are one object or read different widths.
    Source: Schuster and Paliwal 1997, section II.
    """

    def __init__(self, forward: nn.Module, backward: nn.Module):
        super().__init__()
        _check_directions(forward, backward)
        # Not named after the arguments: a module's ``forward`` is its call.
        self.directions = nn.ModuleList([forward, backward])
        self.input_size = forward.input_size
        self.output_size = forward.output_size + backward.output_size

    def initial_states(self, batch_size: int) -> BothStates:
        """The initial states of both stacks."""
        return BothStates(*(stack.initial_states(batch_size) for stack in self.directions))

    def forward(
        self,
        x: Float[Tensor, "time batch input_size"],
        states: Sequence[tuple] | None = None,
        lengths: Integer[Tensor, " batch"] | Sequence[int] | None = None,
    ) -> tuple[Float[Tensor, "time batch output_size"], BothStates]:
        """What both stacks send up at every time, zero past a sequence's end, and the last states of both."""
        arguments.check_input("x", x, ("time", "batch", "input_size"), self.input_size, next(self.parameters(), None))
        states = self._check_states(states, x.shape[1])
        ended = None if lengths is None else arguments.check_lengths(lengths, *x.shape[:2], x.device)
        (up, last), (back, last_back) = (
            stack(read, own, lengths) for stack, read, own in zip(self.directions, (x, reverse(x, ended)), states)
        )
        return torch.cat([up, reverse(back, ended)], dim=-1), BothStates(last, last_back)

    def _check_states(self, states: Sequence[tuple] | None, batch_size: int, where: str = "") -> BothStates:
        """States for both directions, of the kinds and shapes of the initial ones; ``where`` begins the messages."""
        templates = self.initial_states(batch_size)
        if states is None:
            return templates
        kind = type(states).__name__
        if not isinstance(states, tuple | list) or (hasattr(states, "_fields") and not isinstance(states, BothStates)):
            raise TypeError(f"{where}states must be BothStates(forward, backward), got {kind}")
        if len(states) != 2:
            raise ValueError(f"{where}states must be BothStates(forward, backward), got a {kind} of {len(states)}")
        for name, own, template in zip(BothStates._fields, states, templates):
            try:
                arguments.check_states(own, template)
            except (TypeError, ValueError) as error:
                raise type(error)(f"{where}{name}: {error}") from error
        return BothStates(*states)


class BidirectionalStack(nn.Module):
    """Layers that read both ways: layer l reads both directions of layer l - 1.

    Equation: up_t^(l) = connection(up_t^(l-1), [forward^(l) ; backward^(l)]_t), up_t^(0) = x_t.

    ``layers`` are Bidirectional; ``connection`` and ``dropout`` are those of Stack: a connection for layers 2..L or a
    list whose first is ``plain``, and a mask on what layers 2..L read, afresh each step, never on the residual stream.
    Every step of layer 2 reads the whole sequence, so it cannot run while the sequence still arrives.

    Shapes: x (time, batch, input_size); output (time, batch, output_size); states, one BothStates a layer.
    Errors: ValueError for sizes and ranges, TypeError for kinds, dtypes and devices, here wherever possible.
    Source: Graves, Jaitly and Mohamed 2013, section 2, deep bidirectional; torch.nn's wiring.
    """

    def __init__(
        self,
        layers: Sequence[Bidirectional] | nn.ModuleList,
        *,
        connection: Callable | Sequence[Callable] = plain,
        dropout: float | nn.Module = 0.0,
    ):
        super().__init__()
        self.layers = nn.ModuleList(_check_layers(layers))
        self.connections = arguments.check_connections(connection, len(self.layers), plain)
        modules = dict.fromkeys(each for each in self.connections if isinstance(each, nn.Module))
        self.connection_modules = nn.ModuleList(modules)  # so that their weights are the stack's
        self.dropout = arguments.check_dropout(dropout)
        self.output_size = self._climb()

    @classmethod
    def uniform(
        cls, cell: Callable[[int, int], Cell], input_size: int, hidden_size: int, num_layers: int, **options: object
    ) -> "BidirectionalStack":
        """Cells of one kind, ``hidden_size`` wide in each direction; ``options`` are connection and dropout."""
        if isinstance(cell, nn.Module):
            raise TypeError(f"cell must be a class such as LSTMCell, got an instance of {type(cell).__name__}")
        for name, size in {"hidden_size": hidden_size, "num_layers": num_layers}.items():
            check_size("BidirectionalStack.uniform", name, size)
        reads = [input_size] + [2 * hidden_size] * (num_layers - 1)
        pairs = [[Stack([cell(below, hidden_size)]) for _ in BothStates._fields] for below in reads]
        return cls([Bidirectional(*pair) for pair in pairs], **options)

    @property
    def num_layers(self) -> int:
        """L, the number of layers; each has two directions."""
        return len(self.layers)

    @property
    def input_size(self) -> int:
        """d, the width that layer 1 reads."""
        return self.layers[0].input_size

    def initial_states(self, batch_size: int) -> tuple[BothStates, ...]:
        """The initial states of every layer, bottom to top."""
        return tuple(layer.initial_states(batch_size) for layer in self.layers)

    def forward(
        self,
        x: Float[Tensor, "time batch input_size"],
        states: Sequence[Sequence[tuple]] | None = None,
        lengths: Integer[Tensor, " batch"] | Sequence[int] | None = None,
    ) -> tuple[Float[Tensor, "time batch output_size"], tuple[BothStates, ...]]:
        """What goes up from the top layer at every time, zero past a sequence's end, and every layer's last states."""
        arguments.check_input("x", x, ("time", "batch", "input_size"), self.input_size, next(self.parameters(), None))
        states = self._check_states(states, x.shape[1])
        ended = None if lengths is None else arguments.check_lengths(lengths, *x.shape[:2], x.device)
        up, last = fast.silence(x, ended), []
        for number, (layer, connection, own) in enumerate(zip(self.layers, self.connections, states), start=1):
            read = up if number == 1 else up * self.dropout(torch.ones_like(up))
            h, state = layer(read, own, lengths)
            up = fast.silence(connection(up, h), ended)
            last.append(state)
        return up, tuple(last)

    def _check_states(self, states: Sequence[Sequence[tuple]] | None, batch_size: int) -> Sequence[BothStates]:
        if states is None:
            return self.initial_states(batch_size)
        if not isinstance(states, tuple | list) or hasattr(states, "_fields"):
            raise TypeError(f"states must be a tuple with one BothStates a layer, got {type(states).__name__}")
        if len(states) != self.num_layers:
            raise ValueError(f"states has {len(states)} entries for {self.num_layers} layers; give one a layer")
        return [
            layer._check_states(own, batch_size, f"layer {number}: ")
            for number, (layer, own) in enumerate(zip(self.layers, states), start=1)
        ]

    def _climb(self) -> int:
        """Send zeros up once: every layer must read the width that comes from below. Returns the top width."""
        weight = next(self.parameters(), torch.empty(0))
        below = weight.new_zeros(1, 1, self.input_size)
        for number, (layer, connection) in enumerate(zip(self.layers, self.connections), start=1):
            if below.shape[-1] != layer.input_size:
                raise ValueError(
                    f"layer {number - 1} sends up width {below.shape[-1]}, both directions together, but layer "
                    f"{number} has input_size={layer.input_size}; they must be equal"
                )
            told = f"layer {number} has input_size={layer.input_size} and output_size={layer.output_size}"
            below = arguments.send_up(connection, below, below.new_zeros(1, 1, layer.output_size), told)
        return below.shape[-1]

    @classmethod
    def from_torch(cls, module: nn.RNNBase) -> "BidirectionalStack":
        """A stack with the weights, dtype, device and dropout of a bidirectional torch.nn.RNN (tanh), LSTM or GRU.

        It reads time first, whatever the module's batch_first; a missing bias becomes zeros.
        Errors: TypeError for another module; ValueError for relu, one-directional and projected modules.
        """
        cell = cell_of(module)
        if not module.bidirectional:
            raise ValueError(f"from_torch takes a bidirectional module; Stack.from_torch takes this one: {module}")
        if module.proj_size or getattr(module, "nonlinearity", "tanh") != "tanh":
            raise ValueError(f"from_torch: a stack has neither relu nor projections; got {module}")
        stack = cls.uniform(cell, module.input_size, module.hidden_size, module.num_layers, dropout=module.dropout)
        return take_weights(stack, module, _torch_names(stack))


def reverse(
    x: Float[Tensor, "time batch width"], ended: Bool[Tensor, "time batch"] | None = None
) -> Float[Tensor, "time batch width"]:
    """Every sequence from its end to its start; what stands past an end stays there. Its own inverse.

    ``ended`` is True past each sequence's end; None is no end before the last step.
    """
    if ended is None:
        return x.flip(0)
    times = torch.arange(len(x), device=x.device)[:, None]
    mirrored = (~ended).sum(0) - 1 - times
    return torch.take_along_dim(x, torch.where(ended, times, mirrored)[..., None], dim=0)


def _check_directions(forward: object, backward: object) -> None:
    for name, stack in (("forward", forward), ("backward", backward)):
        sizes = [getattr(stack, size, None) for size in ("input_size", "output_size")]
        if not isinstance(stack, nn.Module) or None in sizes or not hasattr(stack, "initial_states"):
            cure = "; write Stack([cell])" if isinstance(stack, Cell) else ""
            raise TypeError(
                f"Bidirectional: {name} must be a Stack, or a module called like one with input_size, output_size "
                f"and initial_states, got {type(stack).__name__}{cure}"
            )
    if forward is backward:
        raise ValueError(
            "Bidirectional: forward and backward are the same object; each direction needs weights of its own "
            "(copy.deepcopy makes a second stack)"
        )
    if forward.input_size != backward.input_size:
        raise ValueError(
            f"Bidirectional: forward has input_size={forward.input_size} but backward has "
            f"input_size={backward.input_size}; both read x, so they must be equal"
        )
    _check_same_kind([forward, backward], "Bidirectional: forward and backward")


def _check_same_kind(parts: Sequence[nn.Module], who: str) -> None:
    kinds = {(weight.dtype, weight.device) for part in parts for weight in list(part.parameters())[:1]}
    if len(kinds) > 1:
        told = " and ".join(sorted(f"{dtype} on {device}" for dtype, device in kinds))
        raise TypeError(f"{who} must have one dtype and one device, got {told}; move one with .to(...)")


def _check_layers(layers: Sequence[Bidirectional] | nn.ModuleList) -> list[Bidirectional]:
    if isinstance(layers, nn.Module) and not isinstance(layers, nn.ModuleList):
        raise TypeError(f"layers must be a list of Bidirectional, got one {type(layers).__name__}")
    layers = list(layers)
    if not layers:
        raise ValueError("layers is empty; a stack needs at least one layer")
    for number, layer in enumerate(layers, start=1):
        if not isinstance(layer, Bidirectional):
            raise TypeError(f"layer {number} is {type(layer).__name__}; it must be Bidirectional(forward, backward)")
    directions = [direction for layer in layers for direction in layer.directions]
    if len(set(map(id, directions))) < len(directions):
        raise ValueError("layers hold the same stack twice; each layer and direction needs one of its own")
    _check_same_kind(layers, "all layers")
    return layers


def _torch_names(stack: BidirectionalStack) -> Iterator[tuple[nn.Parameter, str]]:
    """Every parameter with torch's name: the backward weight_ih of layer 2 is weight_ih_l1_reverse."""
    for number, layer in enumerate(stack.layers):
        for direction, suffix in zip(layer.directions, ("", "_reverse")):
            for name, parameter in direction.cells[0].named_parameters():
                yield parameter, f"{name}_l{number}{suffix}"
