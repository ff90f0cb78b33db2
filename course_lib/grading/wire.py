"""The only thing that crosses the wall of a box: frames of JSON with values and arrays in them, never a pickle."""

import base64
import binascii
import json
import math
import os
import select
import struct
import time
from collections.abc import Iterator

import numpy
import torch

LONGEST = 8 << 20  # bytes of a frame: arrays of 750 000 float64
DEEPEST = 12
MOST = 10_000  # values in lists and dictionaries: to compare millions one by one would take the judge minutes
MARKS = 32 * MOST  # brackets and commas in a message: more than so many values need
SHORT = 16_384  # bytes of a reply that carries no value
WIDEST = 8  # axes of an array
HEAD = struct.Struct(">I")
NUMBERS = "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64"
DTYPES = {name: numpy.dtype(name) for name in NUMBERS.split()}


class WireError(ValueError):
    """What came or should go is no value that the wire carries; the message says why."""


class Closed(Exception):
    """The other side is gone, or did not answer in time."""


def encode(value: object, depth: int = 0, left: Iterator[int] | None = None) -> object:
    """A value as JSON can hold it: None, numbers, text, lists, tuples, dictionaries by text, arrays, tensors.

    Errors: WireError for anything else, for whole numbers beyond 64 bits, for what is nested too deeply and for too
    many values outside arrays.
    """
    left = _within(depth, left)
    if isinstance(value, torch.Tensor):
        value = _array(value)
    if isinstance(value, numpy.generic) and value.dtype.name in DTYPES:
        value = value.item()
    if isinstance(value, numpy.ndarray):
        return _encode_array(value)
    if type(value) in (list, tuple):
        return {type(value).__name__: [encode(item, depth + 1, left) for item in value]}
    if isinstance(value, dict):
        return {"dict": [[_key(key), encode(item, depth + 1, left)] for key, item in value.items()]}
    return _plain(value)


def decode(data: object, depth: int = 0, left: Iterator[int] | None = None) -> object:
    """The value that ``encode`` was given; tensors come as arrays. Errors: WireError for all that it never writes."""
    left = _within(depth, left)
    if not isinstance(data, dict):
        return _plain(data)
    if set(data) == {"array", "dtype", "shape"}:
        return _decode_array(data["array"], data["dtype"], data["shape"])
    if len(data) != 1 or not isinstance(items := next(iter(data.values())), list):
        raise WireError("this is no value")
    if "list" in data or "tuple" in data:
        values = [decode(item, depth + 1, left) for item in items]
        return values if "list" in data else tuple(values)
    if "dict" in data and all(isinstance(pair, list) and len(pair) == 2 for pair in items):
        values = {_key(key): decode(item, depth + 1, left) for key, item in items}
        if len(values) == len(items):
            return values
    raise WireError("this is no value")


def pack(message: object) -> bytes:
    """A message as a frame: its length in four bytes, then JSON. Errors: WireError for more than ``LONGEST`` bytes."""
    body = json.dumps(message, separators=(",", ":")).encode("ascii")
    if len(body) > LONGEST:
        raise WireError(f"{len(body)} bytes are too many for one message; at most {LONGEST}")
    return HEAD.pack(len(body)) + body


