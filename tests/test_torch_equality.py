"""The stack against torch's own modules, with copied weights: outputs, states and all gradients, to 1e-12."""

import torch
from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from course_lib import GRUCell, LSTMCell, RNNCell, Stack
from tests.worlds import TORCH, close, gradients_of, random_states, to_hx

configurations = st.fixed_dictionaries(
    {
        "cell": st.sampled_from([RNNCell, LSTMCell, GRUCell]),
        "num_layers": st.sampled_from([1, 2, 3, 5]),
        "hidden_size": st.integers(1, 6),
        "input_size": st.one_of(st.none(), st.integers(1, 6)),  # None: equal to hidden_size, no shape error helps
        "num_steps": st.integers(1, 7),
        "batch_size": st.integers(1, 4),
        "carried": st.booleans(),
        "padded": st.booleans(),
        "number": st.integers(0, 2**31),
    }
)


def reference(module, x, hx, lengths):
    """torch's outputs and last states, through a packed sequence where there are lengths."""
    if lengths is None:
        return module(x, hx)
    packed, hx = module(pack_padded_sequence(x, lengths, enforce_sorted=False), hx)
    return pad_packed_sequence(packed, total_length=len(x))[0], hx


@seed(20)
@settings(max_examples=240, deadline=None, database=None, phases=[Phase.generate])  # the message says enough
@given(configurations)
def test_equals_torch_in_240_random_configurations(c):
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(c["number"])
    module = TORCH[c["cell"]](c["input_size"] or c["hidden_size"], c["hidden_size"], c["num_layers"])
    stack = Stack.from_torch(module)
    x = torch.randn(c["num_steps"], c["batch_size"], stack.input_size, requires_grad=True)
    lengths = torch.randint(1, c["num_steps"] + 1, (c["batch_size"],)) if c["padded"] else None
    states = random_states(stack, c["batch_size"]) if c["carried"] else None

    output, last = stack(x, states, lengths)
    expected, hx = reference(module, x, to_hx(states) if states else None, lengths)
    close(output, expected)
    close(to_hx(last), hx)

    every = torch.cat([output.flatten(), *(field.flatten() for state in last for field in state)])
    hx = hx if isinstance(hx, tuple) else (hx,)
    order = [hx[f][l].flatten() for l in range(stack.num_layers) for f in range(len(hx))]
    ours = gradients_of(every, [x, *stack.parameters()])
    theirs = gradients_of(torch.cat([expected.flatten(), *order]), [x, *module.parameters()])
    close(ours, theirs)


def test_one_seed_gives_torchs_initial_weights():
    for cell, make in TORCH.items():
        torch.manual_seed(3)
        stack = Stack.uniform(cell, 5, 4, 3)
        torch.manual_seed(3)
        close(list(stack.parameters()), list(make(5, 4, 3).parameters()), 0)


def test_parameters_are_counted_by_the_formula_and_torchs_second_bias():
    """4[h(d+h)+h] + (L-1) 4[2h^2+h] for LSTM, three quarters of it for GRU; torch has one more bias a gate."""
    for d, h, L in ((10, 20, 3), (20, 20, 1), (3, 5, 4)):
        one_bias = (h * (d + h) + h) + (L - 1) * (2 * h * h + h)
        for cell, gates in ((RNNCell, 1), (GRUCell, 3), (LSTMCell, 4)):
            mine, theirs = Stack.uniform(cell, d, h, L), TORCH[cell](d, h, L)
            counts = [sum(parameter.numel() for parameter in module.parameters()) for module in (mine, theirs)]
            assert counts == [gates * (one_bias + L * h)] * 2


def test_weights_go_to_torch_and_back():
    for cell in TORCH:
        stack = Stack.uniform(cell, 5, 4, 3, dropout=0.25).eval()
        module = stack.to_torch()
        assert module.dropout == 0.25
        assert not module.training
        x = torch.randn(6, 2, 5)
        close(module(x)[0], stack(x)[0])
        back = Stack.from_torch(module)
        assert back.dropout.p == 0.25
        close(back.state_dict(), stack.state_dict(), 0)


def test_from_torch_keeps_dtype_mode_and_dropout_and_fills_missing_biases():
    module = nn.GRU(3, 4, 3, bias=False, dropout=0.5, dtype=torch.float32).eval()
    stack = Stack.from_torch(module)
    assert stack.dropout.p == 0.5
    assert not stack.training
    assert {p.dtype for p in stack.parameters()} == {torch.float32}
    x = torch.randn(5, 2, 3, dtype=torch.float32)
    close(stack(x)[0], module(x)[0], 1e-6)


def test_to_torch_of_one_layer_with_dropout_warns_of_nothing():
    module = Stack.uniform(LSTMCell, 3, 4, 1, dropout=0.5).to_torch()
    assert module.dropout == 0


def test_training_gives_torchs_weights_after_ten_steps():
    module = nn.LSTM(3, 4, 3)
    stack = Stack.from_torch(module)
    x, target = torch.randn(5, 2, 3), torch.randn(5, 2, 4)
    for net in (module, stack):
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        for _ in range(10):
            optimizer.zero_grad()
            (net(x)[0] - target).pow(2).mean().backward()
            optimizer.step()
    close(list(stack.parameters()), list(module.parameters()))
