"""What stacks that read both ways refuse, and in which words."""

import pytest
import torch
from torch import nn

from course_lib import GRUCell, RNNCell, Stack, residual
from course_lib.relatives.bidirectional import Bidirectional, BidirectionalStack


def connected():
    return BidirectionalStack.uniform(RNNCell, 5, 4, 3)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: Bidirectional(GRUCell(3, 4), Stack([GRUCell(3, 4)])), TypeError, r"forward must be a Stack.*\[cell\]"),
        (lambda: Bidirectional(Stack([GRUCell(3, 4)]), nn.GRU(3, 4)), TypeError, "backward must be a Stack, or a"),
        (lambda: Bidirectional(*[Stack([GRUCell(3, 4)])] * 2), ValueError, "are the same object"),
        (
            lambda: Bidirectional(Stack([GRUCell(3, 4)]), Stack([GRUCell(2, 4)])),
            ValueError,
            "forward has input_size=3 but backward has input_size=2",
        ),
        (
            lambda: Bidirectional(Stack([GRUCell(3, 4)]).float(), Stack([GRUCell(3, 4)])),
            TypeError,
            "one dtype and one device, got torch.float32 on cpu and torch.float64 on cpu",
        ),
        (lambda: BidirectionalStack([]), ValueError, "layers is empty"),
        (lambda: BidirectionalStack(connected().layers[0]), TypeError, "a list of Bidirectional, got one Bidirec"),
        (lambda: BidirectionalStack([Stack([GRUCell(3, 4)])]), TypeError, "layer 1 is Stack; it must be Bidirec"),
        (lambda: BidirectionalStack([connected().layers[0]] * 2), ValueError, "hold the same stack twice"),
        (
            lambda: BidirectionalStack([connected().layers[0] for _ in range(2)]),
            ValueError,
            r"layer 1 sends up width 8, both directions together, but layer 2 has input_size=5",
        ),
        (
            lambda: BidirectionalStack(
                [connected().layers[0], Bidirectional(Stack([RNNCell(8, 1)]), Stack([RNNCell(8, 2)]))],
                connection=residual,
            ),
            ValueError,
            "layer 2 has input_size=8 and output_size=3, which its connection refuses: residual adds",
        ),
        (lambda: BidirectionalStack.uniform(GRUCell(3, 4), 3, 4, 2), TypeError, "must be a class such as LSTMCell"),
        (lambda: BidirectionalStack.uniform(GRUCell, 3, 4, 0), ValueError, "num_layers must be at least 1, got 0"),
        (lambda: BidirectionalStack.uniform(GRUCell, 3, "4", 2), TypeError, "hidden_size must be an int, got '4'"),
        (lambda: BidirectionalStack.uniform(GRUCell, 3, 4, 2, dropout=2), ValueError, "must be in 0..1, got 2"),
        (lambda: BidirectionalStack.from_torch(nn.Linear(3, 4)), TypeError, "takes torch.nn.RNN, LSTM or GRU, got L"),
        (lambda: BidirectionalStack.from_torch(nn.GRU(3, 4)), ValueError, "Stack.from_torch takes this one"),
        (
            lambda: BidirectionalStack.from_torch(nn.LSTM(3, 4, proj_size=2, bidirectional=True)),
            ValueError,
            "neither relu nor projections",
        ),
        (
            lambda: BidirectionalStack.from_torch(nn.RNN(3, 4, nonlinearity="relu", bidirectional=True)),
            ValueError,
            "neither relu nor projections",
        ),
    ],
)
def test_mistakes_at_construction_are_named(make, error, words):
    with pytest.raises(error, match=words):
        make()


@pytest.mark.usefixtures("unchecked")
def test_wrong_arguments_are_refused_in_words():
    net, x = connected(), torch.randn(6, 2, 5)
    states = net.initial_states(2)
    wrong = {
        "input_size=5, got width 6": lambda: net(torch.randn(6, 2, 6)),
        r"the weights have torch\.float64": lambda: net(x.float()),
        "time >= 1, got time=0": lambda: net(x[:0]),
        r"lengths\[1\] is 7 but must be in 1..T": lambda: net(x, lengths=[3, 7]),
        "states has 1 entries for 3 layers": lambda: net(x, states[:1]),
        "one BothStates a layer, got BothStates": lambda: net(x, states[0]),
        r"layer 1: states must be BothStates\(forward, backward\), got a tuple of 1": lambda: net(x, [((),)] * 3),
        "layer 2: backward: states has 0 entries": lambda: net(x, [*states[:1], (states[1][0], ()), states[2]]),
        "layer 1: forward: h in the state of layer 1 has shape": lambda: net(x, net.initial_states(3)),
        r"states must be BothStates\(forward, backward\), got Tensor": lambda: net.layers[0](x, x),
        "forward: states has 2 entries for 1 layers": lambda: net.layers[0](x, [states[0][0] * 2, states[0][1]]),
        "batch_size must be at least 1": lambda: net.initial_states(0),
    }
    for words, call in wrong.items():
        with pytest.raises((TypeError, ValueError), match=words):
            call()
