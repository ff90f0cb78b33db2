"""How much of the loss's gradient does each node get?"""

import torch
from jaxtyping import Float
from torch import Tensor

from course_lib.grid import Grid


def gradient_map(loss: Float[Tensor, ""], grid: Grid, of: str = "h") -> Float[Tensor, "layers time"]:
    """The size of the loss's gradient at every node of layers 1..L and times 1..T, from one backward pass.

    Equation: M[l-1, t-1] = mean over the batch of |∂loss/∂h_t^(l)|, the Euclidean norm over features: the total
    derivative, over all paths from the node to the loss. The loss is to be summed over the batch, since a mean would
    divide by the batch's size. Nodes that the loss does not depend on have 0.

    ``of="c"`` asks along an LSTM's cell line, where ∂loss/∂c_t contains the path through h_t. In a stack of several
    kinds of cell, layers without c have 0.
    Errors: ValueError for a loss that is no single number, or does not depend on this grid, or if no layer has ``of``.
    """
    if of not in ("h", "c"):
        raise ValueError(f"of must be 'h' or 'c', got {of!r}")
    if not isinstance(loss, Tensor):
        raise TypeError(f"loss must be a tensor, computed from this grid's nodes, got {type(loss).__name__}")
    if loss.numel() != 1:
        raise ValueError(f"loss must be one number, summed over the batch, got shape {tuple(loss.shape)}")
    places = [(l, t) for l in range(1, grid.num_layers + 1) for t in range(1, grid.num_steps + 1)]
    having = [place for place in places if hasattr(grid.state(*place), of)]
    if not having:
        kinds = sorted({type(grid.state(l, 1)).__name__ for l in range(1, grid.num_layers + 1)})
        raise ValueError(
            f"of={of!r}: no layer's state has that field, got {', '.join(kinds)}; c is in LSTM layers only"
        )
    slopes = _slopes(loss, grid, [getattr(grid.state(*place), of) for place in having])
    sizes = dict(zip(having, (slope.flatten(1).norm(dim=1).mean() for slope in slopes)))
    none = torch.zeros_like(next(iter(sizes.values())))
    return torch.stack([sizes.get(place, none) for place in places]).unflatten(0, (grid.num_layers, grid.num_steps))


def _slopes(loss: Tensor, grid: Grid, nodes: list[Tensor]) -> tuple[Tensor, ...]:
    """∂loss/∂node for every node, zero where no path leads."""
    advice = "build the loss from this grid's own nodes, grid.h, grid.up or grid.row, and with gradients enabled"
    if not loss.requires_grad:
        raise ValueError(f"loss is not attached to anything; {advice}")
    states = [grid.h(layer, time) for layer in range(1, grid.num_layers + 1) for time in range(1, grid.num_steps + 1)]
    asked = {id(node): node for node in nodes + states if node.requires_grad}
    slopes = torch.autograd.grad(loss, list(asked.values()), retain_graph=True, allow_unused=True) if asked else ()
    found = dict(zip(asked, slopes))
    if all(slope is None for slope in slopes):
        raise ValueError(f"loss depends on no node of this grid; {advice}")
    return tuple(torch.zeros_like(node) if (slope := found.get(id(node))) is None else slope for node in nodes)
