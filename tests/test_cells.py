"""One node: every cell passes one battery."""

import pickle

import pytest
import torch
from torch import nn

from course_lib import Cell, GRUCell, LSTMCell, LSTMState, RNNCell, RNNState
from tests.worlds import CELLS, close


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(("input_size", "batch_size"), [(5, 3), (4, 3), (5, 1)])
def test_contract(cell, input_size, batch_size):
    node = cell(input_size, 4)
    state = node.initial_state(batch_size)
    assert all(field.shape == (batch_size, 4) and (field == 0).all() for field in state)
    new = node(torch.randn(batch_size, input_size), state)
    assert type(new) is type(state)
    assert new.h.shape == (batch_size, 4)
    close(pickle.loads(pickle.dumps(node)).state_dict(), node.state_dict(), 0)


@pytest.mark.parametrize(("cell", "make"), [(RNNCell, nn.RNNCell), (LSTMCell, nn.LSTMCell), (GRUCell, nn.GRUCell)])
def test_equals_torchs_cell(cell, make):
    node, twin = cell(5, 4), make(5, 4)
    twin.load_state_dict(node.state_dict())
    x, h, c = torch.randn(3, 5), torch.randn(3, 4), torch.randn(3, 4)
    if cell is LSTMCell:
        close(tuple(node(x, LSTMState(h, c))), twin(x, (h, c)))
    else:
        close(node(x, RNNState(h)).h, twin(x, h))


def test_state_follows_the_weights():
    state = GRUCell(2, 3).to(torch.float32).initial_state(2)
    assert state.h.dtype == torch.float32


def test_repr_names_the_sizes():
    assert repr(LSTMCell(5, 4)) == "LSTMCell(5, 4)"


@pytest.mark.usefixtures("unchecked")
class TestErrors:
    @pytest.mark.parametrize(
        ("sizes", "kind", "words"),
        [
            ((0, 4), ValueError, "RNNCell: input_size must be at least 1, got 0"),
            ((5, -1), ValueError, "hidden_size must be at least 1, got -1"),
            ((5, 4.0), TypeError, "hidden_size must be an int, got 4.0 of type float"),
            ((True, 4), TypeError, "input_size must be an int"),
        ],
    )
    def test_sizes(self, sizes, kind, words):
        with pytest.raises(kind, match=words):
            RNNCell(*sizes)

    def test_widths_at_the_node(self):
        node = GRUCell(5, 4)
        with pytest.raises(ValueError, match=r"GRUCell\(5, 4\): below must be \(batch, 5\), got \(3, 6\)"):
            node(torch.randn(3, 6), node.initial_state(3))
        with pytest.raises(ValueError, match=r"state.h must be \(batch, 4\), got \(3, 5\)"):
            node(torch.randn(3, 5), RNNState(torch.zeros(3, 5)))

    def test_batch_size(self):
        with pytest.raises(ValueError, match="batch_size must be at least 1, got 0"):
            RNNCell(5, 4).initial_state(0)

    def test_cell_without_weights_starts_from_zeros(self):
        class Echo(Cell):
            def forward(self, below, state):
                return RNNState(below)

        assert Echo(3, 3).initial_state(2).h.shape == (2, 3)
