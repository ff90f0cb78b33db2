"""How large can the gradient be if all that is known of each edge is its norm?"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

Norms = Float[Tensor, "*batch layers time"] | Float[np.ndarray, "*batch layers time"] | Sequence[Sequence[float]]


class ResidualBound(NamedTuple):
    """Bounds of |∂h_t^(l)/∂x_1| and of |∂up_t^(l)/∂x_1|; up of the top layer at time T is the output."""

    h: Float[Tensor, "*batch layers time"]
    up: Float[Tensor, "*batch layers time"]


def path_bound(time_norms: Norms, depth_norms: Norms) -> Float[Tensor, "*batch layers time"]:
    """A bound of |∂h_t^(l)/∂x_1| at every node of a plain stack, from the norms of the edges that end there.

    Equation: G[l, t] = |A_t^(l)| G[l, t-1] + |D_t^(l)| G[l-1, t], with G[0, 1] = 1 and 0 elsewhere on the border: the
    sum over all paths of the product of their norms. For equal norms a and b it is C(t+l-2, l-1) a^(t-1) b^l.
    With squared norms that are means over a random stack, its root estimates the root mean square.

    ``time_norms[..., 0]`` is unused: x_1 is not in the initial state's past. Leading axes are kept.
    Errors: ValueError for unequal shapes, no layers or no steps, and norms that are negative, NaN or infinite.
    """
    return _bounds(time_norms, depth_norms, passes_by=False).h


def residual_bound(time_norms: Norms, depth_norms: Norms) -> ResidualBound:
    """The same for a residual stack, whose nodes hand on two vectors, h in time and the stream ``up`` in depth.

    Equation: G[l, t] = |A_t^(l)| G[l, t-1] + |D_t^(l)| U[l-1, t] for h; U[1, t] = G[1, t], as layer 1 has no skip, and
    U[l, t] = U[l-1, t] + G[l, t] for ``up``; U[0, 1] = 1 and 0 elsewhere on the border.
    D is taken by what the cell reads, the stream. Errors: those of ``path_bound``.
    """
    return _bounds(time_norms, depth_norms, passes_by=True)


def _bounds(time_norms: Norms, depth_norms: Norms, passes_by: bool) -> ResidualBound:
    a, b = _check_norms(time_norms, depth_norms)
    zero, one = torch.zeros_like(b[..., 0, 0]), torch.ones_like(b[..., 0, 0])
    below = [one] + [zero] * (b.shape[-1] - 1)
    h, up = [], []
    for layer in range(b.shape[-2]):
        left, row = zero, []
        for time in range(b.shape[-1]):
            left = b[..., layer, time] * below[time] + (a[..., layer, time] * left if time else 0)
            row.append(left)
        below = [under + node for under, node in zip(below, row)] if passes_by and layer else row
        h.append(torch.stack(row, dim=-1))
        up.append(torch.stack(below, dim=-1))
    return ResidualBound(torch.stack(h, dim=-2), torch.stack(up, dim=-2))


def _check_norms(time_norms: Norms, depth_norms: Norms) -> tuple[Tensor, Tensor]:
    a, b = (torch.as_tensor(norms) for norms in (time_norms, depth_norms))
    a, b = (norms if norms.is_floating_point() else norms.to(torch.get_default_dtype()) for norms in (a, b))
    if a.shape != b.shape:
        raise ValueError(
            f"time_norms has shape {tuple(a.shape)} but depth_norms has {tuple(b.shape)}; both must be (layers, time), "
            "one norm a node"
        )
    if a.dim() < 2 or 0 in a.shape[-2:]:
        raise ValueError(f"norms must be (layers, time) with at least one of each, got shape {tuple(a.shape)}")
    for name, norms in (("time_norms[..., 1:]", a[..., 1:]), ("depth_norms", b)):
        if wrong := norms[~((norms >= 0) & norms.isfinite())].flatten().tolist():
            raise ValueError(f"{name} holds {wrong[0]}; a norm is a number of at least 0, and finite")
    return a, b
