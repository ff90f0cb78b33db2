"""The way back: how one node of the grid depends on another."""

import torch
from jaxtyping import Float
from torch import Tensor


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
