"""The wire carries values as they are, and refuses everything else that a hostile process could send."""

import math
import socket
import struct
import time
from pathlib import Path

import numpy
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.grading import wire

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


def over(value):
    return wire.decode(wire.unpack(wire.pack(wire.encode(value))[4:]))


@given(values)
def test_a_value_comes_back_as_it_went(value):
    back = over(value)
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize("name", wire.DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (2, 0, 3)])
def test_an_array_comes_back_with_its_dtype_and_shape(name, shape):
    array = numpy.arange(math.prod(shape)).reshape(shape).astype(name)
    back = over(array)
    numpy.testing.assert_array_equal(back, array, strict=True)
    back[...] = 0  # and can be written


def test_numbers_that_are_not_finite_come_back():
    assert over([float("inf"), -float("inf")]) == [float("inf"), -float("inf")]
    assert math.isnan(over(float("nan")))


def test_tensors_come_as_arrays():
    numpy.testing.assert_array_equal(over(torch.ones(2, 3, requires_grad=True).T), numpy.ones((3, 2)), strict=True)
    assert over(torch.ones(2, dtype=torch.bfloat16)).dtype == numpy.float32
    assert over(numpy.float32(2)) == 2.0
    assert over(numpy.arange(3)[::-1].astype(">i4")).tolist() == [2, 1, 0]


@pytest.mark.parametrize(
    "value",
    [
        object(), {1, 2}, b"bytes", {1: 2}, 1j, numpy.array([1j]), numpy.array(["a"]), numpy.array([None]), 2**64,
        torch.ones(2, dtype=torch.complex64), torch.empty(2, device="meta"), torch.nn.Linear(1, 1), "\ud800",
        numpy.ma.masked_array([1.0]), numpy.zeros(wire.LONGEST), numpy.zeros((1,) * 9), numpy.datetime64("2026-01-01"),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_is_no_value_is_refused(value):
    with pytest.raises(wire.WireError):
        wire.encode(value)


def test_deep_and_endless_values_are_refused():
    endless = []
    endless.append(endless)
    with pytest.raises(wire.WireError, match="nested more than 12 deep"):
        wire.encode(endless)


def test_too_many_values_are_refused_on_both_sides_and_an_array_of_them_is_not():
    rows = [[0.0] * 9] * (wire.MOST // 10 - 1) + [[0.0] * 8]  # with the lists themselves as many as there may be
    assert over(rows) == rows
    for many in ([0.0] * wire.MOST, [*rows, 0.0], {"a": [*rows], "b": {}}):
        with pytest.raises(wire.WireError, match="more than 10000 values; an array"):
            wire.encode(many)
    with pytest.raises(wire.WireError, match="more than 10000 values"):
        wire.decode({"tuple": [{"list": []}] * wire.MOST})
    assert over(numpy.zeros(2 * wire.MOST)).shape == (2 * wire.MOST,)


def array(data="AAAAAAAA8D8=", dtype="float64", shape=(1,), **more):
    return {"array": data, "dtype": dtype, "shape": list(shape), **more}


@pytest.mark.parametrize(
    "data",
    [
        array(shape=(10**9,)), array(shape=(-1,)), array(shape=(-1, -1)), array(shape=(True,)), array(shape=(1.0,)),
        array(shape=(1,) * 9), array(shape=(0, 10**30)), array("", shape=(0, 2**23, 2**23, 2**23)), array(shape="1"),
        array("", "int8", (2**20, 2**20, 2**22, 0)), array("", "int8", (2**24, 0)), array(dtype="object"),
        array(dtype="float64,(9,)f8"), array(dtype="O"), array(dtype="complex128"),
        array(dtype=["float64"]), array(data="?"), array(data=1), array(data="AAAA\n"), array(more=1),
        {"list": 1}, {"list": [], "tuple": []}, {"dict": [["a", 1], ["a", 2]]}, {"dict": [[1, 1]]}, {"dict": ["ab"]},
        {"dict": [["a"]]}, {"pickle": "gASVAA=="}, {"other": []}, {}, [], [1], "\ud800", 2**64, -(2**63) - 1,
        {"list": [{"list": [object()]}]}, {"dict": [["\udfff", 1]]},
    ],
    ids=lambda data: str(data)[:50].encode("ascii", "replace").decode(),
)  # fmt: skip
def test_what_encode_never_writes_is_refused(data):
    if data == array("", shape=(0, 2**23, 2**23, 2**23)):  # empty, and numpy may or may not make it
        try:
            assert wire.decode(data).size == 0
        except wire.WireError:
            return
    else:
        with pytest.raises(wire.WireError):
            wire.decode(data)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"a": 1, "a": 2}',
        b"\x80\x04K\x01.",
        b"[" * 200_000,
        b"\xff",
        b"1" * 5000,
        b"[[1]" * 9,
        b'{"value":[' + b"[],[]," * 100_000 + b"[]]}",
    ],
)
def test_a_body_that_is_no_message_is_refused(body):
    with pytest.raises(wire.WireError, match=r"no message|twice"):
        wire.unpack(body)


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield wire.Channel(ours.fileno(), ours.fileno(), time.monotonic() + 2), theirs


def test_a_message_goes_through_in_pieces(pair):
    channel, other = pair
    frame = wire.pack({"text": "x" * 1000})
    other.sendall(frame[:2])
    other.sendall(frame[2:100])
    other.sendall(frame[100:] + wire.pack("next"))
    assert channel.receive() == {"text": "x" * 1000}
    assert channel.receive() == "next"


def test_a_frame_that_claims_too_much_is_refused_unread(pair):
    channel, other = pair
    other.sendall(struct.pack(">I", 0xFFFFFFFF))
    with pytest.raises(wire.WireError, match="claims 4294967295 bytes"):
        channel.receive()


def test_a_message_that_is_too_long_is_not_sent(pair):
    with pytest.raises(wire.WireError, match="too many for one message"):
        pair[0].send("x" * (wire.LONGEST + 1))


@pytest.mark.parametrize("some", [b"", b"\0", struct.pack(">I", 9) + b"half"])
def test_who_is_silent_or_slow_is_gone_at_the_deadline(pair, some):
    channel, other = pair
    channel.deadline = time.monotonic() + 0.2
    other.sendall(some)
    with pytest.raises(wire.Closed):
        channel.receive()
    assert time.monotonic() < channel.deadline + 1


def test_who_does_not_read_is_gone_at_the_deadline(pair):
    channel, _ = pair
    channel.deadline = time.monotonic() + 0.2
    with pytest.raises(wire.Closed):
        channel.send("x" * (4 << 20))


def test_who_hung_up_is_gone(pair):
    channel, other = pair
    other.close()
    with pytest.raises(wire.Closed):
        channel.receive()
    with pytest.raises(wire.Closed):
        channel.send(1)


@pytest.mark.parametrize("name", ["wire", "boxed", "box", "judge", "comparison", "doctor"])
def test_nothing_on_the_judges_side_unpickles_or_runs_text(name):
    text = (Path(wire.__file__).parent / f"{name}.py").read_text(encoding="utf-8")
    for word in ("pickle", "torch.load", "numpy.load", "eval(", "exec(", "import_module"):
        assert word not in text.replace("never a pickle", "")
