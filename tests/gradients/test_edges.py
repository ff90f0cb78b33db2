"""One edge: against derivatives by hand, against autograd through the grid, and what it refuses."""

import pytest
import torch
from torch import nn

from course_lib import GRUCell, LSTMCell, RNNCell, Stack, gradients, plain, residual
from course_lib.relatives.clocked import ClockedStack
from course_lib.relatives.dilated import DilatedStack
from course_lib.relatives.multiscale import MultiscaleLSTM
from tests.worlds import CELLS, LeakyCell, close, random_states


def grid_of(stack, num_steps=5, batch=2):
    return stack.grid(torch.randn(num_steps, batch, stack.input_size), random_states(stack, batch))


def test_vanilla_edges_are_the_slope_of_tanh_times_the_weights():
    stack = Stack([RNNCell(3, 6), RNNCell(6, 4), RNNCell(4, 5)])
    grid = grid_of(stack)
    for layer, cell in enumerate(stack.cells, start=1):
        for time in (1, 4):
            slope = (1 - grid.h(layer, time) ** 2)[..., None]
            by_time, by_depth = gradients.edge_jacobians(stack, grid, layer, time)
            close(by_time, slope * cell.weight_hh)
            close(by_depth, slope * cell.weight_ih)


def lstm_edge(cell, weight, below, old, new):
    """d [h, c] by whatever enters the gates through ``weight``, from the equations of the cell.

    dc = c_old f' + g i' + i g';  dh = tanh(c) o' + o (1 - tanh^2 c) dc.
    """
    scores = below @ cell.weight_ih.T + cell.bias_ih + old.h @ cell.weight_hh.T + cell.bias_hh
    i, f, g, o = scores.chunk(4, dim=-1)
    i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
    w_i, w_f, w_g, w_o = weight.chunk(4)
    rows = [(old.c * f * (1 - f), w_f), (g * i * (1 - i), w_i), (i * (1 - g**2), w_g)]
    dc = sum(factor[..., None] * block for factor, block in rows)
    keep = o * (1 - new.c.tanh() ** 2)
    dh = (new.c.tanh() * o * (1 - o))[..., None] * w_o + keep[..., None] * dc
    by_c = torch.cat([torch.diag_embed(keep * f), torch.diag_embed(f)], dim=1)
    return torch.cat([dh, dc], dim=1), by_c


def test_lstm_edges_hold_the_other_field_fixed():
    """h_{t-1} depends on c_{t-1}; a total derivative by c_{t-1} would count the way through h twice."""
    stack = Stack([LSTMCell(3, 4), LSTMCell(4, 5), LSTMCell(5, 2)])
    grid = grid_of(stack)
    for layer, cell in enumerate(stack.cells, start=1):
        nodes = grid.up(layer - 1, 3), grid.state(layer, 2), grid.state(layer, 3)
        by_time, by_depth = gradients.edge_jacobians(stack, grid, layer, 3)
        by_h, by_c = lstm_edge(cell, cell.weight_hh, *nodes)
        close(by_time, torch.cat([by_h, by_c], dim=2))
        close(by_depth, lstm_edge(cell, cell.weight_ih, *nodes)[0])


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("connection", [plain, residual])
def test_an_edge_by_depth_is_what_autograd_finds_through_the_grid(cell, connection):
    stack = Stack([cell(3, 4), cell(4, 4), cell(4, 4)], connection=connection)
    grid = grid_of(stack)
    for layer in (1, 2, 3):
        rows = torch.cat(grid.state(layer, 2), dim=-1)
        by_depth = gradients.edge_jacobians(stack, grid, layer, 2)[1]
        close(by_depth, gradients.jacobian(rows, grid.up(layer - 1, 2)))
        assert by_depth.any()


def test_the_size_is_that_of_the_whole_state():
    stack = Stack([LSTMCell(3, 4), GRUCell(4, 2)], connection=plain)
    grid = grid_of(stack)
    assert [edge.shape for edge in gradients.edge_jacobians(stack, grid, 1, 3)] == [(2, 8, 8), (2, 8, 3)]
    assert [edge.shape for edge in gradients.edge_jacobians(stack, grid, 2, 3)] == [(2, 2, 2), (2, 2, 4)]


def test_edges_need_no_attached_grid_and_leave_nothing_attached():
    stack = Stack.uniform(LSTMCell, 3, 4, 3)
    x = torch.randn(4, 2, 3)
    with torch.no_grad():
        detached = gradients.edge_jacobians(stack, stack.grid(x), 2, 3)
    close(detached, gradients.edge_jacobians(stack, stack.grid(x), 2, 3), 0)
    assert not any(edge.requires_grad for edge in detached)


def test_norms_are_those_of_every_edge():
    stack = Stack([LSTMCell(3, 4), RNNCell(4, 4), GRUCell(4, 5)], connection=[plain, residual, plain])
    grid = grid_of(stack)
    by_time, by_depth = gradients.edge_norms(stack, grid)
    assert by_time.shape == by_depth.shape == (2, 3, 5)
    for layer in (1, 2, 3):
        for time in (1, 5):
            a, d = gradients.edge_jacobians(stack, grid, layer, time)
            close(by_time[:, layer - 1, time - 1], torch.linalg.svdvals(a)[:, 0])
            close(by_depth[:, layer - 1, time - 1], torch.linalg.svdvals(d)[:, 0])


