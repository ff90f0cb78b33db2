"""One step a chunk of a long sequence: the state goes on from chunk to chunk, the gradient does not."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from course_lib.cells import State, check_size
from course_lib.data.batch import Batch

States = tuple[State, ...] | None


@dataclass(frozen=True)
class Truncated:
    """A loss for ``fit`` that cuts each batch in chunks of ``every`` steps: truncated backpropagation through time.

    Equation: chunk k has the loss of its steps from the states s_k on, s_{k+1} = (its last states, detached); its
    gradient leaves out how s_k depends on the weights. ``fit`` makes one optimizer step a chunk, so a state carries on
    what earlier weights made of the past.

    ``loss(model, chunk, states)`` gives the loss of one chunk and its last states; ``states`` is None at the start of
    every batch. Any model does, for example a stack and a read-out::

        def loss(model, chunk, states):
            output, states = model.stack(chunk.x, states, chunk.lengths)
            running = torch.arange(len(chunk.x))[:, None] < chunk.lengths
            return functional.mse_loss(model.read_out(output)[running], chunk.y[running]), states

        fit(model, batches, Truncated(loss, every=64), Settings(steps=1000))

    A sequence that has ended is left out of the chunks to come, so that every length of a chunk is in 1..its steps.
    ``settings.steps`` counts chunks; a run may end within a sequence. Dropout masks are drawn chunk by chunk.

    Shapes: states are tuples of tensors, (batch, ...) each.
    Errors: TypeError or ValueError for ``every`` that is no whole number of at least 1, ValueError for a batch without
    a target for every step.
    Source: Williams and Peng 1990, section 3; Mikolov et al. 2010 for language models.
    """

    loss: Callable[[nn.Module, Batch, States], tuple[Tensor, States]]
    every: int

    def __post_init__(self):
        check_size("Truncated", "every", self.every)

    def __call__(self, model: nn.Module, batch: Batch) -> Iterator[Tensor]:
        """The loss of one chunk after the other."""
        if batch.target_lengths is not None or len(batch.y) != len(batch.x):
            raise ValueError(
                f"Truncated needs a target for every step: x has {len(batch.x)} steps but y has {len(batch.y)}"
                f"{'' if batch.target_lengths is None else ' and lengths of its own'}"
            )
        return self._losses(model, batch)

    def _losses(self, model: nn.Module, batch: Batch) -> Iterator[Tensor]:
        states = None
        for chunk, kept in chunks(batch, self.every):
            states = _each(lambda field, kept=kept: field.detach()[kept], states)
            value, states = self.loss(model, chunk, states)
            yield value


def chunks(batch: Batch, every: int) -> Iterator[tuple[Batch, Bool[Tensor, " batch"]]]:
    """One stretch of ``every`` steps after the other, each of the sequences that have not ended.

    With each comes which sequences of the stretch before it are left (for the first: of the batch).
    """
    left = torch.arange(len(batch.lengths), device=batch.lengths.device)
    for start in range(0, len(batch.x), every):
        kept = batch.lengths[left] > start
        left = left[kept]
        if not len(left):
            return
        x, y = (each[start : start + every][:, left] for each in (batch.x, batch.y))
        yield Batch(x, y, (batch.lengths[left] - start).clamp(max=every)), kept


def _each(change: Callable[[Tensor], Tensor], states: object) -> object:
    """The same tuples with every tensor changed."""
    if not isinstance(states, tuple):
        return states if states is None else change(states)
    changed = [_each(change, each) for each in states]
    return type(states)(*changed) if hasattr(states, "_fields") else tuple(changed)
