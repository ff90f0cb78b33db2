"""What every loader delivers."""

from dataclasses import dataclass

import torch
from jaxtyping import Integer, Shaped
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """Some sequences and their targets, padded, time first.

    Shapes: x (time, batch, ...), y (target time, batch, ...), lengths and target_lengths (batch,).
    Where input and target run side by side, target_lengths is None.
    """

    x: Shaped[Tensor, "time batch *features"]
    y: Shaped[Tensor, "target_time batch *targets"]
    lengths: Integer[Tensor, " batch"]
    target_lengths: Integer[Tensor, " batch"] | None = None

    def to(self, device: torch.device | str) -> "Batch":
        """The same batch on another device."""
        fields = (self.x, self.y, self.lengths, self.target_lengths)
        return Batch(*(field if field is None else field.to(device) for field in fields))
