"""The engine without a compiler: vanilla and GRU rows in torch's operations, with backward passes written by hand.

Autograd keeps every operation of every step and multiplies a small matrix for each. Here the inputs of all steps are
multiplied at once, before the loop; in the backward pass all slopes of a chunk of steps are computed at once, so that
only a linear recurrence in dh remains for the loop; and the weights' gradients are one product a chunk.
"""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from course_lib.cells import Cell, GRUCell, RNNCell
from course_lib.fast.products import add_outer, linear, stepper

ROWS = 2048  # steps times sequences of a chunk: what is held besides h and the gates


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
            saved = self.run(pre, old, bias_hh, product, h[part])
            for whole, values in zip(kept, saved):
                whole[part] = values
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
        for part in reversed(list(_chunks(x))):
            h, *saved = [each[part] for each in results]
            past = results[0][max(part.start - 1, 0) : part.stop - 1]
            old = past if part.start else torch.cat([h0[None], past])
            d_below, d_past, dh = self.run_back(h, old, saved, None if dy is None else dy[part], dh, product)
            if dx is not None:
                dx[part] = linear(d_below.flatten(0, 1), back).view_as(x[part])
            _add(totals, d_below.flatten(0, 1), d_past.flatten(0, 1), x[part].flatten(0, 1), old.flatten(0, 1))
        return [dx, dh if wanted[1] else None, *totals]


class VanillaByHand(ByHand):
    """h_t = tanh(pre_t + b_hh + W_hh h_{t-1}); backwards d_t = dh_t (1 - h_t^2), dh_{t-1} = dy_{t-1} + W_hh^T d_t."""

    kind = RNNCell

    def run(self, pre: Tensor, old: Tensor, bias_hh: Tensor, product: Callable, h: Tensor) -> list[Tensor]:
        """Write h of a chunk."""
        for pre_t, h_t in zip((pre.add_(bias_hh)).unbind(), h.unbind()):
            old = product(pre_t, old, h_t).tanh_()
        return []

    def run_back(
        self, h: Tensor, old: Tensor, saved: list[Tensor], dy: Tensor | None, dh: Tensor | None, product: Callable
    ) -> tuple[Tensor, Tensor, Tensor]:
        """d for the weights below, d for those of the past, and dh of the step before the chunk."""
        d, nothing = torch.empty_like(h), torch.zeros_like(h[0])
        for t, (d_t, slope_t) in reversed(list(enumerate(zip(d.unbind(), (1 - h * h).unbind())))):
            torch.mul(dh if dy is None else dy[t] if dh is None else dh + dy[t], slope_t, out=d_t)
            dh = product(nothing, d_t, torch.empty_like(nothing))
        return d, d, dh


class GRUByHand(ByHand):
    """h_t = n + z (h_{t-1} - n), n = tanh(pre_n + r q), q = b_hn + W_hn h_{t-1}; all slopes at once."""

    kind = GRUCell
    kept = (3, 1)  # r, z, n; q

    def run(self, pre: Tensor, old: Tensor, bias_hh: Tensor, product: Callable, h: Tensor) -> list[Tensor]:
        """Write h of a chunk; r, z, n and q."""
        size, past = h.shape[-1], torch.empty_like(pre)
        for pre_t, past_t, h_t in zip(pre.unbind(), past.unbind(), h.unbind()):
            product(bias_hh, old, past_t)
            r, z = pre_t[:, : 2 * size].add_(past_t[:, : 2 * size]).sigmoid_().chunk(2, dim=1)
            n = pre_t[:, 2 * size :].addcmul_(r, past_t[:, 2 * size :]).tanh_()
            old = torch.lerp(n, old, z, out=h_t)
        return [pre, past[..., 2 * size :]]

    def run_back(
        self, h: Tensor, old: Tensor, saved: list[Tensor], dy: Tensor | None, dh: Tensor | None, product: Callable
    ) -> tuple[Tensor, Tensor, Tensor]:
        """d for the weights below, d for those of the past, and dh of the step before the chunk."""
        (r, z, n), q = saved[0].chunk(3, dim=-1), saved[1]
        slope_n = (1 - z) * (1 - n * n)
        slopes = torch.stack([slope_n * q * r * (1 - r), (old - n) * z * (1 - z), slope_n * r], dim=2)
        d_past, dhs = torch.empty_like(slopes), torch.empty_like(h)
        steps = zip(d_past.unbind(), slopes.unbind(), z.unbind(), dhs.unbind())
        for t, (d_t, slope_t, z_t, dh_t) in reversed(list(enumerate(steps))):
            dh_t.copy_(dh if dy is None else dy[t] if dh is None else dh + dy[t])
            torch.mul(dh_t[:, None], slope_t, out=d_t)
            dh = product(dh_t * z_t, d_t.flatten(1), torch.empty_like(dh_t))
        d_past = d_past.flatten(2)
        d_below = torch.cat([d_past[..., : -h.shape[-1]], dhs * slope_n], dim=-1)
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
