"""A long sequence in little memory: chunks that are computed a second time on the way back."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Integer
from torch import Tensor, nn

from course_lib import arguments, fast
from course_lib.cells import State, check_size
from course_lib.training.chunked import ChunkedPass


def checkpointed(
    stack: nn.Module,
    x: Float[Tensor, "time batch input_size"],
    states: Sequence[State] | None = None,
    lengths: Integer[Tensor, " batch"] | Sequence[int] | None = None,
    *,
    every: int,
) -> tuple[Float[Tensor, "time batch output_size"], tuple[State, ...]]:
    """What ``stack(x, states, lengths)`` returns, with the states between chunks of ``every`` steps alone in memory.

    Each chunk is computed once forward, where nothing else of it is kept, and once more on the way back, right before
    its gradient. Memory beyond x and output: the inside of one chunk and T/every states, least near every = sqrt(T).
    A loss on every step has a gradient as large as the output; a stack that ends in a narrow read-out has neither.

    ``stack`` may also be a network that is called like one and has input_size and initial_states. Stay in one mode,
    train or eval, until the gradient is computed. The second pass draws the masks of the first from torch's own
    random state. They are drawn chunk by chunk, so under one seed they differ from those of one pass over the whole,
    and ``Locked`` draws one a chunk. A gradient that is differentiated again keeps the whole pass in memory.

    Errors: TypeError or ValueError for ``every`` that is no whole number of at least 1, TypeError for a network whose
    states have no h that a chunk could go on from, RuntimeError inside the transforms of torch.func; those of the
    stack.
    Source: Chen, Xu, Zhang and Guestrin 2016, section 4, for chunks of sqrt(T).
    """
    check_size("checkpointed", "every", every)
    _refuse(stack)
    arguments.check_input("x", x, ("time", "batch", "input_size"), stack.input_size, next(stack.parameters(), None))
    if states is not None:
        states = arguments.check_states(states, stack.initial_states(x.shape[1]))
    ended = None if lengths is None else arguments.check_lengths(lengths, *x.shape[:2], x.device)
    chunks = ChunkedPass(stack, every, ended, torch.is_autocast_enabled(x.device.type))
    fields = chunks.unpack(states or ())
    output, *last = _Recomputed.apply(chunks, len(fields), x, *fields, *stack.parameters())
    return output, chunks.pack(last)


class _Recomputed(torch.autograd.Function):
    """Output and last fields of a chunked pass. Its tensors are x, the fields of the initial states, the weights.

    torch.utils.checkpoint would keep the nodes of the graph of every chunk: for cells that torch computes step by
    step, a quarter to a third of what the whole pass keeps.
    """

    @staticmethod
    def forward(ctx, chunks: ChunkedPass, num_fields: int, x: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        ctx.chunks, ctx.num_fields = chunks, num_fields
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(x, *rest)
        output, ctx.between, last = chunks.first(x, rest[:num_fields])
        ctx.mark_non_differentiable(*(field for field in last if not field.is_floating_point()))
        return output, *last

    @staticmethod
    def backward(ctx, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        x, *rest = ctx.saved_tensors
        fields, weights = rest[: ctx.num_fields], rest[ctx.num_fields :]
        if torch.is_grad_enabled():  # it will be differentiated again
            return None, None, *ctx.chunks.whole_gradient(x, fields, weights, gradients)
        wanted = ctx.needs_input_grad[2]
        return None, None, *ctx.chunks.gradient(x if wanted else x.detach(), ctx.between, weights, gradients)


def _refuse(stack: object) -> None:
    """What is not called like a Stack, and where nothing can be computed again."""
    known = isinstance(getattr(stack, "input_size", None), int) and hasattr(stack, "initial_states")
    if not isinstance(stack, nn.Module) or not known:
        raise TypeError(
            "checkpointed: stack must be a Stack, or a module called like one with input_size and initial_states, got "
            f"{type(stack).__name__}"
        )
    if fast.is_transformed():
        raise RuntimeError(
            "checkpointed computes each chunk again on the way back, which the transforms of torch.func and forward "
            "mode do not allow; call the stack itself"
        )
