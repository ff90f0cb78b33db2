"""What learners compute instead of the sum over paths, by the recursion that each mistake amounts to."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor


def _sum(by_time: Tensor, by_depth: Tensor, entry: Tensor, reverse: bool = False) -> Tensor:
    """The sum over all paths, extended node by node; ``reverse`` multiplies new factors on the right."""
    grow: Callable[[Tensor, Tensor], Tensor] = (lambda e, p: p @ e) if reverse else torch.matmul
    rows: list[list[Tensor]] = []
    for l in range(by_time.shape[0]):
        rows.append([])
        for t in range(by_time.shape[1]):
            ways = [grow(by_time[l, t], rows[l][t - 1])] if t else []
            ways += [grow(by_depth[l, t], rows[l - 1][t])] if l else []
            rows[l].append(sum(ways) if ways else entry)
    return rows[-1][-1]


def wrong_sums(by_time: Tensor, by_depth: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Sums that are not the gradient, each with what was done; none where it equals the right one."""
    entry, one = by_depth[0, 0], torch.eye(by_depth.shape[-1], dtype=by_depth.dtype)
    right = _sum(by_time, by_depth, entry)
    left = torch.cat([by_time[:, :1], by_time[:, :-1]], dim=1)
    under = torch.cat([by_depth[:1], by_depth[:-1]])
    wrongs = {
        "the step from x_1 into layer 1 is missing: every path starts with by_depth[0, 0]": (by_time, by_depth, one),
        "new factors go on the left: the last step of a path is the first matrix of its product": (
            by_time,
            by_depth,
            entry,
            True,
        ),
        "by_time and by_depth are exchanged: a move right multiplies by by_time": (by_depth, by_time, entry),
        "a move multiplies by the edge of the node that it enters, not of the one that it leaves": (left, under, entry),
        "by_time of the node that the move leaves; take that of the node that it enters": (left, by_depth, entry),
        "by_depth of the node that the move leaves; take that of the node that it enters": (by_time, under, entry),
    }
    for name, arguments in wrongs.items():
        yield from _unless(right, name, _sum(*arguments))
    yield from _unless(right, "that is one path alone, first all steps right, then up", _one_path(by_time, by_depth))
    up_first = _one_path(by_depth.transpose(0, 1), by_time.transpose(0, 1), entry)
    yield from _unless(right, "that is one path alone, first all steps up, then right", up_first)


def _one_path(by_time: Tensor, by_depth: Tensor, entry: Tensor | None = None) -> Tensor:
    product = by_depth[0, 0] if entry is None else entry
    for t in range(1, by_time.shape[1]):
        product = by_time[0, t] @ product
    for l in range(1, by_time.shape[0]):
        product = by_depth[l, -1] @ product
    return product


def _unless(right: Tensor, name: str, wrong: Tensor) -> Iterator[tuple[str, Tensor]]:
    if not torch.allclose(wrong, right):
        yield name, wrong


def _grow(a: Tensor, b: Tensor, join: Callable[[Tensor, Tensor], Tensor], border: Tensor) -> Tensor:
    """The recursion on the grid: ``join`` of what comes from the left and from below; ``border`` lies under layer 1."""
    rows, below = [], border
    for l in range(a.shape[0]):
        row, left = [], torch.zeros((), dtype=a.dtype)
        for t in range(a.shape[1]):
            left = join(a[l, t] * left, b[l, t] * below[t])
            row.append(left)
        below = torch.stack(row)
        rows.append(below)
    return torch.stack(rows)


def wrong_bounds(a: Tensor, b: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Bounds that are none, or not the recursion's, each with what was done."""
    first = torch.zeros(a.shape[1], dtype=a.dtype)
    first[0] = 1
    right = _grow(a, b, torch.add, first)
    late = torch.cat([a[:, :1], a[:, :-1]], dim=1)
    dropped = right.clone()
    dropped[0, 1:] = 0
    wrongs = {
        "every input starts a path in yours; only x_1 does, so the border is 1 at step 1 and 0 at the others": _grow(
            a, b, torch.add, torch.ones_like(first)
        ),
        "you take the larger of the two ways; a gradient is the sum of both, so add": _grow(a, b, torch.maximum, first),
        "the path along the bottom row is not counted: layer 1 hands on in time as well": _without_bottom(a, b),
        "by_time of the node left behind; the step into a node has that node's norm": _grow(late, b, torch.add, first),
        "the two norms are exchanged: time_norms belong to steps right": _grow(b, a, torch.add, first),
        "that is one path a^(t-1) b^l to each node: add up all of them": _single(a, b),
        "the step from x_1 into layer 1 is missing: the first node has depth_norms[0, 0], not 1": right / b[0, 0],
    }
    for name, wrong in wrongs.items():
        yield from _unless(right, name, wrong)


def _without_bottom(a: Tensor, b: Tensor) -> Tensor:
    a = a.clone()
    a[0] = 0
    first = torch.zeros(a.shape[1], dtype=a.dtype)
    first[0] = 1
    return _grow(a, b, torch.add, first)


def _single(a: Tensor, b: Tensor) -> Tensor:
    """a^(t-1) b^l with the largest norms."""
    steps, layers = torch.arange(a.shape[1]), torch.arange(1, a.shape[0] + 1)
    largest = a[:, 1:].max() if a.shape[1] > 1 else torch.ones((), dtype=a.dtype)
    return largest**steps * b.max() ** layers[:, None]


def _streams(a: Tensor, b: Tensor, skips: Callable[[int], bool], reads: str = "up") -> tuple[Tensor, Tensor]:
    """(h, up) where ``skips(l)`` says whether the stream passes layer l by, and depth reads ``up`` or ``h``."""
    first = torch.zeros(a.shape[1], dtype=a.dtype)
    first[0] = 1
    hs, ups, up, h = [], [], first, first
    for l in range(a.shape[0]):
        below = up if reads == "up" else h
        h = _grow(a[l : l + 1], b[l : l + 1], torch.add, below)[0]
        up = up + h if skips(l) else h
        hs.append(h)
        ups.append(up)
    return torch.stack(hs), torch.stack(ups)


def wrong_streams(a: Tensor, b: Tensor) -> Iterator[tuple[str, tuple[Tensor, Tensor]]]:
    """(h, up) that are not those of a residual stack, each with what was done."""
    right = _streams(a, b, lambda l: l > 0)
    wrongs = {
        "layer 1 has a skip in yours; its input is data, and nothing is added to h there": _streams(
            a, b, lambda l: True
        ),
        "nothing passes a node by in yours: up[l] = up[l-1] + h[l] from layer 2 on": _streams(a, b, lambda l: False),
        "your layers read h of the layer below; they read the stream, up": _streams(a, b, lambda l: l > 0, "h"),
        "h and up are exchanged: give back (h, up)": right[::-1],
        "up is not the stream but h: add what passes by": (right[0], right[0]),
    }
    for name, wrong in wrongs.items():
        if not all(map(torch.allclose, wrong, right)):
            yield name, wrong
