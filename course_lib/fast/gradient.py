"""A row that autograd can use: an engine's forward and hand-written backward, and torch's own for second gradients."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx

from course_lib.fast.torch_calls import torch_row

is_batched = torch._C._functorch.is_legacy_batchedtensor


class Row(torch.autograd.Function):
    """[h, the last state's fields] of one layer at all times, by an engine.

    An engine has ``kind``, ``forward(tensors, lengths, keep) -> (h, last, kept)`` and ``backward(tensors, lengths,
    (h, *kept), grads, wanted) -> gradients``. ``tensors`` are x, the initial state's fields and the four weights;
    ``kept`` is what the backward pass reads besides.

    Where gradients are differentiated themselves, the row is computed again by torch's own call, whose backward pass
    is made of differentiable operations. Batched ones go through the engine one by one.
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
        """By the engine, or by torch's own call where the gradients are to be differentiated."""
        if all(grad is None for grad in grads):
            return (None,) * (2 + ctx.count)
        # In autograd.grad(loss, x) nobody asks for the weights' gradients, although they require them.
        asked = zip(ctx.needs_input_grad[2:], ctx.next_functions[-ctx.count :])
        wanted = [needed and _is_run(node) for needed, (node, _) in asked]
        saved = ctx.saved_tensors  # once: a checkpoint computes them for one reader
        tensors, results = saved[: ctx.count], saved[ctx.count :]
        given = [grad for grad in grads if grad is not None]
        if torch.is_grad_enabled() or not all(torch._C._has_storage(grad) or is_batched(grad) for grad in given):
            with torch.enable_grad():
                return None, None, *_differentiable(ctx, tensors, grads, wanted)

        def back(*own: Tensor | None) -> list[Tensor | None]:
            return ctx.engine.backward(tensors, ctx.lengths, results, own, wanted)

        return None, None, *(_one_by_one(back, grads) if any(map(is_batched, given)) else back(*grads))


def _is_run(node: object) -> bool:
    """Whether the backward pass under way goes on to that node."""
    try:
        return torch._C._will_engine_execute_node(node)
    except RuntimeError:  # a leaf of autograd.grad
        return True


def _one_by_one(back: Callable[..., list[Tensor | None]], grads: Sequence[Tensor | None]) -> list[Tensor | None]:
    """back(*grads) for gradients that is_grads_batched=True holds in one tensor: taken apart and joined again."""
    level = torch._C._vmapmode_increment_nesting() - 1
    torch._C._vmapmode_decrement_nesting()
    parts = [torch._remove_batch_dim(g, level, 0, 0) if g is not None and is_batched(g) else g for g in grads]
    count = next(len(part) for part, grad in zip(parts, grads) if part is not grad)
    each = [part if part is not grad else [part] * count for part, grad in zip(parts, grads)]
    found = zip(*[back(*own) for own in zip(*each)])
    return [None if own[0] is None else torch._add_batch_dim(torch.stack(own), 0, level) for own in found]


def _differentiable(
    ctx: FunctionCtx, tensors: Sequence[Tensor], grads: Sequence[Tensor | None], wanted: Sequence[bool]
) -> list[Tensor | None]:
    """The gradients by torch's own call, as part of a graph."""
    # Views: a gradient with respect to one of them does not pass through what the tensors themselves depend on.
    tensors = [tensor.view_as(tensor) for tensor in tensors]
    outputs = torch_row(ctx.engine.kind, tensors, _ended(ctx.lengths, len(tensors[0])))
    pairs = [(output, grad) for output, grad in zip(outputs, grads) if grad is not None]
    sources = [tensor for tensor, want in zip(tensors, wanted) if want]
    outputs, given = zip(*pairs)
    found = iter(torch.autograd.grad(outputs, sources, given, create_graph=True, allow_unused=True) if sources else ())
    return [next(found) if want else None for want in wanted]


def _ended(lengths: Tensor | None, num_steps: int) -> Tensor | None:
    return None if lengths is None else torch.arange(num_steps, device=lengths.device)[:, None] >= lengths
