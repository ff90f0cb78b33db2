"""The compiled engine: kernel.cpp's rows of the vanilla, LSTM and GRU cell, called with the addresses of arrays."""

import ctypes
from array import array
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from course_lib.cells import Cell, GRUCell, LSTMCell, RNNCell

SOURCE = Path(__file__).with_name("kernel.cpp")
KEPT = {RNNCell: 0, LSTMCell: 4, GRUCell: 4}  # numbers a unit and step that the backward pass reads besides h and c
DTYPES = (torch.float32, torch.float64)
FIELDS = 27  # of the struct Layer


class Kernel:
    """The rows of one kind of cell in one dtype: an engine, see gradient.py."""

    def __init__(self, library: ctypes.CDLL, kind: type[Cell], dtype: torch.dtype):
        self.kind = kind
        self._panel = 2 * library.vector_bytes() // dtype.itemsize
        name = f"{kind.__name__}_{str(dtype).removeprefix('torch.')}"
        self._calls = [getattr(library, f"{name}_{way}") for way in ("forward", "backward")]
        for call in self._calls:
            call.argtypes = [ctypes.c_void_p, ctypes.c_int64]

    def forward(
        self, tensors: Sequence[Tensor], lengths: Tensor | None, keep: bool
    ) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """h at every time, the fields of the last state, and if ``keep`` what ``backward`` reads besides."""
        x, h0, *_, weight_hh, _, _ = tensors
        num_steps, batch_size, hidden_size = (*x.shape[:2], weight_hh.shape[1])
        h, last = x.new_empty(num_steps, batch_size, hidden_size), [_like(h0) for _ in tensors[1:-4]]
        padded = -(-hidden_size // self._panel) * self._panel
        gates = x.new_empty(num_steps, batch_size, KEPT[self.kind], padded) if keep and KEPT[self.kind] else None
        c = x.new_empty(num_steps, batch_size, padded) if keep and self.kind is LSTMCell else None
        self._call(0, tensors, lengths, (h, gates, c), _pair(last))
        return h, last, [each for each in (gates, c) if each is not None]

    def backward(
        self,
        tensors: Sequence[Tensor],
        lengths: Tensor | None,
        results: Sequence[Tensor],
        grads: Sequence[Tensor | None],
        wanted: Sequence[bool],
    ) -> list[Tensor | None]:
        """The gradients of ``tensors`` where ``wanted``, from those of h and of the last state."""
        h, *kept = results
        found = [_like(each) if want else None for each, want in zip(tensors, wanted)]
        dy, *dlast = [None if grad is None else _plain(grad) for grad in grads]
        dx, *dstate = found[:-4]
        read = (h, *kept, *[None] * (2 - len(kept)))
        self._call(1, tensors, lengths, read, (None, None), (dy, *_pair(dlast)), (dx, *_pair(dstate)), found[-4:])
        return found

    def _call(
        self, way: int, tensors: Sequence[Tensor], lengths: Tensor | None, *rest: Sequence[Tensor | None]
    ) -> None:
        x, *state = tensors[:-4]
        weights = [_plain(weight) for weight in tensors[-4:]]
        arrays = [_plain(x), *_pair([_plain(field) for field in state]), *weights, lengths]
        for part in rest:
            arrays.extend(part)
        sizes = (*x.shape, weights[1].shape[1])
        layer = array("q", [*sizes, *[0 if each is None else each.data_ptr() for each in arrays]])
        layer.extend([0] * (FIELDS - len(layer)))
        if self._calls[way](layer.buffer_info()[0], torch.get_num_threads()):
            time, batch, below, width = sizes
            raise MemoryError(
                f"{self.kind.__name__}({below}, {width}): no memory for a row of {time} steps, batch {batch}"
            )


def _pair(fields: list[Tensor | None]) -> tuple[Tensor | None, Tensor | None]:
    """The fields of a state as h and c."""
    return (*fields, None) if len(fields) == 1 else tuple(fields)


def _plain(tensor: Tensor) -> Tensor:
    """The tensor as its numbers lie in memory, row after row."""
    return tensor if tensor.is_contiguous() and not tensor.is_neg() else tensor.resolve_neg().contiguous()


def _like(tensor: Tensor) -> Tensor:
    """Room for as many numbers, row after row however the tensor lies: the kernel writes no other way."""
    return tensor.new_empty(tensor.shape)
