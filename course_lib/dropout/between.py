"""Masks outside the recurrence: one that stands still for a sequence, and where a stack has no place for one."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Integer
from torch import Tensor, nn
from torch.nn import functional

from course_lib.arguments import check_dropout


class Locked(nn.Module):
    """One mask for all steps of a sequence, a new one a call: what ``Stack(dropout=Locked(p))`` puts between layers.

    Equation: m_t = m for t = 1..T, each entry 0 with probability p and else 1/(1-p); ones in eval mode.

    It makes a mask from ones, as a stack asks for. A chunk gets a new mask.

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


class Around(nn.Module):
    """A stack with masks on what it reads and on what it sends up, the two places that a stack itself leaves bare.

    Equation: output = m' * stack(m * x). With ``dropout`` between the layers too, L + 1 places are masked.

    ``stack`` is a Stack or another network called like one; ``dropout``, a probability or a module such as
    ``Locked(p)``, makes both masks from ones. Called like the stack, with its states and sizes.

    Errors: TypeError or ValueError for another dropout; those of the stack.
    Source: Zaremba, Sutskever and Vinyals 2014, section 3.2.
    """

    def __init__(self, stack: nn.Module, dropout: float | nn.Module):
        super().__init__()
        if not isinstance(stack, nn.Module) or not hasattr(stack, "output_size"):
            raise TypeError(
                f"Around: stack must be a Stack, or a module called like one with input_size and output_size, got "
                f"{type(stack).__name__}"
            )
        self.stack, self.dropout = stack, check_dropout(dropout)
        self.input_size, self.output_size = stack.input_size, stack.output_size

    def forward(
        self,
        x: Float[Tensor, "time batch input_size"],
        states: Sequence[tuple] | None = None,
        lengths: Integer[Tensor, " batch"] | Sequence[int] | None = None,
    ) -> tuple[Float[Tensor, "time batch output_size"], tuple]:
        output, states = self.stack(x * self.dropout(torch.ones_like(x)), states, lengths)
        return output * self.dropout(torch.ones_like(output)), states
