"""What a stack refuses, and in which words: every message names the argument, both values and the rule."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from course_lib.cells import Cell, State


def check_cells(cells: Sequence[Cell] | nn.ModuleList) -> list[Cell]:
    """Cells that can stand on top of each other: at least one, no object twice, one dtype, one device."""
    if isinstance(cells, nn.Module) and not isinstance(cells, nn.ModuleList):
        raise TypeError(f"cells must be a list of cells, got one {type(cells).__name__}; write Stack([cell])")
    cells = list(cells)
    if not cells:
        raise ValueError("cells is empty; a stack needs at least one layer")
    for layer, cell in enumerate(cells, start=1):
        if not isinstance(cell, Cell):
            what = cell.__name__ if isinstance(cell, type) else type(cell).__name__
            raise TypeError(f"layer {layer} is {what}, which is no instance of course_lib.Cell")
        for below, other in enumerate(cells[: layer - 1], start=1):
            if cell is other:
                raise ValueError(
                    f"layers {below} and {layer} are the same cell object; each layer needs a cell of its own "
                    "(copy.deepcopy makes one)"
                )
    _check_same_kind(cells)
    return cells


def _check_same_kind(cells: list[Cell]) -> None:
    kinds = [(l, p.dtype, p.device) for l, cell in enumerate(cells, 1) for p in list(cell.parameters())[:1]]
    for layer, dtype, device in kinds[1:]:
        if (dtype, device) != kinds[0][1:]:
            raise TypeError(
                f"layer {kinds[0][0]} is {kinds[0][1]} on {kinds[0][2]} but layer {layer} is {dtype} on {device}; "
                "all layers must have one dtype and one device"
            )


def check_connections(connection: object, num_layers: int, plain: object) -> tuple:
    """One connection a layer, the first plain; a single one serves layers 2..L."""
    if callable(connection):
        return (plain, *[connection] * (num_layers - 1))
    if not isinstance(connection, Sequence) or isinstance(connection, str):
        raise TypeError(f"connection must be a function (below, h) -> up, or a list of them, got {connection!r}")
    if len(connection) != num_layers:
        raise ValueError(f"connection lists {len(connection)} entries for {num_layers} layers; give one a layer")
    for layer, each in enumerate(connection, start=1):
        if not callable(each):
            raise TypeError(f"connection of layer {layer} must be a function (below, h) -> up, got {each!r}")
    if connection[0] is not plain:
        raise ValueError("connection of layer 1 must be plain: its input is data, which no layer adds to its output")
    return tuple(connection)


def check_dropout(dropout: float | nn.Module) -> nn.Module:
    """A module that makes masks from ones; a probability becomes torch.nn.Dropout."""
    if isinstance(dropout, nn.Module):
        return dropout
    if isinstance(dropout, bool) or not isinstance(dropout, int | float):
        raise TypeError(f"dropout must be a probability or a module, got {dropout!r} of type {type(dropout).__name__}")
    if not 0 <= dropout <= 1:
        raise ValueError(f"dropout is a probability and must be in 0..1, got {dropout}")
    return nn.Dropout(float(dropout))


def check_input(name: str, x: Tensor, axes: tuple[str, ...], input_size: int, like: Tensor | None) -> None:
    """x with the axes named, the stack's input width, and the weights' dtype and device."""
    wanted = f"({', '.join(axes)}) with input_size={input_size}"
    if not isinstance(x, Tensor):
        cure = "; pass the padded tensor and lengths=" if isinstance(x, nn.utils.rnn.PackedSequence) else ""
        raise TypeError(f"{name} must be a tensor {wanted}, got {type(x).__name__}{cure}")
    if x.dim() != len(axes):
        raise ValueError(f"{name} must be {wanted}: {len(axes)} axes, got shape {tuple(x.shape)}")
    if x.shape[-1] != input_size:
        raise ValueError(f"{name} must be {wanted}, got width {x.shape[-1]} in shape {tuple(x.shape)}")
    for axis, size in zip(axes, x.shape):
        if size < 1:
            raise ValueError(f"{name} must have {axis} >= 1, got {axis}={size} in shape {tuple(x.shape)}")
    if like is not None:
        check_kind(name, x, like)


def check_kind(name: str, value: Tensor, like: Tensor) -> None:
    """The weights' dtype and device."""
    if value.dtype != like.dtype:
        raise TypeError(
            f"{name} has dtype {value.dtype} but the weights have {like.dtype}; convert {name} with "
            f".to({like.dtype}), or the stack with stack.to({value.dtype})"
        )
    if value.device != like.device:
        raise TypeError(
            f"{name} is on device {value.device} but the weights are on {like.device}; move one with .to(device)"
        )


