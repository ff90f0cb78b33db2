"""All nodes: every state of one forward pass, time across, depth up.

Glossary (the note's symbol: the code's name)

    t = 1..T     time, num_steps        h_t^(l)      grid.h(layer, time)
    l = 1..L     layer, num_layers      c_t^(l)      grid.state(layer, time).c
    d            input_size             h_t^(0)=x_t  grid.h(0, time)
    h, h_l       hidden_size            h_0^(l)      grid.h(layer, 0)
    W, U, b      weight_ih, weight_hh, bias_ih + bias_hh
"""

import operator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from course_lib.cells import State


@dataclass(frozen=True, eq=False, repr=False)
class Grid:
    """Every node of one forward pass, still attached to autograd.

    Indices are the mathematics': layer 0 is the input, time 0 the initial state. Nodes are separate tensors, so
    ``torch.autograd.grad(loss, grid.h(2, 7))`` works; ``row`` is a stacked copy, no part of the path to the loss.
    Input and initial nodes require grad.

    Shapes: every node (batch, width of its layer). Errors: IndexError for a node outside the grid.
    """

    inputs: tuple[Tensor, ...]  # inputs[time - 1]
    columns: tuple[tuple[State, ...], ...]  # columns[time][layer - 1]
    ups: tuple[tuple[Tensor, ...], ...]  # ups[time - 1][layer - 1]

    @property
    def num_layers(self) -> int:
        """L, the number of layers above the input."""
        return len(self.columns[0])

    @property
    def num_steps(self) -> int:
        """T, the number of steps after the initial state."""
        return len(self.inputs)

    def __len__(self) -> int:
        return self.num_steps

    def __repr__(self) -> str:
        widths = [self.inputs[0].shape[-1], *(state.h.shape[-1] for state in self.columns[0])]
        batch = self.inputs[0].shape[0]
        return f"Grid({self.num_layers} layers x {self.num_steps} steps, batch {batch}, widths {widths})"

    def h(self, layer: int, time: int) -> Float[Tensor, "batch width"]:
        """The node h_t^(l) itself: differentiate with respect to this. Layer 0 is the input, from time 1 on."""
        layer, time = self._inside(layer, time, first_layer=0, first_time=0 if layer else 1)
        return self.inputs[time - 1] if layer == 0 else self.columns[time][layer - 1].h

    def state(self, layer: int, time: int) -> State:
        """The whole state of a node, RNNState(h) or LSTMState(h, c). The input has none."""
        layer, time = self._inside(layer, time, first_layer=1, first_time=0)
        return self.columns[time][layer - 1]

    def up(self, layer: int, time: int) -> Float[Tensor, "batch width"]:
        """What leaves the layer upwards: connection(below, h); zero past a sequence's end. Layer 0 sends the input."""
        layer, time = self._inside(layer, time, first_layer=0, first_time=1)
        return self.inputs[time - 1] if layer == 0 else self.ups[time - 1][layer - 1]

    def row(self, layer: int) -> Float[Tensor, "time batch width"]:
        """One layer along times 1..T, stacked: a copy for reading, no node to differentiate with respect to."""
        return torch.stack([self.h(layer, time) for time in range(1, self.num_steps + 1)])

    def column(self, time: int) -> tuple[State, ...]:
        """The states of all layers at one time, bottom to top; time 0 is the initial state."""
        _, time = self._inside(1, time, first_layer=1, first_time=0)
        return self.columns[time]

    def _inside(self, layer: int, time: int, first_layer: int, first_time: int) -> tuple[int, int]:
        layer, time = operator.index(layer), operator.index(time)
        if not first_layer <= layer <= self.num_layers:
            raise IndexError(f"layer must be in {first_layer}..{self.num_layers}, got {layer}")
        if not first_time <= time <= self.num_steps:
            raise IndexError(f"time must be in {first_time}..{self.num_steps} at layer {layer}, got {time}")
        return layer, time
