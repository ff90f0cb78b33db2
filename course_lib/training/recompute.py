"""A long sequence in little memory: chunks that are computed a second time on the way back."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Integer
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from course_lib import arguments, fast
from course_lib.cells import State, check_size


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

    ``stack`` may also be a network called like a Stack whose states have h and can be continued from step to step.
    In training mode the second pass draws the masks of the first from torch's own random state. They are drawn chunk
    by chunk, so under one seed they differ from those of one pass over the whole, and ``Locked`` draws one a chunk.

    Errors: TypeError or ValueError for ``every`` that is no whole number of at least 1, TypeError for states that no
    chunk can continue, RuntimeError inside the transforms of torch.func; those of the stack.
    Source: Chen, Xu, Zhang and Guestrin 2016, section 4, for sqrt(T) chunks.
    """
    check_size("checkpointed", "every", every)
    _refuse(stack)
    arguments.check_input("x", x, ("time", "batch", "input_size"), stack.input_size, next(stack.parameters(), None))
    ended = None if lengths is None else arguments.check_lengths(lengths, *x.shape[:2], x.device)
    output, pieces = None, []
    for start, read in zip(range(0, len(x), every), x.split(every)):
        gone = None if ended is None else ended[start : start + every]
        up, states = checkpoint(_chunk, stack, read, states, gone, use_reentrant=False)
        if output is None:
            output = up.new_empty(len(x), *up.shape[1:])
        # Detached, the piece is no view to autograd: each is written in place without a gradient of full length.
        pieces.append(output[start : start + every].detach().copy_(up))
    return _Joined.apply(every, [output], *pieces), states


def _chunk(
    stack: nn.Module, x: Tensor, states: Sequence[State] | None, ended: Bool[Tensor, "time batch"] | None
) -> tuple[Tensor, tuple[State, ...]]:
    """The stack over one chunk; a sequence that ended before it keeps its state and sends nothing up."""
    if ended is None:
        up, new = stack(x, states)
    else:
        # A stack reads at least one step of every sequence: here of zeros, whose result is thrown away.
        up, new = stack(fast.silence(x, ended), states, (~ended).sum(0).clamp(min=1))
        up = fast.silence(up, ended)
    _check_continued(new)
    if ended is None or states is None:  # nobody ends before the first chunk
        return up, new
    return up, tuple(fast.freeze(*pair, ended[0]) for pair in zip(new, states, strict=True))


class _Joined(torch.autograd.Function):
    """The whole whose parts were written into it one by one: torch.cat would hold whole and parts at once."""

    @staticmethod
    def forward(ctx, every: int, whole: list[Tensor], *pieces: Tensor) -> Tensor:
        ctx.every = every
        return whole[0]

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple:
        return None, None, *gradient.split(ctx.every)


def _check_continued(states: object) -> None:
    """States that one chunk hands to the next: a bidirectional network reads its end first and has none."""
    if not isinstance(states, tuple) or not all(isinstance(getattr(state, "h", None), Tensor) for state in states):
        kinds = [type(state).__name__ for state in states] if isinstance(states, tuple) else type(states).__name__
        raise TypeError(f"checkpointed: stack must give one state with a field h for each layer, got {kinds}")


def _refuse(stack: object) -> None:
    """What is not called like a Stack, and where nothing can be computed again."""
    if not isinstance(stack, nn.Module) or not isinstance(getattr(stack, "input_size", None), int):
        raise TypeError(
            "checkpointed: stack must be a Stack, or a module called like one with an input_size, got "
            f"{type(stack).__name__}"
        )
    if fast.is_transformed():
        raise RuntimeError(
            "checkpointed computes each chunk again on the way back, which the transforms of torch.func and forward "
            "mode do not allow; call the stack itself"
        )
