"""Both directions against torch's bidirectional layers, and against stacks that read each sequence backwards alone."""

import copy
import math

import pytest
import torch
from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from course_lib import GRUCell, LSTMCell, RNNCell, Stack, plain, residual
from course_lib.data import synthetic
from course_lib.models import FrameTagger, Tagger, cross_entropy
from course_lib.relatives import ClockedStack, DilatedStack
from course_lib.relatives.bidirectional import Bidirectional, BidirectionalStack, BothStates, reverse
from course_lib.training import Settings, fit
from tests.relatives.worlds import NETS
from tests.worlds import CELLS, TORCH, LeakyCell, Recorded, close, gradients_of


def leaves(states):
    """All tensors of nested states, in one list."""
    return [states] if isinstance(states, torch.Tensor) else [leaf for each in states for leaf in leaves(each)]


def started(states):
    """States of the same form that are not zero, all of them different."""
    if isinstance(states, torch.Tensor):
        return torch.randn_like(states) if states.is_floating_point() else states
    parts = [started(each) for each in states]
    return type(states)(*parts) if hasattr(states, "_fields") else tuple(parts)


def to_hx(states):
    """The states in torch's form: layer 1 forward, layer 1 backward, layer 2 forward, ..."""
    cells = [direction[0] for layer in states for direction in layer]
    fields = [torch.stack(field) for field in zip(*cells)]
    return fields[0] if len(fields) == 1 else tuple(fields)


configurations = st.fixed_dictionaries(
    {
        "cell": st.sampled_from([RNNCell, LSTMCell, GRUCell]),
        "num_layers": st.sampled_from([1, 2, 3]),
        "hidden_size": st.integers(1, 5),
        "input_size": st.one_of(st.none(), st.integers(1, 5)),  # None: equal to hidden_size, no shape error helps
        "num_steps": st.integers(1, 7),
        "carried": st.booleans(),
        "padded": st.booleans(),
        "number": st.integers(0, 2**31),
    }
)


@seed(22)
@settings(max_examples=150, deadline=None, database=None, phases=[Phase.generate])
@given(configurations)
def test_equals_torch_in_150_random_configurations(c):
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(c["number"])
    sizes = (c["input_size"] or c["hidden_size"], c["hidden_size"], c["num_layers"])
    module = TORCH[c["cell"]](*sizes, bidirectional=True)
    net = BidirectionalStack.from_torch(module)
    x = torch.randn(c["num_steps"], 3, net.input_size, requires_grad=True)
    lengths = torch.randint(1, c["num_steps"] + 1, (3,)) if c["padded"] else None
    states = started(net.initial_states(3)) if c["carried"] else None
    output, last = net(x, states, lengths)

    hx = to_hx(states) if states else None
    if lengths is None:
        expected, hx = module(x, hx)
    else:
        packed, hx = module(pack_padded_sequence(x, lengths, enforce_sorted=False), hx)
        expected = pad_packed_sequence(packed, total_length=len(x))[0]
    close(output, expected)
    close(to_hx(last), hx)
    flat = [torch.cat([each.flatten() for each in leaves(both)]) for both in ((output, to_hx(last)), (expected, hx))]
    names = [name for name, _ in module.named_parameters()]
    ours = gradients_of(flat[0], [x, *net.parameters()])
    theirs = gradients_of(flat[1], [x, *(module.get_parameter(name) for name in names)])
    close(ours, theirs)  # torch, too, lists a layer's forward weights before its backward ones


@pytest.mark.parametrize("sizes", [(5, 4, 3), (8, 4, 3)])
@pytest.mark.parametrize("cell", CELLS)
def test_each_direction_is_its_stack_alone_and_layers_read_both(cell, sizes):
    net, x, lengths = BidirectionalStack.uniform(cell, *sizes), torch.randn(6, 3, sizes[0]), [4, 6, 1]
    states = started(net.initial_states(3))
    output, last = net(x, states, lengths)
    for b, length in enumerate(lengths):
        up = x[:length, b : b + 1]
        for layer, own, end in zip(net.layers, states, last):
            ups = []
            for name, stack, turn in zip(BothStates._fields, layer.directions, (False, True)):
                alone = tuple(type(s)(*(field[b : b + 1] for field in s)) for s in getattr(own, name))
                row, state = stack(up.flip(0) if turn else up, alone)
                ups.append(row.flip(0) if turn else row)
                close([field[b : b + 1] for field in leaves(getattr(end, name))], leaves(state))
            up = torch.cat(ups, dim=-1)
        close(output[:length, b : b + 1], up)
        assert not output[length:, b].any()


