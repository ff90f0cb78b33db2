"""Hand-set weights: the machines against a literal loop and torch's own modules, the folds against the map itself."""

import itertools
import math

import pytest
import torch

from course_lib import RNNCell, Stack, constructions
from course_lib.constructions import CENTRE, SLOPE
from course_lib.folds import pieces, pieces_by_layer


def answers(name, x):
    """What a machine answers to bits (time, batch, 1)."""
    if name == "vanilla":
        stack, read_out = constructions.vanilla_parity()
        return read_out(stack(x)[0])[..., 0] > 0.5
    return getattr(constructions, f"{name}_parity")()(x)[0][..., 0] > 0.5


def parity(bits):
    """The parity of all bits up to each, by a loop."""
    odd, found = False, []
    for bit in bits:
        odd = odd != (bit == 1)
        found.append(odd)
    return found


MACHINES = pytest.mark.parametrize("name", ["vanilla", "stacked", "gru", "lstm"])


@MACHINES
def test_a_machine_tells_the_parity_of_every_short_word_and_of_long_ones(name):
    words = torch.tensor(list(itertools.product((0.0, 1.0), repeat=8))).T[..., None]
    long = torch.randint(2, (2000, 3, 1), generator=torch.Generator().manual_seed(0)).double()
    quiet = torch.cat([torch.zeros(900, 1, 1), torch.ones(1, 1, 1), torch.zeros(900, 1, 1)])
    for x in (words, long, quiet, torch.ones(901, 1, 1)):
        told = answers(name, x)
        for b in range(x.shape[1]):
            assert told[:, b].tolist() == parity(x[:, b, 0].tolist())


def test_the_machines_are_as_small_as_they_say():
    assert constructions.vanilla_parity()[0].hidden_sizes == (2,)
    assert constructions.stacked_parity().hidden_sizes == (2, 1)
    assert constructions.gru_parity().to_torch().hidden_size == constructions.lstm_parity().to_torch().hidden_size == 1


def test_the_flipping_lstm_writes_afresh_instead_of_adding():
    h = constructions.lstm_parity()(torch.ones(100, 1, 1))[0][:, 0, 0]
    assert torch.allclose(h, math.tanh(1) * (-1.0) ** torch.arange(100), rtol=0, atol=1e-7)


def test_no_coordinate_of_the_vanilla_layer_is_parity_in_the_same_step():
    x = torch.randint(2, (5000, 1, 1), generator=torch.Generator().manual_seed(0)).double()
    h, right = constructions.vanilla_parity()[0](x)[0][:, 0], torch.tensor(parity(x[:, 0, 0].tolist()))
    agreement = ((h > 0.5) == right[:, None]).double().mean(0)
    assert torch.maximum(agreement, 1 - agreement).max() < 0.77


def folded(x, num_layers):
    """The bump of both units, applied layer by layer in plain arithmetic: what layer l's units read."""
    ends = math.tanh(SLOPE * (1 + CENTRE)) - math.tanh(SLOPE * (1 - CENTRE))
    middle = 2 * math.tanh(SLOPE * CENTRE)
    for _ in range(num_layers - 1):
        bump = math.tanh(SLOPE * (x + CENTRE)) - math.tanh(SLOPE * (x - CENTRE))
        x = -1 + 2 * (bump - ends) / (middle - ends)
    return x


def test_each_layer_folds_what_the_layer_below_folded():
    line = torch.linspace(-1, 1, 41)[:, None]
    rows = constructions.folding_stack(6).rows(line[None])
    for layer, row in enumerate(rows, start=1):
        z = torch.tensor([folded(x, layer) for x in line[:, 0].tolist()])
        expected = torch.stack([torch.tanh(SLOPE * (z + CENTRE)), torch.tanh(SLOPE * (z - CENTRE))], dim=-1)
        assert torch.allclose(row[0], expected, rtol=0, atol=1e-11)


def test_the_folding_stack_has_twice_the_pieces_a_layer_in_torchs_module_too():
    line = torch.linspace(-1, 1, 40_001)[:, None]
    stack = constructions.folding_stack(9)
    assert [found.tolist() for found in pieces_by_layer(stack, line)] == [[2**l] * 2 for l in range(9)]
    for num_layers in (1, 3, 6):
        module = constructions.folding_stack(num_layers).to_torch()
        assert pieces(module(line[None])[0][0]).tolist() == [2 ** (num_layers - 1)] * 2
    assert sum(p.numel() for p in constructions.folding_stack(6).parameters()) == 70


def test_the_fold_takes_the_interval_onto_itself():
    for x, image in ((-1.0, -1.0), (0.0, 1.0), (1.0, -1.0)):
        assert math.isclose(folded(x, 2), image, abs_tol=1e-12)


def test_a_default_stack_does_not_fold():
    torch.manual_seed(0)
    stack = Stack.uniform(RNNCell, 1, 32, 6)
    found = pieces_by_layer(stack, torch.linspace(-3, 3, 2001)[:, None])
    assert max(layer.double().mean() for layer in found) < 1.5
