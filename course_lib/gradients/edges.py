"""One edge of the grid: how a node depends on its own past and on what it reads from below."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from course_lib.cells import State
from course_lib.grid import Grid
from course_lib.stack import Stack, plain


def jacobian(of: Float[Tensor, "batch n"], wrt: Float[Tensor, "batch m"]) -> Float[Tensor, "batch n m"]:
    """The Jacobian of one node with respect to another, for every sequence of the batch; zero where no path leads.

    Equation: J[b, i, j] = d of[b, i] / d wrt[b, j]. Sequences of a batch do not depend on each other.
    Errors: RuntimeError from torch if the nodes come from a pass without gradients.
    """
    one_hot = torch.eye(of.shape[-1], dtype=of.dtype, device=of.device)[:, None].expand(-1, *of.shape)
    (rows,) = torch.autograd.grad(of, wrt, one_hot, retain_graph=True, allow_unused=True, is_grads_batched=True)
    if rows is None:  # no path leads there; materialize_grads would drop the axis of one_hot
        return of.new_zeros(*of.shape, wrt.shape[-1])
    return rows.movedim(0, 1)


def edge_jacobians(
    stack: Stack, grid: Grid, layer: int, time: int
) -> tuple[Float[Tensor, "batch s s"], Float[Tensor, "batch s input_size"]]:
    """The two edges that end at a node: by time, from its state a step before, and by depth, from what it reads.

    Equation: A = ∂s_t^(l)/∂s_{t-1}^(l), D = ∂s_t^(l)/∂up_t^(l-1), each with the other held fixed. s is the whole
    state, h or, in an LSTM, [h, c]. What the cell reads is ``grid.up(layer - 1, time)``: x in layer 1, h of the layer
    below, or the stream with residuals. c of the layer below is not read: D has no columns for it.

    Errors: IndexError for a node outside the grid; TypeError for another network than a Stack; ValueError if the
    stack as it is now does not compute this node: other weights, dropout at work, a sequence that has ended.
    """
    grid.up(layer, time)  # refuses time 0
    size = sum(field.shape[-1] for field in numbers(grid.state(layer, time)).values())
    by_time, by_depth = row_edges(stack, grid, layer, range(time, time + 1))
    return by_time[0, :, :size], by_depth[0, :, :size]


def edge_norms(
    stack: Stack, grid: Grid
) -> tuple[Float[Tensor, "batch layers time"], Float[Tensor, "batch layers time"]]:
    """The norm of every edge, by time and by depth: what ``path_bound`` and ``residual_bound`` read.

    Equation: |A| and |D|, the spectral norms: the largest factor by which the edge lengthens a vector.
    Errors: those of ``edge_jacobians``.
    """
    _check_pass(stack, grid, 1)
    norms: tuple[list[Tensor], list[Tensor]] = ([], [])
    for layer in range(1, grid.num_layers + 1):
        size = sum(field.shape[-1] for field in numbers(grid.state(layer, 1)).values())
        for edge, found in zip(row_edges(stack, grid, layer), norms):
            found.append(torch.linalg.matrix_norm(edge[:, :, :size], 2).T)
    return torch.stack(norms[0], dim=1), torch.stack(norms[1], dim=1)


def row_edges(
    stack: Stack, grid: Grid, layer: int, times: range | None = None
) -> tuple[Float[Tensor, "time batch n s"], Float[Tensor, "time batch n input_size"]]:
    """Both edges of a layer's nodes at ``times``, by default at all of them, from one call of the cell.

    The rows are those of the state, n = s; where the connection is not ``plain``, those of ``up`` follow.
    Errors: those of ``edge_jacobians``.
    """
    _check_pass(stack, grid, layer)
    times = range(1, grid.num_steps + 1) if times is None else times
    read = torch.cat([grid.up(layer - 1, time) for time in times]).detach().requires_grad_()
    before = [grid.state(layer, time - 1) for time in times]
    past = type(before[0])(*(torch.cat(fields).detach() for fields in zip(*before, strict=True)))
    leaves = {name: field.requires_grad_() for name, field in numbers(past).items()}
    with torch.enable_grad():
        state = stack.cells[layer - 1](
            read, past._replace(**{n: x.view_as(getattr(past, n)) for n, x in leaves.items()})
        )
        rows = list(numbers(state).values())
        if stack.connections[layer - 1] is not plain:
            rows.append(stack.connections[layer - 1](read, state.h))
        rows = torch.cat(rows, dim=-1)
    _check_same(state.h, torch.cat([grid.h(layer, time) for time in times]), layer, times)
    by_time = torch.cat([jacobian(rows, leaf) for leaf in leaves.values()], dim=-1)
    split = (len(times), -1)
    return by_time.unflatten(0, split), jacobian(rows, read).unflatten(0, split)


def numbers(state: State) -> dict[str, Float[Tensor, "batch _"]]:
    """The fields of a state that can be differentiated, one axis of features each, h first: no clocks."""
    names = sorted(state._fields, key=lambda name: name != "h")
    return {name: x.flatten(1) for name in names if (x := getattr(state, name)).is_floating_point()}


def _check_pass(stack: Stack, grid: Grid, layer: int) -> None:
    if not isinstance(stack, Stack):
        raise TypeError(
            f"edges are those of a Stack, whose nodes read their past and the layer below, got {type(stack).__name__}"
        )
    if not isinstance(grid, Grid):
        raise TypeError(f"grid must be a Grid, as stack.grid(x) gives it, got {type(grid).__name__}")
    if grid.num_layers != stack.num_layers:
        raise ValueError(
            f"grid has {grid.num_layers} layers but stack has {stack.num_layers}; pass the grid of this stack"
        )
    mine, given = type(stack.cells[layer - 1].initial_state(1)), type(grid.state(layer, 0))
    if mine is not given:
        raise TypeError(f"layer {layer} of the stack has states {mine.__name__}, that of the grid {given.__name__}")
    idle = isinstance(stack.dropout, nn.Dropout) and stack.dropout.p == 0
    if layer > 1 and stack.dropout.training and not idle:
        raise ValueError(
            "the stack is in training mode with dropout, and a grid does not keep the masks that were drawn; "
            "call stack.eval() before stack.grid(x)"
        )


def _check_same(again: Tensor, stored: Tensor, layer: int, times: range) -> None:
    """The node computed again must be the grid's: otherwise these edges are not the ones that the pass went through."""
    tolerance = torch.finfo(stored.dtype).eps ** 0.5
    if stored.isnan().any():
        raise ValueError(f"layer {layer} holds NaN: look for it in the weights and in x")
    far = ~torch.isclose(again, stored, rtol=tolerance, atol=tolerance).flatten(1).all(1)
    if far.any():
        place = int(far.nonzero()[0])
        batch = len(stored) // len(times)
        raise ValueError(
            f"layer {layer} at time {times[place // batch]}, sequence {place % batch}, is not what the stack computes "
            "there now: the weights have changed, dropout was at work, the grid is another stack's, or the sequence "
            "had ended (take it alone, x[:length])"
        )