def unpack(body: bytes) -> object:
    """The message in a frame's body. Errors: WireError unless it is JSON without a name twice in an object."""
    if len(body) > MARKS and sum(map(body.count, (b"[", b"{", b","))) > MARKS:  # to parse it would take seconds
        raise WireError("this is no message: it has too many parts")
    try:
        return json.loads(body.decode("utf-8"), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise WireError(f"this is no message: {str(error)[:100]}") from None


class Channel:
    """Frames over two descriptors, which may be one socket twice, until a moment of ``time.monotonic``."""

    def __init__(self, reader: int, writer: int, deadline: float = math.inf):
        self.reader, self.writer, self.deadline = reader, writer, deadline
        for descriptor in {reader, writer}:
            os.set_blocking(descriptor, False)

    def send(self, message: object) -> None:
        """Send one message. Errors: WireError for one that is too long, Closed."""
        self.write(pack(message))

    def write(self, frame: bytes) -> None:
        """Send what ``pack`` made. Errors: Closed."""
        rest = memoryview(frame)
        while rest:
            self._wait(self.writer, select.POLLOUT)
            try:
                rest = rest[os.write(self.writer, rest) :]
            except BlockingIOError:
                continue
            except OSError:
                raise Closed from None

    def receive(self, longest: int = LONGEST) -> object:
        """The next message. Errors: WireError for what is none, after which nothing can be received; Closed."""
        (length,) = HEAD.unpack(self._read(HEAD.size))
        if length > longest:
            raise WireError(f"a message claims {length} bytes; at most {longest}")
        return unpack(self._read(length))

    def _read(self, count: int) -> bytes:
        data = bytearray()
        while len(data) < count:
            self._wait(self.reader, select.POLLIN)
            try:
                more = os.read(self.reader, min(65536, count - len(data)))
            except BlockingIOError:
                continue
            except OSError:
                raise Closed from None
            if not more:
                raise Closed
            data += more
        return bytes(data)

    def _wait(self, descriptor: int, event: int) -> None:
        poll = select.poll()
        poll.register(descriptor, event)
        left = self.deadline - time.monotonic()
        if left <= 0 or not poll.poll(None if left == math.inf else left * 1000):
            raise Closed


def _within(depth: int, left: Iterator[int] | None) -> Iterator[int]:
    """How many more values there may be, after this one."""
    if depth > DEEPEST:
        raise WireError(f"lists and dictionaries are nested more than {DEEPEST} deep")
    left = iter(range(MOST)) if left is None else left
    if next(left, None) is None:
        raise WireError(f"lists and dictionaries have more than {MOST} values; an array or a tensor can hold them")
    return left


def _plain(value: object) -> object:
    if value is None or type(value) in (bool, float):
        return value
    if type(value) is int:
        if not -(2**63) <= value < 2**64:
            raise WireError("a whole number has more than 64 bits; an array or a float can hold it")
        return value
    if type(value) is str:
        return _text(value)
    raise WireError(
        f"an object of type {type(value).__name__} cannot be sent; numbers, text, tensors, lists and dictionaries can"
    )


def _text(value: str) -> str:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise WireError("text has half of a surrogate pair, which no file can hold") from None
    return value


def _key(key: object) -> str:
    if type(key) is not str:
        raise WireError(f"a dictionary has a key of type {type(key).__name__}; keys must be text")
    return _text(key)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise WireError("an object has the same name twice")
    return found


def _array(tensor: torch.Tensor) -> numpy.ndarray:
    try:
        tensor = tensor.detach().cpu()
        return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor.resolve_neg()).numpy()
    except (TypeError, RuntimeError, NotImplementedError) as error:
        raise WireError(f"a tensor of {tensor.dtype} cannot be sent: {str(error)[:100]}") from None


def _encode_array(array: numpy.ndarray) -> dict[str, object]:
    name = array.dtype.name
    if name not in DTYPES or type(array) is not numpy.ndarray:
        raise WireError(f"a {type(array).__name__} of {name} cannot be sent; True and False, whole numbers, floats can")
    if array.nbytes > LONGEST or array.ndim > WIDEST:
        raise WireError(f"an array of shape {array.shape} is too large to be sent")
    data = numpy.ascontiguousarray(array, DTYPES[name]).tobytes()
    return {"array": base64.b64encode(data).decode("ascii"), "dtype": name, "shape": list(array.shape)}


def _decode_array(text: object, name: object, shape: object) -> numpy.ndarray:
    if type(text) is not str or type(name) is not str or name not in DTYPES:
        raise WireError(f"this is no array: dtype {name!r:.40}")
    if not isinstance(shape, list) or len(shape) > WIDEST:
        raise WireError(f"this is no shape: {shape!r:.80}")
    if not all(type(length) is int and 0 <= length <= LONGEST for length in shape):
        raise WireError(f"this is no shape: {shape!r:.80}")
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise WireError("an array's data are not base64") from None
    if math.prod(max(1, length) for length in shape) > LONGEST:  # without an entry, and too large for numpy
        raise WireError(f"this is no shape: {shape!r:.80}")
    if math.prod(shape) * DTYPES[name].itemsize != len(data):
        raise WireError(f"an array has {len(data)} bytes, and its shape {shape} claims others")
    try:
        return numpy.frombuffer(bytearray(data), DTYPES[name]).reshape(shape)
    except ValueError as error:
        raise WireError(f"this is no array: {error}") from None
