"""Mistakes to put into the engines, one at a time: file, passage, what stands there instead, and who would notice."""

from typing import NamedTuple

import torch

from course_lib import GRUCell, LSTMCell, RNNCell

F32, F64 = torch.float32, torch.float64


class Fault(NamedTuple):
    """A passage of one file and its wrong replacement; the row in which the comparison must notice it."""

    file: str
    old: str
    new: str
    cell: type
    dtype: torch.dtype = F64


KERNEL = {
    "i's slope from g": ("dc * g * i * (real(1) - i)", "dc * g * i * (real(1) - g)", LSTMCell),
    "gates of c swapped": (
        "vec<real> c = f * load(n.c_old) + i * g",
        "vec<real> c = i * load(n.c_old) + f * g",
        LSTMCell,
    ),
    "r spares b_hn": ("load(n.pre + 2 * n.Hp) + r * q)", "load(n.pre + 2 * n.Hp) + q)", GRUCell),
    "lerp the other way": (
        "new_ + z * (load(n.h_old, n.left) - new_)",
        "load(n.h_old, n.left) + z * (new_ - load(n.h_old, n.left))",
        GRUCell,
    ),
    "no gradient of the last h": ("if (last) sum +=", "if (false) sum +=", RNNCell),
    "no gradient of the last c": ("lstm && l.dc_last ?", "false ?", LSTMCell),
    "dc lost over ended steps": (
        "store(s.d + g * s.Hp, vec<real>{});\n    return;",
        "store(s.d + g * s.Hp, vec<real>{});\n    store(s.carry, vec<real>{});\n    return;",
        LSTMCell,
    ),
    "dc passes f by": ("store(s.carry, dc * f)", "store(s.carry, dc)", LSTMCell),
    "z dh lost": ("store(s.carry, dh * z)", "store(s.carry, vec<real>{})", GRUCell),
    "the next chunk's slot": ("memmove(s.pre + steps * s.count", "memmove(s.pre + (steps - 1) * s.count", RNNCell),
    "h1 for h0 in dW_hh": (
        "[&](int64_t t, int64_t b) { return l.h_before(t, b); }",
        "[&](int64_t t, int64_t b) { return l.h_before(t ? t : 1, b); }",
        RNNCell,
    ),
    "db_hn from db_in": ("steps, Cell::past, l.db_hh", "steps, Cell::below, l.db_hh", GRUCell),
    "dx from the past's d": ("Cell::below[g] * Hp, row, 1", "Cell::past[g] * Hp, row, 1", GRUCell),
    "dc0 before it went back": ("if (lstm && l.dc0) unpad(s.carry", "if (lstm && l.dc0) unpad(s.start", LSTMCell),
    "tail one lane short": ("lane < left; lane++) to[lane] = v", "lane + 1 < left; lane++) to[lane] = v", RNNCell),
    "shares overlap": (
        "(number + 1) / count - s.first",
        "(number + 1) / count - s.first + (number + 1 < count)",
        LSTMCell,
    ),
    "threads' gradients not added": ("total[i][at] += part[at]", "total[i][at] = part[at]", GRUCell),
    "totals not zeroed": ("if (total[i]) memset(total[i], 0", "if (false) memset(total[i], 0", RNNCell),
    "tanh not clamped": ("within<real>(x, Lanes<real>::TANH_END)", "x", RNNCell),
    "sigmoid not clamped": ("within<real>(-x, Lanes<real>::EXP_END)", "-x", GRUCell),
    "one chain forgotten": ("for (int c = 1; c < CHAINS", "for (int c = 2; c < CHAINS", RNNCell),
    "a power of e^r left out": ("term <= L::TERMS", "term < L::TERMS", GRUCell),
    "end one step late": (
        "bool ended = lstm && l.lengths && t >= l.lengths[b];\n        finish",
        "bool ended = lstm && l.lengths && t > l.lengths[b];\n        finish",
        LSTMCell,
    ),
    "end ignored backwards": (
        "bool ended = lstm && l.lengths && t >= l.lengths[b];\n          Slope",
        "bool ended = false;\n          Slope",
        LSTMCell,
    ),
    "b_hh left out": ("(apart ? 0 : l.b_hh[g * l.H + j])", "real(0)", RNNCell),
    "float's ln 2 cut short": ("LOW = -2.12194440e-4f", "LOW = 0.f", LSTMCell, F32),
}
PYTHON = {
    "h0 is zero in dW_hh": ("by_hand.py", "torch.cat([h0[None], past])", "torch.cat([0 * h0[None], past])", RNNCell),
    "h_t for h_{t-1}": ("by_hand.py", "[max(part.start - 1, 0) : part.stop - 1]", "[part.start : part.stop]", GRUCell),
    "a chunk's share replaces": ("by_hand.py", "total += d.sum(0)", "total.copy_(d.sum(0))", GRUCell),
    "lerp by hand the other way": ("by_hand.py", ".tanh_(), old, z, out", ".tanh_(), old, 1 - z, out", GRUCell),
    "biases swapped": (
        "by_hand.py",
        "zip(totals[2:], (d_below, d_past))",
        "zip(totals[2:], (d_past, d_below))",
        GRUCell,
    ),
    "q left out of dr": ("by_hand.py", "slope_n * q, r", "slope_n, r", GRUCell),
    "dh lost between chunks": ("by_hand.py", "else dhs[-1] + dh", "else dhs[-1] + grads[1]", RNNCell),
    "z left out of dh": ("by_hand.py", "addcmul(dh, z_t)", "add(dh)", GRUCell),
    "last h is no copy": ("by_hand.py", "return h, [old.clone()], kept", "return h, [h[0].clone()], kept", RNNCell),
    "bias left out": ("products.py", "_multiply(a, weight, bias)", "_multiply(a, weight)", RNNCell, F32),
    "outer product replaces": ("products.py", "total += torch", "total[:] = torch", RNNCell, F32),
    "base left out": ("products.py", "call(a, base,", "call(a, 0 * base,", GRUCell, F32),
    "batched gradients unseen": ("gradient.py", "any(map(is_batched, given))", "False", GRUCell),
    "wanted one place off": ("gradient.py", "needs_input_grad[2:]", "needs_input_grad[1:-1]", RNNCell),
    "second gradients cut": ("gradient.py", "create_graph=True", "create_graph=False", RNNCell),
    "lengths lost in second gradients": ("gradient.py", "_ended(ctx.lengths, len(tensors[0]))", "None", LSTMCell),
    "saved tensors read twice": ("gradient.py", "saved[ctx.count :]", "ctx.saved_tensors[ctx.count :]", LSTMCell),
    "last h one step early": ("fused.py", "(~ended).sum(0) - 1", "(~ended).sum(0) - 2", GRUCell),
    "lengths the other way": ("fused.py", "else (~ended).sum(0)", "else ended.sum(0)", LSTMCell),
    "other dtypes let in": ("fused.py", "each.dtype is x.dtype and", "", RNNCell),
    "negation not done": ("kernel.py", " and not tensor.is_neg()", "", RNNCell),
    "strides ignored": ("kernel.py", ".resolve_neg().contiguous()", ".resolve_neg()", GRUCell),
    "gradients with strides": ("kernel.py", "tensor.new_empty(tensor.shape)", "torch.empty_like(tensor)", LSTMCell),
    "h and c swapped": ("kernel.py", "else tuple(fields)", "else tuple(fields[::-1])", LSTMCell),
    "weights kept from the first call": (
        "kernel.py",
        "weights = [_plain(weight) for weight in tensors[-4:]]",
        "weights = vars(self).setdefault(str(tensors[-3].shape), [_plain(each).clone() for each in tensors[-4:]])",
        RNNCell,
    ),
}
FAULTS = {name: Fault("kernel.cpp", *rest) for name, rest in KERNEL.items()} | {
    name: Fault(*rest) for name, rest in PYTHON.items()
}
