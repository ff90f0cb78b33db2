"""Matrix products at the speed of the processor, where torch's own choice is slower.

On AMD's processors MKL, which torch calls for float32, stays with registers of half the width; oneDNN, which torch
carries too, does not: 2.2 times as fast at [4096, 128] x [128, 512] on one core of an EPYC, and slower below about a
million multiplications. Its call is not part of torch's public interface, so it is tried once, and torch's own stands
in.
"""

import functools
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

Product = Callable[[Tensor, Tensor], Tensor]
ONE_STEP = 1 << 20  # multiplications from which oneDNN is faster for one product among many
ONE_PRODUCT = 1 << 22  # and for one alone, whose weights have to be laid out for it


@functools.cache
def has_onednn() -> bool:
    """Whether torch's private call of oneDNN is there and right."""
    try:
        numbers = torch.linspace(-1, 1, 24 * 24, dtype=torch.float32, device="cpu").view(24, 24)  # draws nothing
        a, w = numbers[:8].cos(), numbers[8:]
        found = _multiply(a, w), _onednn_stepper(w, 8)(torch.zeros_like(a @ w.T), a)
        return all(torch.allclose(each, a @ w.T, rtol=1e-4, atol=1e-5) for each in found)
    except (AttributeError, RuntimeError, TypeError):
        return False


def _lay_out(weight: Tensor, rows: int) -> Tensor:
    return torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), rows)


def _multiply(a: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """a W^T + b, by oneDNN."""
    return torch.ops.mkldnn._linear_pointwise(a, _lay_out(weight, len(a)), bias, "none", [], "")


def _onednn_stepper(weight: Tensor, rows: int) -> Product:
    laid_out, call = _lay_out(weight, rows), torch.ops.mkldnn._linear_pointwise.binary
    return lambda base, a: call(a, base, laid_out, None, "add")


def _is_faster(a: Tensor, multiplications: int, least: int) -> bool:
    return a.dtype == torch.float32 and multiplications >= least and has_onednn()


def linear(a: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """a W^T + b for all rows of a."""
    if not _is_faster(a, a.numel() * len(weight), ONE_PRODUCT):
        return functional.linear(a, weight, bias)
    return _multiply(a, weight, bias)


def add_outer(total: Tensor, d: Tensor, values: Tensor) -> None:
    """total += d^T values, a sum over all rows."""
    if _is_faster(d, d.numel() * values.shape[1], ONE_PRODUCT):
        total += torch.ops.mkldnn._linear_pointwise(values.t(), d.t(), None, "none", [], "").t()
    else:
        total.addmm_(d.t(), values)


def stepper(weight: Tensor, rows: int) -> Product:
    """(base, a) -> base + a W^T, perhaps in the place of base, for one step after the other with the same weights."""
    if _is_faster(weight, rows * weight.numel(), ONE_STEP):
        return _onednn_stepper(weight, rows)
    transposed = weight.t().contiguous()
    return lambda base, a: base.addmm_(a, transposed)
