"""The training on chorales: the best epoch's weights are kept, and a plateau is the marginal likelihood."""

import math

import pytest
import torch
from torch import nn

from course_lib.data import chorales
from course_lib.data.chorales import KEYS, negative_log_likelihood
from course_lib.experiments.chorales import CELLS, Constant, Player, fit_best, make, marginal
from course_lib.experiments.fairness import count
from course_lib.stack import Stack
from course_lib.training import Settings


def rolls(number, seed):
    generator = torch.Generator().manual_seed(seed)
    return [(torch.rand(length, KEYS, generator=generator) < 0.1).double() for length in range(4, 4 + number)]


@pytest.mark.parametrize("cell", CELLS)
def test_a_frame_reaches_the_scores_of_the_next_through_the_stack_alone(cell):
    frames = torch.cat(rolls(6, 0))
    model, x = make(cell, 7, frames).eval(), torch.rand(5, 2, KEYS)
    states, _ = model.stack.stack(x / frames.std())
    assert torch.allclose(model(x), model.read_out(states), rtol=1e-12)


def test_dropout_is_below_and_above_the_stack_and_only_in_training():
    player = Player(Stack.uniform(CELLS["gru"], 6, 5, 1), spread=1.0)
    x = torch.ones(4, 3, 6)
    assert torch.equal(player.eval()(x)[0], player.stack(x)[0])
    output, _ = player.train()(x)
    assert (output == 0).any()
    assert not torch.equal(player(x)[0], player(x)[0])
    player.dropout.p = 0.0
    assert torch.equal(player(x)[0], player.stack(x)[0])


class Drift(nn.Module):
    """Training adds up in one bias; its likelihood on zeros is best where the scores are lowest."""

    def __init__(self):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(KEYS))

    def forward(self, x, lengths=None):
        return self.bias.expand(*x.shape[:2], -1)


def test_the_weights_of_the_best_validation_come_back():
    train = chorales.batches(rolls(6, 0), 3)
    model = Drift()
    loud = chorales.batches([torch.ones(5, KEYS).double()], 1)  # best at the start: training only lowers the scores
    settings = Settings(len(train) * 4, 0.1, weight_decay=0.0, validate_every=len(train))
    lowest, epoch = fit_best(model, train, loud, settings)
    assert epoch == 1
    assert lowest == pytest.approx(negative_log_likelihood(model, loud), rel=1e-12)
    quiet = chorales.batches([torch.zeros(5, KEYS).double()], 1)
    assert fit_best(Drift(), train, quiet, settings)[1] == 4


def test_a_training_that_diverges_at_once_has_no_epoch():
    class Broken(Drift):
        def forward(self, x, lengths=None):
            return super().forward(x) * math.nan

    train = chorales.batches(rolls(4, 0), 2)
    assert fit_best(Broken(), train, train, Settings(4, 0.1, validate_every=2)) == (math.inf, 0)


def test_a_silent_stack_starts_at_the_marginal():
    pieces = rolls(6, 2)
    frames, batches = torch.cat(pieces), chorales.batches(pieces, 2)
    model = make("vanilla", 7, frames).eval()
    with torch.no_grad():
        model.read_out.weight.zero_()
    assert negative_log_likelihood(model, batches) == pytest.approx(marginal(frames, batches), rel=1e-12)


def test_the_marginal_is_the_entropy_where_the_pieces_are_the_measure():
    pieces = [torch.cat([piece[:1], piece]) for piece in rolls(5, 1)]
    often = torch.cat(pieces).mean(0).clamp(1e-4, 1 - 1e-4)
    after = torch.cat([piece[1:] for piece in pieces])
    nats = -(after * often.log() + (1 - after) * (1 - often).log()).sum(1).mean().item()
    assert marginal(torch.cat(pieces), chorales.batches(pieces, 2)) == pytest.approx(nats, rel=1e-9)


def test_constant_scores_ignore_the_frames():
    scores = torch.randn(KEYS)
    assert torch.equal(Constant(scores)(torch.rand(3, 2, KEYS)), scores.expand(3, 2, KEYS))


def test_the_read_out_counts_in_the_parameters():
    assert count(make("vanilla", 10, torch.cat(rolls(2, 0)))) == 10 * (KEYS + 10 + 2) + KEYS * 11
