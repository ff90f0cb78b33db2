"""Every bad input is refused where the mistake is made, in one message with the argument, both values and the rule."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from course_lib import GRUCell, LSTMCell, LSTMState, RNNCell, RNNState, Stack, default_device, init, plain, residual
from tests.worlds import LeakyCell

pytestmark = pytest.mark.usefixtures("unchecked")


def two(*sizes):
    return [RNNCell(a, b) for a, b in sizes]


CONSTRUCTION = {
    "widths": (
        lambda: Stack(two((5, 6), (7, 4))),
        ValueError,
        "layer 1 has hidden_size=6 but layer 2 has input_size=7",
    ),
    "width 1": (lambda: Stack(two((5, 1), (1, 4)), connection=residual), ValueError, "width 1, to h, width 4"),
    "residual": (
        lambda: Stack(two((5, 6), (6, 4)), connection=residual),
        ValueError,
        "layer 2 has input_size=6 and hidden_size=4, which its connection refuses: residual adds .* must be equal",
    ),
    "concatenated": (
        lambda: Stack(two((5, 4), (4, 4), (4, 4)), connection=lambda below, h: torch.cat([below, h], -1)),
        ValueError,
        "layer 2 has hidden_size=4, sends up width 8 but layer 3 has input_size=4",
    ),
    "no cell": (lambda: Stack([]), ValueError, "cells is empty; a stack needs at least one layer"),
    "one cell": (lambda: Stack(RNNCell(2, 3)), TypeError, r"write Stack\(\[cell\]\)"),
    "torch's cell": (lambda: Stack([RNNCell(2, 3), nn.LSTMCell(3, 3)]), TypeError, "layer 2 is LSTMCell, which is no"),
    "class": (lambda: Stack([RNNCell]), TypeError, "layer 1 is RNNCell, which is no instance of course_lib.Cell"),
    "same cell": (
        lambda: Stack([cell := RNNCell(4, 4), GRUCell(4, 4), cell]),
        ValueError,
        "layers 1 and 3 are the same cell object",
    ),
    "dtypes": (
        lambda: Stack([RNNCell(2, 3), RNNCell(3, 3).float()]),
        TypeError,
        "layer 1 is torch.float64 on cpu but lay",
    ),
    "first skip": (
        lambda: Stack(two((4, 4), (4, 4)), connection=[residual, plain]),
        ValueError,
        "layer 1 must be plain",
    ),
    "short list": (lambda: Stack(two((4, 4), (4, 4)), connection=[plain]), ValueError, "lists 1 entries for 2 layers"),
    "word": (lambda: Stack(two((4, 4)), connection="residual"), TypeError, "must be a function .* got 'residual'"),
    "list of words": (lambda: Stack(two((4, 4), (4, 4)), connection=[plain, 3]), TypeError, "of layer 2 .* got 3"),
    "dropout": (lambda: Stack(two((4, 4)), dropout=1.5), ValueError, "dropout is a probability .* in 0..1, got 1.5"),
    "dropout nan": (lambda: Stack(two((4, 4)), dropout=float("nan")), ValueError, "in 0..1, got nan"),
    "dropout word": (lambda: Stack(two((4, 4)), dropout="0.5"), TypeError, "dropout must be a probability or a module"),
    "dropout bool": (lambda: Stack(two((4, 4)), dropout=True), TypeError, "got True of type bool"),
    "layers": (lambda: Stack.uniform(RNNCell, 2, 3, 0), ValueError, "num_layers must be at least 1, got 0"),
    "half a layer": (lambda: Stack.uniform(RNNCell, 2, 3, 1.5), TypeError, "num_layers must be an int, got 1.5"),
    "width": (lambda: Stack.uniform(RNNCell, 2, 0, 3), ValueError, "hidden_size must be at least 1, got 0"),
    "instance": (lambda: Stack.uniform(RNNCell(2, 3), 2, 3, 2), TypeError, "cell must be a class such as LSTMCell"),
    "relu": (lambda: Stack.from_torch(nn.RNN(2, 3, nonlinearity="relu")), ValueError, "no nonlinearity='relu'"),
    "bidirectional": (lambda: Stack.from_torch(nn.GRU(2, 3, bidirectional=True)), ValueError, "no bidirectional=True"),
    "projection": (lambda: Stack.from_torch(nn.LSTM(2, 3, proj_size=2)), ValueError, "no proj_size=2"),
    "linear": (lambda: Stack.from_torch(nn.Linear(2, 3)), TypeError, "takes torch.nn.RNN, LSTM or GRU, got Linear"),
    "mixed": (
        lambda: Stack([GRUCell(2, 3), RNNCell(3, 3)]).to_torch(),
        TypeError,
        r"one kind of .*'GRUCell', 'RNNCell'",
    ),
    "own cell": (lambda: Stack([LeakyCell(2, 3)]).to_torch(), TypeError, r"one kind of .*'LeakyCell'"),
    "unequal": (lambda: Stack(two((2, 3), (3, 4))).to_torch(), ValueError, r"equal widths, got hidden_sizes=\(3, 4\)"),
    "connected": (
        lambda: Stack.uniform(RNNCell, 2, 3, 2, connection=residual).to_torch(),
        TypeError,
        r"plain connections, got connections=\[plain, residual\]",
    ),
    "own dropout": (
        lambda: Stack.uniform(RNNCell, 2, 3, 2, dropout=nn.AlphaDropout(0.5)).to_torch(),
        TypeError,
        "a dropout probability, got AlphaDropout",
    ),
    "forget bias": (
        lambda: init.forget_bias(Stack([GRUCell(2, 3)]), 1.0),
        TypeError,
        r"forget gate, got \['GRUCell'\]",
    ),
    "identity": (lambda: init.identity(Stack([GRUCell(2, 3)])), TypeError, r"\(RNNCell\) only, got \['GRUCell'\]"),
    "orthogonal": (
        lambda: init.orthogonal(Stack([LeakyCell(2, 3)])),
        TypeError,
        r"torch's weights, .* \['LeakyCell'\]",
    ),
}


@pytest.mark.parametrize("case", CONSTRUCTION)
def test_construction(case):
    make, kind, words = CONSTRUCTION[case]
    with pytest.raises(kind, match=words):
        make()


X = torch.zeros(6, 3, 5, dtype=torch.float64)
H = torch.zeros(3, 4, dtype=torch.float64)
GOOD = (RNNState(H), LSTMState(H, H), RNNState(H))

CALLS = {
    "numpy": ((np.zeros((6, 3, 5)),), TypeError, r"x must be a tensor \(time, batch, input_size\) .* got ndarray"),
    "packed": ((pack_padded_sequence(X, [6, 6, 6]),), TypeError, "pass the padded tensor and lengths="),
    "unbatched": ((X[:, 0],), ValueError, r"x must be .* 3 axes, got shape \(6, 5\)"),
    "width": ((X[..., :4],), ValueError, r"input_size=5, got width 4 in shape \(6, 3, 4\)"),
    "T = 0": ((X[:0],), ValueError, r"x must have time >= 1, got time=0 in shape \(0, 3, 5\)"),
    "no batch": ((X[:, :0],), ValueError, "x must have batch >= 1, got batch=0"),
    "float32": (
        (X.float(),),
        TypeError,
        "x has dtype torch.float32 but the weights have torch.float64; convert x with",
    ),
    "integers": ((X.long(),), TypeError, "x has dtype torch.int64 but the weights have torch.float64"),
    "device": ((X.to("meta"),), TypeError, "x is on device meta but the weights are on cpu"),
    "one state": ((X, GOOD[0]), TypeError, "states must be a tuple with one state a layer, got RNNState"),
    "a tensor": ((X, H), TypeError, "states must be a tuple with one state a layer, got Tensor"),
    "too few": ((X, GOOD[:2]), ValueError, "states has 2 entries for 3 layers"),
    "wrong kind": ((X, GOOD[::2] + GOOD[:1]), TypeError, "the state of layer 2 must be LSTMState, got RNNState"),
    "bare pair": ((X, (GOOD[0], (H, H), GOOD[2])), TypeError, "the state of layer 2 must be LSTMState, got tuple"),
    "state width": (
        (X, (RNNState(H[:, :3]), *GOOD[1:])),
        ValueError,
        r"h in the state of layer 1 has shape \(3, 3\) but must be \(batch, hidden_size\) = \(3, 4\)",
    ),
    "state batch": (
        (X[:, :2], GOOD),
        ValueError,
        r"h in the state of layer 1 has shape \(3, 4\) but must be .* \(2, 4\)",
    ),
    "state dtype": (
        (X, (*GOOD[:2], RNNState(H.float()))),
        TypeError,
        "h in the state of layer 3 has dtype torch.float32",
    ),
    "state kind": ((X, (RNNState(None), *GOOD[1:])), TypeError, "h in the state of layer 1 must be a tensor"),
    "long": ((X, None, [7, 1, 1]), ValueError, r"lengths\[0\] is 7 but must be in 1..T, and x has T=6 steps"),
    "zero": ((X, None, [1, 0, 6]), ValueError, r"lengths\[1\] is 0 but must be in 1..T"),
    "too many": ((X, None, [1, 2, 3, 4]), ValueError, r"lengths must be \(batch,\) = \(3,\), got shape \(4,\)"),
    "matrix": ((X, None, [[1], [2], [3]]), ValueError, r"got shape \(3, 1\)"),
    "halves": (
        (X, None, torch.tensor([1.0, 2.0, 3.0])),
        TypeError,
        "lengths must be integers, got dtype torch.float32",
    ),
    "mask": ((X, None, [True, True, False]), TypeError, "lengths must be integers, got dtype torch.bool"),
    "words": ((X, None, ["1", "2", "3"]), TypeError, "lengths must be an integer tensor or list .* got list of str"),
    "one number": ((X, None, 3), TypeError, "lengths must be an integer tensor or list .* got int"),
}


@pytest.mark.parametrize("view", ["forward", "rows", "grid"])
@pytest.mark.parametrize("case", CALLS)
def test_calls(case, view):
    args, kind, words = CALLS[case]
    stack = Stack([RNNCell(5, 4), LSTMCell(4, 4), GRUCell(4, 4)])
    with pytest.raises(kind, match=words):
        getattr(stack, view)(*args)


@pytest.mark.parametrize(
    ("args", "kind", "words"),
    [
        ((X, GOOD), ValueError, r"x_t must be a tensor|x_t must be \(batch, input_size\) .* got shape \(6, 3, 5\)"),
        ((X[0, :, :4], GOOD), ValueError, "x_t must be .* got width 4"),
        ((X[0].float(), GOOD), TypeError, "x_t has dtype torch.float32"),
        ((X[0], GOOD[:2]), ValueError, "states has 2 entries for 3 layers"),
        ((X[0, :2], GOOD), ValueError, r"h in the state of layer 1 has shape \(3, 4\)"),
        ((X[0], None), TypeError, "states must be a tuple with one state a layer, got NoneType"),
    ],
)
def test_step(args, kind, words):
    stack = Stack([RNNCell(5, 4), LSTMCell(4, 4), GRUCell(4, 4)])
    with pytest.raises(kind, match=words):
        stack.step(*args)


def test_residual_refuses_widths_that_would_broadcast():
    with pytest.raises(ValueError, match="width 1, to h, width 4; they must be equal"):
        residual(torch.zeros(2, 1), torch.zeros(2, 4))


def test_no_message_hides_a_traceback_from_deep_inside():
    """The frame that raises stands in the package, not in torch."""
    stack = Stack([RNNCell(5, 4), LSTMCell(4, 4), GRUCell(4, 4)])
    for args, kind, _ in CALLS.values():
        with pytest.raises(kind) as caught:
            stack(*args)
        assert "course_lib" in str(caught.traceback[-1].path)


def test_default_device(monkeypatch):
    monkeypatch.setenv("COURSE_DEVICE", "cpu")
    assert default_device() == torch.device("cpu")
    monkeypatch.setenv("COURSE_DEVICE", "abacus")
    with pytest.raises(ValueError, match="COURSE_DEVICE is 'abacus', which is no device of this torch; try 'cpu'"):
        default_device()
    monkeypatch.delenv("COURSE_DEVICE")
    assert default_device().type == ("cuda" if torch.cuda.is_available() else "cpu")