def check_states(states: Sequence[State], templates: tuple[State, ...]) -> tuple[State, ...]:
    """One state a layer, of the cell's kind and the batch's shape; ``templates`` are the initial states."""
    if not isinstance(states, tuple | list) or hasattr(states, "_fields"):
        raise TypeError(f"states must be a tuple with one state a layer, got {type(states).__name__}")
    if len(states) != len(templates):
        raise ValueError(f"states has {len(states)} entries for {len(templates)} layers; give one a layer")
    for layer, (state, template) in enumerate(zip(states, templates), start=1):
        if type(state) is not type(template):
            raise TypeError(
                f"the state of layer {layer} must be {type(template).__name__}, got {type(state).__name__}; "
                "stack.initial_states(batch_size) gives the right kinds"
            )
        for field, value, wanted in zip(template._fields, state, template):
            if isinstance(wanted, Tensor):
                _check_field(f"{field} in the state of layer {layer}", value, wanted)
    return tuple(states)


def _check_field(name: str, value: Tensor, wanted: Tensor) -> None:
    if not isinstance(value, Tensor):
        raise TypeError(f"{name} must be a tensor, got {type(value).__name__}")
    if value.shape != wanted.shape:
        raise ValueError(
            f"{name} has shape {tuple(value.shape)} but must be (batch, hidden_size) = {tuple(wanted.shape)}"
        )
    check_kind(name, value, wanted)


def _lengths_tensor(lengths: Sequence[int]) -> Tensor:
    kind = type(lengths).__name__
    if isinstance(lengths, list | tuple):
        try:
            return torch.as_tensor(lengths)
        except (TypeError, ValueError, RuntimeError):
            kind = f"{kind} of {', '.join(sorted({type(each).__name__ for each in lengths}))}"
    raise TypeError(f"lengths must be an integer tensor or list (batch,), got {kind}")


def check_lengths(lengths: Tensor | Sequence[int], num_steps: int, batch_size: int, device: torch.device) -> Tensor:
    """(time, batch), True past each sequence's end; lengths (batch,) are integers in 1..T in any order."""
    if not isinstance(lengths, Tensor):
        lengths = _lengths_tensor(lengths)
    if lengths.dtype == torch.bool or lengths.is_floating_point() or lengths.is_complex():
        raise TypeError(f"lengths must be integers, got dtype {lengths.dtype}")
    lengths = lengths.long()  # the comparisons below exist for signed integers alone
    if lengths.shape != (batch_size,):
        raise ValueError(f"lengths must be (batch,) = ({batch_size},), got shape {tuple(lengths.shape)}")
    wrong = ((lengths < 1) | (lengths > num_steps)).nonzero().flatten().tolist()
    if wrong:
        raise ValueError(
            f"lengths[{wrong[0]}] is {int(lengths[wrong[0]])} but must be in 1..T, and x has T={num_steps} steps"
        )
    return torch.arange(num_steps, device=device)[:, None] >= lengths.to(device)


def send_up(connection: Callable, below: Tensor, h: Tensor, layer: str) -> Tensor:
    """What the connection makes of zeros, without gradients; ValueError, which names the layer, if it refuses them."""
    try:
        with torch.no_grad():
            return connection(below, h)
    except (ValueError, RuntimeError) as error:
        raise ValueError(f"{layer}, which its connection refuses: {error}") from error