@pytest.mark.parametrize("name", NETS)
def test_any_stack_can_be_made_bidirectional(name):
    forward, backward = NETS[name](), NETS[name]()
    net, x, lengths = Bidirectional(forward, backward), torch.randn(7, 2, 5), [7, 4]
    states = started(net.initial_states(2))
    output, (last, back) = net(x, states, lengths)
    close(output[..., : forward.output_size], forward(x, states.forward, lengths)[0])
    close(leaves(last), leaves(forward(x, states.forward, lengths)[1]))
    for b, length in enumerate(lengths):
        own = tuple(type(state)(*(field[b : b + 1] for field in state)) for state in states.backward)
        alone, state = backward(x[:length, b : b + 1].flip(0), own)
        close(output[:length, b : b + 1, forward.output_size :], alone.flip(0))
        close([field[b : b + 1] for field in leaves(back)], leaves(state))


def test_the_two_directions_may_differ_in_kind_and_width():
    net = Bidirectional(DilatedStack.uniform(GRUCell, 5, 4, 3), Stack([LSTMCell(5, 3), LeakyCell(3, 6)]))
    assert (net.input_size, net.output_size) == (5, 10)
    assert FrameTagger(net, 3)(torch.randn(6, 2, 5), [6, 2]).shape == (6, 2, 3)


def test_a_layer_sees_the_whole_sequence_and_no_other():
    net, x = BidirectionalStack.uniform(GRUCell, 5, 4, 1), torch.randn(6, 2, 5, requires_grad=True)
    for half, seen in ((slice(0, 4), [0, 1, 2]), (slice(4, 8), [2, 3])):
        [influence] = gradients_of(net(x, lengths=[6, 4])[0][2, 1, half], [x])
        assert influence[:, 1].any(-1).nonzero().flatten().tolist() == seen
        assert not influence[:, 0].any()


@pytest.mark.parametrize("connection", [plain, residual])
def test_what_stands_past_an_end_has_no_effect(connection):
    net, x, lengths = (
        BidirectionalStack.uniform(LSTMCell, 5, 4, 3, connection=connection),
        torch.randn(6, 3, 5),
        [2, 6, 4],
    )
    spoiled = x.clone()
    spoiled[2:, 0], spoiled[4:, 2] = float("nan"), float("inf")
    clean, dirty = net(x, lengths=lengths), net(spoiled, lengths=lengths)
    close(leaves(dirty), leaves(clean), 0)
    weights = list(net.parameters())
    close(gradients_of(dirty[0], weights), gradients_of(clean[0], weights), 0)


def test_residual_adds_from_layer_2_on_and_never_the_input():
    net, x = BidirectionalStack.uniform(RNNCell, 8, 4, 3, connection=residual), torch.randn(6, 2, 8)
    stream = net.layers[0](x)[0]
    for layer in list(net.layers)[1:]:
        stream = stream + layer(stream)[0]
    close(net(x)[0], stream)


@pytest.mark.parametrize("connection", [plain, residual])
def test_dropout_masks_what_layers_2_to_L_read_and_spares_the_stream(connection):
    dropout = Recorded()
    net = BidirectionalStack.uniform(GRUCell, 5, 4, 3, connection=connection, dropout=dropout)
    x, lengths = torch.randn(6, 2, 5), [6, 3]
    output, _ = net(x, lengths=lengths)
    up = net.layers[0](x, lengths=lengths)[0]
    for layer, mask in zip(list(net.layers)[1:], dropout.given):
        assert mask.shape == (6, 2, 8)
        up = connection(up, layer(up * mask, lengths=lengths)[0])
    close(output, up)
    assert len(dropout.given) == 2
    assert not torch.equal(*dropout.given[0][:2])


