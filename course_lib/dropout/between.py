"""A mask between layers that stands still: one for all steps of a sequence."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


class Locked(nn.Module):
    """One mask for all steps of a sequence, a new one a call: what ``Stack(dropout=Locked(p))`` puts between layers.

    Equation: m_t = m for t = 1..T, each entry 0 with probability p and else 1/(1-p); ones in eval mode.

    Outside a stack it masks an embedding or an output: ``x * mask(torch.ones_like(x))``. A chunk gets a new mask.

    Shapes: ones (time, batch, width) and the same out. Errors: ValueError for p outside 0..1.
    Source: Gal and Ghahramani 2016, section 4.1.
    """

    def __init__(self, p: float):
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"Locked: p is a probability and must be in 0..1, got {p}")
        self.p = p

    def forward(self, ones: Float[Tensor, "time batch width"]) -> Float[Tensor, "time batch width"]:
        return ones * functional.dropout(torch.ones_like(ones[:1]), self.p, self.training)

    def extra_repr(self) -> str:
        return f"p={self.p}"
