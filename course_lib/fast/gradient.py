"""A row that autograd can use: an engine's forward and hand-written backward, and torch's own for second gradients."""

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx

from course_lib.fast.torch_calls import torch_row


class Row(torch.autograd.Function):
    """[h, the last state's fields] of one layer at all times, by an engine.

    An engine has ``kind``, ``forward(tensors, lengths, keep) -> (h, last, kept)`` and ``backward(tensors, lengths,
    (h, *kept), grads, wanted) -> gradients``. ``tensors`` are x, the initial state's fields and the four weights;
    ``kept`` is what the backward pass reads besides.

    Where gradients are batched, or differentiated themselves, the row is computed again by torch's own call, whose
    backward pass is made of differentiable operations.
    """

    @staticmethod
    def forward(ctx: FunctionCtx, engine: object, lengths: Tensor | None, *tensors: Tensor) -> tuple[Tensor, ...]:
        """By the engine, which keeps what its backward pass reads."""
        h, last, kept = engine.forward(tensors, lengths, keep=True)
        ctx.engine, ctx.lengths, ctx.count = engine, lengths, len(tensors)
        ctx.save_for_backward(*tensors, h, *kept)
        ctx.set_materialize_grads(False)
        return h, *last

    @staticmethod
    def backward(ctx: FunctionCtx, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        """By the engine, or by torch's own call where the gradients are to be differentiated or are batched."""
        saved = ctx.saved_tensors  # once: a checkpoint computes them for one reader
        tensors, results = saved[: ctx.count], saved[ctx.count :]
        wanted = ctx.needs_input_grad[2:]
        given = [grad for grad in grads if grad is not None]
        if not given:
            return None, None, *[None] * len(wanted)
        are_batched = not all(torch._C._has_storage(grad) for grad in given)  # as is_grads_batched=True makes them
        if torch.is_grad_enabled() or are_batched:
            return None, None, *_again(ctx, tensors, grads, wanted)
        return None, None, *ctx.engine.backward(tensors, ctx.lengths, results, grads, wanted)


def _again(
    ctx: FunctionCtx, tensors: tuple[Tensor, ...], grads: tuple[Tensor | None, ...], wanted: tuple[bool, ...]
) -> list:
    """The gradients by torch's own call."""
    create_graph = torch.is_grad_enabled()
    sources = [tensor for tensor, want in zip(tensors, wanted) if want]
    with torch.enable_grad():
        outputs = torch_row(ctx.engine.kind, list(tensors), _ended(ctx.lengths, len(tensors[0])))
        used = [place for place, grad in enumerate(grads) if grad is not None]
        given = [grads[place] for place in used]
        outputs = [outputs[place] for place in used]
        found = iter(torch.autograd.grad(outputs, sources, given, create_graph=create_graph, allow_unused=True))
    return [next(found) if want else None for want in wanted]


def _ended(lengths: Tensor | None, num_steps: int) -> Tensor | None:
    return None if lengths is None else torch.arange(num_steps, device=lengths.device)[:, None] >= lengths