def test_a_dropout_probability_acts_in_training_only():
    net, x = BidirectionalStack.uniform(GRUCell, 5, 4, 3, dropout=0.5), torch.randn(6, 2, 5)
    bare = BidirectionalStack(copy.deepcopy(net.layers))
    assert not torch.allclose(net(x)[0], bare(x)[0])
    close(net.eval()(x)[0], bare(x)[0], 0)
    assert net(x)[0].requires_grad


def test_from_torch_keeps_dtype_mode_and_dropout_and_fills_missing_biases():
    module = nn.GRU(3, 4, 3, bias=False, dropout=0.5, bidirectional=True, dtype=torch.float32).eval()
    net = BidirectionalStack.from_torch(module)
    assert (net.dropout.p, net.training) == (0.5, False)
    assert {p.dtype for p in net.parameters()} == {torch.float32}
    x = torch.randn(5, 2, 3, dtype=torch.float32)
    close(net(x)[0], module(x)[0], 1e-6)


def test_layers_read_twice_the_width_so_parameters_more_than_double():
    net = BidirectionalStack.uniform(LSTMCell, 10, 20, 3)
    one_direction = 4 * ((20 * (10 + 20) + 2 * 20) + 2 * (20 * (2 * 20 + 20) + 2 * 20))
    counts = [sum(p.numel() for p in each.parameters()) for each in (net, nn.LSTM(10, 20, 3, bidirectional=True))]
    assert counts == [2 * one_direction] * 2 == [24_960] * 2


def test_reversing_within_the_length_is_its_own_inverse():
    x, ended = torch.arange(10.0).reshape(5, 2, 1), torch.tensor([[False, False]] * 3 + [[True, False]] * 2)
    assert reverse(x, ended)[..., 0].T.tolist() == [[4, 2, 0, 6, 8], [9, 7, 5, 3, 1]]
    close(reverse(reverse(x, ended), ended), x, 0)
    close(reverse(x), x.flip(0), 0)


def test_looking_ahead_is_impossible_one_way_and_easy_both_ways():
    task = synthetic.look_ahead()
    losses = []
    for make in (Stack.uniform, BidirectionalStack.uniform):
        torch.manual_seed(0)
        torch.set_default_dtype(torch.float32)
        model = Tagger(make(GRUCell, 16, 24, 1), task.num_inputs, task.num_outputs)
        fit(model, task.batches(120, 20, 32, seed=0), cross_entropy, Settings(120, 0.03))
        losses.append(cross_entropy(model, task.sample(20, 200, seed=1_000_000)).item())
    assert losses[0] > math.log(8) - 0.02
    assert losses[1] < 1.0


def test_gradients_are_those_of_finite_differences():
    net, x = BidirectionalStack.uniform(LSTMCell, 2, 2, 2), torch.randn(4, 2, 2, requires_grad=True)
    states = started(net.initial_states(2))
    wrt = [field.requires_grad_() for field in leaves(states)]
    assert torch.autograd.gradcheck(lambda *_: net(x, states, [4, 2])[0], (x, *wrt))


def test_states_are_copied_by_name_and_weights_by_state_dict():
    net, twin, x = *(BidirectionalStack.uniform(LSTMCell, 3, 4, 2) for _ in range(2)), torch.randn(5, 2, 3)
    twin.load_state_dict(net.state_dict())
    close(twin(x)[0], net(x)[0], 0)
    [first, _] = net(x)[1]
    close(first.forward[0], net.layers[0].directions[0](x)[1][0], 0)
    assert type(first) is BothStates


def test_clocks_count_backwards_from_each_end():
    net, x = Bidirectional(*(ClockedStack.uniform(GRUCell, 3, 4, 2) for _ in range(2))), torch.randn(6, 2, 3)
    assert [state.clock.tolist() for state in net(x, lengths=[5, 3])[1].backward] == [[5, 3], [5, 3]]
