"""What every relative does as a Stack does: chunks, steps, rows, grids, lengths, copies, dtypes, words for mistakes."""

import copy
import io
import pickle

import pytest
import torch

from tests.relatives.worlds import NETS, started
from tests.worlds import close, gradients_of, leaves

pytestmark = pytest.mark.parametrize("name", NETS)


def smooth(states):
    """The tensors of the states that have gradients."""
    return [field for field in leaves(states) if field.is_floating_point()]


@pytest.mark.parametrize("cut", [1, 2, 3, 5, 8])
def test_chunks_equal_the_whole(name, cut):
    net, x = NETS[name](), torch.randn(9, 3, 5)
    states = started(net, 3)
    whole, last = net(x, states)
    first, between = net(x[:cut], states)
    second, end = net(x[cut:], between)
    close((torch.cat([first, second]), end), (whole, last))


def test_steps_rows_and_grid_equal_the_whole(name):
    net, x = NETS[name](), torch.randn(9, 3, 5)
    states = started(net, 3)
    rows, (_, last), grid = net.rows(x, states), net(x, states), net.grid(x, states)
    for time, x_t in enumerate(x, start=1):
        states = net.step(x_t, states)
        for layer, state in enumerate(states, start=1):
            close(rows[layer - 1][time - 1], state.h)
            close(tuple(grid.state(layer, time)), tuple(state))
    close(states, last)


def test_gradients_of_the_output_and_of_the_grid_are_equal(name):
    net, x = NETS[name](), torch.randn(9, 2, 5, requires_grad=True)
    states = started(net, 2)
    through_rows = gradients_of(torch.cat(net.rows(x, states), dim=-1), [x, *net.cells.parameters()])
    grid = net.grid(x, states)
    through_grid = torch.cat([grid.row(layer + 1) for layer in range(net.num_layers)], dim=-1)
    close(gradients_of(through_grid, [x, *net.cells.parameters()]), through_rows)


def test_a_node_of_the_grid_lies_on_the_path_through_time(name):
    net, x = NETS[name](), torch.randn(9, 2, 5)
    grid = net.grid(x)
    influence = gradients_of(grid.h(1, 9), [grid.h(1, 8), grid.h(0, 1)])
    assert all(gradient.abs().sum() > 0 for gradient in influence)


def test_lengths_end_a_sequence(name):
    net, x = NETS[name](), torch.randn(9, 3, 5)
    states = started(net, 3)
    output, last = net(x, states, lengths=[4, 9, 1])
    for place, length in enumerate([4, 9, 1]):
        alone = tuple(type(state)(*(field[place : place + 1] for field in state)) for state in states)
        own, end = net(x[:length, place : place + 1], alone)
        close(output[:length, place : place + 1], own)
        assert not output[length:, place].any()
        close([field[place : place + 1] for field in leaves(last)], leaves(end))
    rows = net.rows(x, states, lengths=[4, 9, 1])
    close(rows[0][4:, 0], rows[0][3:4, 0].expand(5, -1))


def test_nothing_of_the_callers_is_changed(name):
    net, x = NETS[name](), torch.randn(9, 3, 5)
    states = started(net, 3)
    before = copy.deepcopy((x, states))
    first = net(x, states)[0]
    net.grid(x, states)
    net.step(x[0], states)
    close((x, states), before, 0)
    close(net(x, states)[0], first, 0)


def test_copies_and_states_survive_pickle(name):
    net, x = NETS[name](), torch.randn(9, 2, 5)
    file = io.BytesIO()
    torch.save(net.state_dict(), file)
    file.seek(0)
    loaded = NETS[name]()
    loaded.load_state_dict(torch.load(file))
    output, states = net(x)
    for twin in (loaded, copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        close(twin(x)[0], output, 0)
    kept = pickle.loads(pickle.dumps(states))
    assert [type(state) for state in kept] == [type(state) for state in states]
    close(net(x, kept)[0], net(x, states)[0], 0)


def test_the_weights_dtype_is_followed_and_clocks_stay_whole(name):
    net = NETS[name]().to(torch.float32)
    output, states = net(torch.randn(9, 2, 5, dtype=torch.float32))
    assert {field.dtype for field in [output, *smooth(states)]} == {torch.float32}
    clocks = [field for field in leaves(states) if not field.is_floating_point()]
    assert {clock.dtype for clock in clocks} <= {torch.int64}
    assert all((clock == 9).all() for clock in clocks)
    net(torch.randn(9, 2, 5, dtype=torch.float32), states)


@pytest.mark.usefixtures("unchecked")
def test_wrong_arguments_are_refused_in_words(name):
    net, x = NETS[name](), torch.randn(9, 2, 5)
    with pytest.raises(ValueError, match="input_size=5, got width 6"):
        net(torch.randn(9, 2, 6))
    with pytest.raises(TypeError, match=r"the weights have torch\.float64"):
        net.grid(x.float())
    with pytest.raises(ValueError, match="time >= 1"):
        net.rows(x[:0])
    with pytest.raises(ValueError, match=f"states has 9 entries for {net.num_layers} layers"):
        net.step(x[0], net.initial_states(2)[:1] * 9)
    with pytest.raises(ValueError, match=r"lengths\[1\] is 10 but must be in 1..T"):
        net(x, lengths=[3, 10])
    with pytest.raises(ValueError, match="batch_size must be at least 1"):
        net.initial_states(0)


def test_torch_func_takes_it(name):
    net, xs = NETS[name](), torch.randn(3, 6, 2, 5)

    def value(x):
        return net(x, lengths=[6, 6])[0].square().sum()

    leaves_of_x = [x.clone().requires_grad_() for x in xs]
    wanted = [torch.autograd.grad(value(leaf), leaf)[0] for leaf in leaves_of_x]
    close(torch.func.vmap(torch.func.grad(value))(xs), torch.stack(wanted))
