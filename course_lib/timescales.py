"""How slow is a layer? Two measures that differ, speed of change and reach of memory, and a cascade that is solved.

A row is h of one layer at all times, (time, batch, width), as ``stack.rows(x)`` gives it.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from course_lib.cells import check_size

LEVEL = 1 / math.e


def autocorrelation(row: Float[Tensor, "time batch width"]) -> Float[Tensor, " lags"]:
    """How much of a unit's deviation from its mean is left k steps later, a mean over the units that change.

    Equation: C(k) = mean over units of sum_t d_t d_{t+k} / sum_t d_t^2, d = h - (mean of h over time), for the lags
    k = 0..time/2; the sums run over time and, each sequence with its own mean, over the batch.
    Errors: ValueError for fewer than four steps, or if no unit changes.
    """
    if len(row) < 4:
        raise ValueError(f"row must have at least 4 steps to measure how they correlate, got {len(row)}")
    row = row.detach()
    moving = (row != row[0]).any((0, 1))
    if not moving.any():
        raise ValueError("no unit of row changes in time, so it has no autocorrelation; give it an input that varies")
    centred = (row - row.mean(0))[..., moving]
    spectrum = torch.fft.rfft(centred, n=2 * len(row), dim=0).abs().square()  # twice as long: no lag wraps around
    sums = torch.fft.irfft(spectrum, dim=0)[: len(row) // 2 + 1].sum(1)
    return (sums / sums[0]).mean(1)


def autocorrelation_time(row: Float[Tensor, "time batch width"]) -> float:
    """The number of steps after which the autocorrelation has fallen to 1/e, interpolated between steps.

    A row without correlation from step to step has 1 - 1/e = 0.63, the least there is for one that never turns
    negative; h_t = a h_{t-1} + noise has about -1/ln a.
    Errors: those of ``autocorrelation``; ValueError if the row is too short for it to fall that far.
    """
    return first_crossing(autocorrelation(row))


def first_crossing(curve: Float[Tensor, " lags"], level: float = LEVEL) -> float:
    """Where a curve that starts above a level first falls below it, by a straight line between its points.

    Errors: ValueError for a curve that starts below the level, or never falls below it.
    """
    below = (curve < level).nonzero().flatten()
    if not len(below):
        raise ValueError(f"the curve stays above {level:.3g} for all {len(curve)} lags; measure a longer row")
    lag = int(below[0])
    if lag == 0:
        raise ValueError(f"the curve starts at {float(curve[0]):.3g}, below the level {level:.3g}")
    left, right = float(curve[lag - 1]), float(curve[lag])
    return lag - 1 + (left - level) / (left - right)


def relative_step_change(row: Float[Tensor, "time batch width"]) -> float:
    """How far a step moves h, as a part of its length: mean |h_t - h_{t-1}| / mean |h_t|.

    Not centred: units that stand far from zero make it small, however fast they move about their means.
    Errors: ValueError for fewer than two steps.
    """
    if len(row) < 2:
        raise ValueError(f"row must have at least 2 steps to compare, got {len(row)}")
    row = row.detach()
    return float(row.diff(dim=0).norm(dim=-1).mean() / row.norm(dim=-1).mean())


def gradient_shares(net: nn.Module, x: Float[Tensor, "time batch input_size"]) -> Float[Tensor, "layers time"]:
    """How the squared gradient of each layer's last h is spread over the inputs before it; entry [l-1, k] is lag k.

    Equation: S[l-1, k] = |d h_T^(l) / d x_{T-k}|^2, the sum of all squared entries of the Jacobian over units and
    batch, divided by its sum over k = 0..T-1. ``net`` is a Stack, or whatever has ``rows(x)``.
    Errors: ValueError for a layer whose last h does not depend on x.
    """
    x, shares = x.detach().requires_grad_(), []
    for layer, row in enumerate(net.rows(x), start=1):
        by_lag = torch.zeros(len(x)) if not row.requires_grad else _squared_slopes(row[-1], x).flip(0)
        if not by_lag.any():
            raise ValueError(f"the last h of layer {layer} does not depend on x, so it has no gradient lag")
        shares.append(by_lag / by_lag.sum())
    return torch.stack(shares)


def _squared_slopes(h: Tensor, x: Tensor) -> Tensor:
    """|d h / d x_t|^2 for every t: the sum over units, batch and what x_t holds."""
    one_hot = torch.eye(h.shape[-1], dtype=h.dtype, device=h.device)[:, None].expand(-1, *h.shape)
    (slopes,) = torch.autograd.grad(h, x, one_hot, retain_graph=True, is_grads_batched=True)
    return slopes.square().sum((0, 2, 3))


def gradient_lags(net: nn.Module, x: Float[Tensor, "time batch input_size"]) -> list[float]:
    """How far back each layer's last h reaches, in steps: the mean lag of its squared gradient, bottom to top.

    Equation: sum over k of k S[l-1, k], S as in ``gradient_shares``, which also has the errors.
    """
    shares = gradient_shares(net, x)
    return (shares @ torch.arange(len(x), dtype=shares.dtype, device=shares.device)).tolist()


def cascade_kernel(a: float, layer: int, num_lags: int) -> Float[Tensor, " num_lags"]:
    """What layer l of a cascade of leaky integrators keeps of an input k steps after it, k = 0..num_lags-1.

    Equation: for h_t^(l) = a h_{t-1}^(l) + (1-a) h_t^(l-1), K(k) = C(k+l-1, l-1) a^k (1-a)^l: one factor a a step, one
    factor 1-a a layer, and as many paths through the grid as there are ways to place the climbs.
    Errors: ValueError for a outside [0, 1), or a layer or num_lags below 1.
    """
    _check_cascade("cascade_kernel", a, layer)
    check_size("cascade_kernel", "num_lags", num_lags)
    terms = [math.comb(lag + layer - 1, layer - 1) * a**lag * (1 - a) ** layer for lag in range(num_lags)]
    return torch.tensor(terms, dtype=torch.get_default_dtype())


def cascade_lag(a: float, layer: int) -> float:
    """The mean lag of that kernel, in steps: l a / (1 - a), linear in the layer. Errors as in ``cascade_kernel``."""
    _check_cascade("cascade_lag", a, layer)
    return layer * a / (1 - a)


def cascade_time(a: float, layer: int) -> float:
    """The autocorrelation time of layer l of the cascade when its input is white noise.

    Equation: the first crossing of 1/e of C(k) = sum_j K(j) K(j+k) / sum_j K(j)^2, K as in ``cascade_kernel``.
    Errors as in ``cascade_kernel``.
    """
    num_lags = 64 + int(40 * layer / (1 - a)) if 0 <= a < 1 else 1
    kernel = cascade_kernel(a, layer, num_lags)
    spectrum = torch.fft.rfft(kernel, n=2 * num_lags).abs().square()
    curve = torch.fft.irfft(spectrum)[:num_lags]
    return first_crossing(curve / curve[0])


def _check_cascade(owner: str, a: float, layer: int) -> None:
    if not 0 <= a < 1:
        raise ValueError(f"{owner}: a must be at least 0 and below 1, so that memory fades, got {a}")
    check_size(owner, "layer", layer)
