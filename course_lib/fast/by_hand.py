"""The engine without a compiler: vanilla and GRU rows in torch's operations, with backward passes written by hand.

Autograd keeps every operation of every step and multiplies a small matrix for each. Here the inputs of all steps are
multiplied at once, before the loop; in the GRU's backward pass all slopes of a chunk of steps are computed at once, so
that only a linear recurrence in dh remains for the loop; and the weights' gradients are one product a chunk.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from course_lib.cells import Cell, GRUCell, RNNCell
from course_lib.fast.products import Product, add_outer, linear, stepper

tanh_backward = torch.ops.aten.tanh_backward.grad_input  # (d, tanh(a)) -> d (1 - tanh(a)^2)
sigmoid_backward = torch.ops.aten.sigmoid_backward.grad_input
ROWS = 1024  # steps times sequences of a chunk: what is held besides h and the gates


class ByHand:
    """An engine, see gradient.py; a subclass knows its cell: one chunk of steps forwards and backwards."""

    kind: type[Cell]
    kept: tuple[int, ...] = ()  # widths, in hidden sizes, of what the backward pass reads besides h

    def forward(
        self, tensors: Sequence[Tensor], lengths: Tensor | None, keep: bool
    ) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """h at every time, the last state, what ``backward`` reads besides if ``keep``; ``lengths`` change nothing."""
        x, old, weight_ih, weight_hh, bias_ih, bias_hh = tensors
        num_steps, batch_size, hidden_size = *x.shape[:2], weight_hh.shape[1]
        h = x.new_empty(num_steps, batch_size, hidden_size)
        kept = [x.new_empty(num_steps, batch_size, width * hidden_size) for width in self.kept if keep]
        product = stepper(weight_hh, batch_size)
        for part in _chunks(x):
            pre = linear(x[part].flatten(0, 1), weight_ih, bias_ih).view(*h[part].shape[:2], -1)
            for whole, values in zip(kept, self.run(pre, old, bias_hh, product, h[part])):
                torch.stack(values, out=whole[part]) if isinstance(values, list) else whole[part].copy_(values)
            old = h[part.stop - 1]
        return h, [old.clone()], kept

    def backward(
        self,
        tensors: Sequence[Tensor],
        lengths: Tensor | None,
        results: Sequence[Tensor],
        grads: Sequence[Tensor | None],
        wanted: Sequence[bool],
    ) -> list[Tensor | None]:
        """The gradients of ``tensors`` where ``wanted``, from those of h and of the last h."""
        x, h0, weight_ih, weight_hh, *_ = tensors
        dx = torch.empty_like(x) if wanted[0] else None
        totals = [torch.zeros_like(each) if want else None for each, want in zip(tensors[2:], wanted[2:])]
        product, back, (dy, dh) = stepper(weight_hh.t(), x.shape[1]), weight_ih.t().contiguous(), grads
        nothing = torch.zeros_like(h0)
        for part in reversed(list(_chunks(x))):
            h, *saved = [each[part] for each in results]
            past = results[0][max(part.start - 1, 0) : part.stop - 1]
            old = past if part.start else torch.cat([h0[None], past])
            dhs = [nothing, *([nothing] * len(h) if dy is None else dy[part].unbind())]
            dhs[-1] = dhs[-1] if dh is None else dhs[-1] + dh
            d_below, d_past, dh = self.run_back(h, old, saved, dhs, product)
            if dx is not None:
                dx[part] = linear(d_below.flatten(0, 1), back).view_as(x[part])
            _add(totals, d_below.flatten(0, 1), d_past.flatten(0, 1), x[part].flatten(0, 1), old.flatten(0, 1))
        return [dx, dh if wanted[1] else None, *totals]


class VanillaByHand(ByHand):
    """h_t = tanh(pre_t + b_hh + W_hh h_{t-1}); backwards d_t = dh_t (1 - h_t^2), dh_{t-1} = dy_{t-1} + W_hh^T d_t."""

    kind = RNNCell

    def run(self, pre: Tensor, old: Tensor, bias_hh: Tensor, product: Product, h: Tensor) -> Sequence:
        """Write h of a chunk."""
        for pre_t, h_t in zip(pre.add_(bias_hh).unbind(), h.unbind()):
            old = torch.tanh(product(pre_t, old), out=h_t)
        return ()

    def run_back(
        self, h: Tensor, old: Tensor, saved: list[Tensor], dhs: list[Tensor], product: Product
    ) -> tuple[Tensor, Tensor, Tensor]:
        """d for the weights below, d for those of the past, and dh of the step before the chunk."""
        d, dh = torch.empty_like(h), dhs.pop()
        for d_t, h_t in zip(reversed(d.unbind()), reversed(h.unbind())):
            dh = product(dhs.pop().clone(), tanh_backward(dh, h_t, grad_input=d_t))
        return d, d, dh


class GRUByHand(ByHand):
    """h_t = n + z (h_{t-1} - n), n = tanh(pre_n + r q), q = b_hn + W_hn h_{t-1}; all slopes at once."""

    kind = GRUCell
    kept = (3, 1)  # r, z and q; n

    def run(self, pre: Tensor, old: Tensor, bias_hh: Tensor, product: Product, h: Tensor) -> Sequence:
        """Write h of a chunk; r, z and q, and n."""
        size, steps = h.shape[-1], []
        pre_n = pre[..., 2 * size :].clone()
        pre[..., : 2 * size] += bias_hh[: 2 * size]
        pre[..., 2 * size :] = bias_hh[2 * size :]
        for pre_t, n_t, h_t in zip(pre.unbind(), pre_n.unbind(), h.unbind()):
            gates = product(pre_t, old)
            gates[:, : 2 * size].sigmoid_()
            r, z, q = gates.chunk(3, dim=1)
            old = torch.lerp(n_t.addcmul_(r, q).tanh_(), old, z, out=h_t)
            steps.append(gates)
        return steps, pre_n

    def run_back(
        self, h: Tensor, old: Tensor, saved: list[Tensor], dhs: list[Tensor], product: Product
    ) -> tuple[Tensor, Tensor, Tensor]:
        """d for the weights below, d for those of the past, and dh of the step before the chunk."""
        (r, z, q), n = saved[0].chunk(3, dim=-1), saved[1]
        slope_n, slopes = 1 - z, h.new_empty(*h.shape[:2], 3, h.shape[2])
        tanh_backward(slope_n, n, grad_input=slope_n)
        sigmoid_backward(slope_n * q, r, grad_input=slopes[:, :, 0])
        sigmoid_backward(old - n, z, grad_input=slopes[:, :, 1])
        torch.mul(slope_n, r, out=slopes[:, :, 2])
        d_past, found, dh = torch.empty_like(slopes), [], dhs.pop()
        steps = zip(d_past.unbind(), d_past.flatten(2).unbind(), slopes.unbind(), z.unbind())
        for d_t, flat_t, slope_t, z_t in reversed(list(steps)):
            found.append(dh)
            torch.mul(dh[:, None], slope_t, out=d_t)
            dh = product(dhs.pop().addcmul(dh, z_t), flat_t)
        d_past = d_past.flatten(2)
        d_below = torch.cat([d_past[..., : -h.shape[-1]], torch.stack(found[::-1]) * slope_n], dim=-1)
        return d_below, d_past, dh


def _chunks(x: Tensor) -> Iterator[slice]:
    steps = max(1, ROWS // x.shape[1])
    for start in range(0, len(x), steps):
        yield slice(start, min(start + steps, len(x)))


def _add(totals: list[Tensor | None], d_below: Tensor, d_past: Tensor, x: Tensor, old: Tensor) -> None:
    """Add a chunk's share to the gradients of weight_ih, weight_hh, bias_ih and bias_hh."""
    for total, d, values in zip(totals, (d_below, d_past), (x, old)):
        if total is not None:
            add_outer(total, d, values)
    for total, d in zip(totals[2:], (d_below, d_past)):
        if total is not None:
            total += d.sum(0)
