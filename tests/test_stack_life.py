"""What a stack keeps, copies and notices: its arguments, its weights, its own modes, changes behind its back."""

import copy
import io
import pickle

import pytest
import torch
from torch import nn

from course_lib import Cell, GRUCell, LSTMCell, RNNCell, RNNState, Stack, residual
from tests.test_stack import make
from tests.worlds import CELLS, LeakyCell, close, leaves, random_states


def test_nothing_is_remembered_and_nothing_of_the_callers_is_changed():
    stack, x = make(), torch.randn(6, 3, 5)
    states, lengths = list(random_states(stack, 3)), torch.tensor([2, 6, 4])
    before = copy.deepcopy((x, states, lengths))
    first = stack(x, states, lengths)[0]
    stack.grid(x, states, lengths)
    stack.step(x[0], states)
    close((x, states, lengths), before, 0)
    assert not x.requires_grad
    assert not states[0].h.requires_grad
    close(stack(x, states, lengths)[0], first, 0)


@pytest.mark.parametrize("cell", CELLS)
def test_state_dict_pickle_and_deepcopy(cell):
    stack, x = make(cell, connection=residual, dropout=0.2).eval(), torch.randn(4, 2, 5)
    file = io.BytesIO()
    torch.save(stack.state_dict(), file)
    file.seek(0)
    loaded = make(cell, connection=residual).eval()
    loaded.load_state_dict(torch.load(file))
    for twin in (loaded, copy.deepcopy(stack), pickle.loads(pickle.dumps(stack))):
        close(twin(x)[0], stack(x)[0], 0)
        assert {id(p) for p in twin.parameters()}.isdisjoint({id(p) for p in stack.parameters()})


def test_repr_tells_the_wiring():
    assert "connections=[plain, residual, residual]" in repr(make(connection=residual))


def test_cells_without_weights_follow_the_stacks_dtype():
    class Sum(Cell):
        def forward(self, below, state):
            return RNNState(0.5 * state.h + below)

    stack = Stack([Sum(4, 4), LSTMCell(4, 4), Sum(4, 4)]).to(torch.float32)
    output, states = stack(torch.randn(5, 2, 4, dtype=torch.float32))
    assert {field.dtype for field in leaves(states)} == {output.dtype} == {torch.float32}
    assert stack(torch.randn(5, 2, 4, dtype=torch.float32), states)[0].dtype == torch.float32


def test_the_dropouts_own_mode_decides_whether_it_masks():
    stack, x = make(RNNCell, dropout=0.5).eval(), torch.randn(5, 2, 5)
    stack.dropout.train()  # many random passes of a trained network, as an estimate of its doubt
    assert not torch.equal(stack(x)[0], stack(x)[0])
    assert torch.equal(stack.eval()(x)[0], stack(x)[0])


def test_a_layer_added_behind_the_stacks_back_is_noticed():
    stack, x = make(RNNCell), torch.randn(5, 2, 5)
    stack.cells.append(RNNCell(4, 4))
    for view in (stack, stack.rows, stack.grid):
        with pytest.raises(ValueError, match=r"zip\(\) argument"):
            view(x)


def test_cells_may_come_in_a_module_list():
    cells = nn.ModuleList([RNNCell(5, 4), GRUCell(4, 3)])
    assert Stack(cells).cells[1] is cells[1]


def test_uniform_takes_any_maker_of_cells():
    stack = Stack.uniform(LeakyCell, 2, 3, 4)
    assert stack.num_layers == 4
    assert stack.input_size == 2
    assert stack.hidden_sizes == (3, 3, 3, 3)