def test_clocks_are_handed_on_and_longer_memories_are_differentiated():
    clocked, dilated = ClockedStack.uniform(GRUCell, 3, 4, 3), DilatedStack.uniform(RNNCell, 3, 4, 3)
    by_time, by_depth = gradients.edge_jacobians(clocked, clocked.grid(torch.randn(6, 2, 3)), 2, 3)
    close(by_time, torch.eye(4).expand(2, 4, 4))  # layer 2 rests at odd steps
    assert not by_depth.any()
    by_time, _ = gradients.edge_jacobians(dilated, dilated.grid(torch.randn(6, 2, 3)), 3, 5)
    assert by_time.shape == (2, 16, 16)  # four states of width 4
    assert not by_time[:, :4, :4].any()  # h comes from the oldest of them, not from the newest


class TestRefused:
    """What a grid does not show is refused in one sentence, not computed wrongly."""

    def test_dropout_in_training_mode(self):
        stack = Stack.uniform(LeakyCell, 3, 4, 3, dropout=0.5)
        grid = grid_of(stack)
        assert gradients.edge_jacobians(stack, grid, 1, 2)[0].any()  # layer 1 has no mask
        with pytest.raises(ValueError, match=r"training mode with dropout.*call stack.eval\(\) before stack.grid"):
            gradients.edge_jacobians(stack, grid, 2, 2)
        with pytest.raises(ValueError, match="layer 2 at time 1, sequence 0, is not what the stack computes"):
            gradients.edge_norms(stack.eval(), grid)
        assert gradients.edge_norms(stack, grid_of(stack))[0].isfinite().all()

    def test_a_mask_that_a_module_of_ones_own_makes_in_eval_mode(self):
        class Half(nn.Module):
            def forward(self, ones):
                return ones * 0.5

        stack = Stack.uniform(RNNCell, 3, 4, 3, dropout=Half()).eval()
        with pytest.raises(ValueError, match="dropout was at work"):
            gradients.edge_norms(stack, grid_of(stack))

    def test_weights_that_have_changed(self):
        stack = Stack.uniform(RNNCell, 3, 4, 3)
        grid = grid_of(stack)
        with torch.no_grad():
            stack.cells[2].weight_hh.mul_(1.1)
        assert gradients.edge_jacobians(stack, grid, 2, 2)[0].any()
        with pytest.raises(ValueError, match=r"layer 3 at time 2, sequence 0, is not .* the weights have changed"):
            gradients.edge_jacobians(stack, grid, 3, 2)

    def test_a_sequence_that_has_ended(self):
        stack = Stack.uniform(GRUCell, 3, 4, 3)
        grid = stack.grid(torch.randn(5, 2, 3), lengths=[5, 3])
        assert gradients.edge_jacobians(stack, grid, 2, 3)[0].any()
        with pytest.raises(ValueError, match=r"layer 2 at time 4, sequence 1, .* sequence had ended .*x\[:length\]"):
            gradients.edge_jacobians(stack, grid, 2, 4)

    def test_another_stacks_grid(self):
        with pytest.raises(ValueError, match="grid has 3 layers but stack has 2; pass the grid of this stack"):
            gradients.edge_jacobians(Stack.uniform(RNNCell, 3, 4, 2), grid_of(Stack.uniform(RNNCell, 3, 4, 3)), 1, 1)

    @pytest.mark.usefixtures("unchecked")
    def test_a_network_that_is_no_stack(self):
        net = MultiscaleLSTM(3, (4, 4))
        with pytest.raises(TypeError, match=r"edges are those of a Stack, .* got MultiscaleLSTM"):
            gradients.edge_jacobians(net, net.grid(torch.randn(3, 1, 3)), 1, 1)

    @pytest.mark.parametrize(("layer", "time"), [(0, 1), (1, 0), (4, 1), (1, 6)])
    def test_places_outside(self, layer, time):
        stack = Stack.uniform(RNNCell, 3, 4, 3)
        with pytest.raises(IndexError, match=r"must be in \d\.\."):
            gradients.edge_jacobians(stack, grid_of(stack), layer, time)


@pytest.mark.usefixtures("unchecked")
def test_a_grid_of_other_states_is_named():
    lstm, vanilla = Stack.uniform(LSTMCell, 3, 4, 3), Stack.uniform(RNNCell, 3, 4, 3)
    with pytest.raises(TypeError, match="layer 2 of the stack has states LSTMState, that of the grid RNNState"):
        gradients.edge_jacobians(lstm, vanilla.grid(torch.randn(3, 1, 3)), 2, 2)
    with pytest.raises(TypeError, match=r"grid must be a Grid, as stack.grid\(x\) gives it, got Tensor"):
        gradients.edge_norms(lstm, torch.randn(3, 1, 3))


def test_what_is_not_a_number_is_named():
    stack = Stack.uniform(RNNCell, 3, 4, 3)
    stack.cells[1].weight_hh.data[0, 0] = torch.nan
    with pytest.raises(ValueError, match="layer 2 holds NaN: look for it in the weights and in x"):
        gradients.edge_norms(stack, stack.grid(torch.randn(3, 1, 3)))
