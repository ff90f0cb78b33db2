"""Made-up tasks: labels against slow literal loops, chance and optimum against counting, and what is refused."""

import itertools
import math
from collections import Counter

import pytest
import torch

from course_lib.data import synthetic
from course_lib.data.synthetic import IGNORE
from course_lib.models import cross_entropy

SOURCE = synthetic.phrase_source()
TASKS = {
    "parity": synthetic.parity(),
    "inner product 1": synthetic.inner_product(1),
    "inner product 3": synthetic.inner_product(3),
    "echo": synthetic.echo(5, 3),
    "recall": synthetic.recall(4),
    "look ahead": synthetic.look_ahead(8, 2),
    "sawtooth": synthetic.sawtooth(4),
    "phrases": SOURCE,
}
EACH = pytest.mark.parametrize("task", TASKS.values(), ids=TASKS.keys())


def columns(batch):
    """Every sequence of a batch as two lists."""
    return [(batch.x[:, b].tolist(), batch.y[:, b].tolist()) for b in range(batch.x.shape[1])]


class Says(torch.nn.Module):
    """A model that gives these scores, whatever it reads."""

    def __init__(self, scores):
        super().__init__()
        self.scores = scores

    def forward(self, x, lengths):
        return self.scores


# labels


def test_parity_counts_the_ones():
    for x, y in columns(synthetic.parity().sample(30, 20, 0)):
        assert y == [sum(row[0] for row in x[: t + 1]) % 2 for t in range(30)]
        assert {row[0] for row in x} == {0.0, 1.0}


def test_the_inner_product_is_of_a_step_and_the_one_before():
    for x, y in columns(synthetic.inner_product(3).sample(30, 20, 0)):
        assert y[0] == IGNORE
        for t in range(1, 30):
            both = [x[t][i] == 1 and x[t - 1][i] == 1 for i in range(3)]
            assert y[t] == (both[0] ^ both[1] ^ both[2])


def test_echo_repeats_the_symbol_of_some_steps_ago():
    for x, y in columns(synthetic.echo(5, 3).sample(20, 20, 0)):
        assert y == [IGNORE] * 3 + x[:17]
        assert set(x) <= set(range(5))


def test_recall_asks_for_the_first_symbol_at_the_end_only():
    for x, y in columns(synthetic.recall(4).sample(12, 50, 0)):
        assert y == [IGNORE] * 11 + [x[0]]
        assert x[0] in range(4)
        assert set(x[1:]) <= set(range(4, 8))


def test_look_ahead_adds_a_symbol_yet_to_come():
    for x, y in columns(synthetic.look_ahead(8, 2).sample(20, 20, 0)):
        assert y == [(x[t] + x[t + 2]) % 8 for t in range(18)] + [IGNORE] * 2


@pytest.mark.parametrize("folds", [1, 2, 5])
def test_the_zigzag_is_the_triangle_wave(folds):
    x = torch.linspace(-1, 1, 4097)
    period = 2.0 / 2 ** (folds - 1)
    phase = (x + 1) % period / period  # up in the first half of a period, down in the second
    assert torch.allclose(synthetic.zigzag(x, folds), 1 - (2 * phase - 1).abs() * 2, atol=1e-12)
    crossings = (synthetic.zigzag(torch.linspace(-1, 1, 4000), folds) > 0).diff().sum()
    assert crossings == 2**folds
    batch = synthetic.sawtooth(folds).sample(7, 100, 0)
    assert torch.equal(batch.y, (synthetic.zigzag(batch.x[..., 0], folds) > 0).long())
    assert batch.x.abs().max() <= 1


# chance and optimum


@EACH
def test_answers_are_as_frequent_as_stated(task):
    y = task.sample(40, 20_000, 1).y
    counts = torch.bincount(y[y != IGNORE], minlength=task.num_outputs).double()
    assert torch.allclose(counts / counts.sum(), torch.tensor(task.answers, dtype=torch.float64), atol=0.01)
    assert math.isclose(sum(task.answers), 1)
    assert math.isclose(task.chance_accuracy, max(task.answers))


def test_the_chance_of_the_inner_product_by_enumeration():
    for n in (1, 2, 3, 4):
        ones = 0
        for now, before in itertools.product(itertools.product((0, 1), repeat=n), repeat=2):
            ones += sum(a * b for a, b in zip(now, before)) % 2
        assert synthetic.inner_product(n).answers == (1 - ones / 4**n, ones / 4**n)


def test_the_chance_in_nats_is_torchs_entropy():
    for task in TASKS.values():
        entropy = torch.distributions.Categorical(torch.tensor(task.answers, dtype=torch.float64)).entropy()
        assert math.isclose(task.chance_nats, entropy.item(), rel_tol=1e-12)
    assert math.isclose(synthetic.look_ahead().chance_nats, math.log(8))


def test_nothing_read_so_far_tells_the_look_ahead():
    batch = synthetic.look_ahead(3, 2).sample(8, 50_000, 0)
    x, y = batch.x, batch.y
    for a, b in itertools.product(range(3), repeat=2):
        seen = y[5][(x[5] == a) & (x[4] == b)]
        shares = torch.bincount(seen, minlength=3) / len(seen)
        assert (shares - 1 / 3).abs().max() < 0.02


# the source


def literal(source, x):
    """-log p of each next phoneme, by summing over all ways to have spoken the phonemes so far."""
    sounds, shifts = source.sounds.tolist(), source.shifts.tolist()
    weights = {(p, i): 1 / (len(sounds) * len(sounds[0])) for p in range(len(sounds)) for i in range(len(sounds[0]))}
    losses = []
    for symbol in x:
        total = sum(weights.values())
        weights = {state: w for state, w in weights.items() if sounds[state[0]][state[1]] == symbol}
        losses.append(-math.log(sum(weights.values()) / total))
        after = Counter()
        for (p, i), w in weights.items():
            if i + 1 < len(sounds[0]):
                after[p, i + 1] += w
            else:
                for shift in shifts:
                    after[(p + shift) % len(sounds), 0] += w / len(shifts)
        weights = after
    return losses[1:]


def test_words_and_phrases_are_different():
    assert len({tuple(word) for word in SOURCE.words.tolist()}) == len(SOURCE.words) == 16
    assert len({tuple(phrase) for phrase in SOURCE.phrases.tolist()}) == len(SOURCE.phrases) == 12
    assert len({tuple(sound) for sound in SOURCE.sounds.tolist()}) == 12
    assert SOURCE.sounds.shape == (12, 12)
    assert len(set(SOURCE.shifts.tolist())) == 3
    for seed in range(50):
        sounds = synthetic.phrase_source(phonemes=2, words=8, phrases=12, successors=12, table_seed=seed).sounds
        assert len({tuple(each) for each in sounds.tolist()}) == 12


def test_the_floor_is_the_entropy_rate_of_the_phrases():
    """The stationary distribution of the chain of phrases, the entropy of a step of it, over phonemes a phrase."""
    chain = torch.zeros(12, 12)
    for p, shift in itertools.product(range(12), SOURCE.shifts.tolist()):
        chain[p, (p + shift) % 12] += 1 / 3
    values, vectors = torch.linalg.eig(chain.T)
    one = (values - 1).abs().argmin()
    assert ((values - 1).abs() < 1e-9).sum() == 1  # one stationary distribution
    stationary = (vectors[:, one] / vectors[:, one].sum()).real
    assert torch.allclose(stationary, torch.full((12,), 1 / 12))
    step = -(stationary[:, None] * torch.special.xlogy(chain, chain)).sum()
    assert math.isclose(SOURCE.floor, step.item() / 12, rel_tol=1e-12)
    assert round(SOURCE.floor, 4) == 0.0916


def test_a_predictor_that_knows_the_tables_reaches_the_floor_and_no_less():
    batch = SOURCE.sample(400, 400, 3)
    losses = SOURCE.losses(batch.x)
    assert abs(losses[20:].mean().item() - SOURCE.floor) < 0.002
    assert losses[0].mean() > 1.0  # a beginner in the middle of a phrase pays more
    assert losses[:40].mean() > 1.5 * SOURCE.floor


def test_the_predictor_is_the_sum_over_all_ways_to_speak():
    small = synthetic.phrase_source(phonemes=2, words=3, phrases=4, successors=2, table_seed=1)
    for source in (small, SOURCE):
        x = source.sample(40, 3, 5).x
        losses = source.losses(x)
        for b in range(3):
            assert torch.allclose(losses[:, b], torch.tensor(literal(source, x[:, b].tolist())), atol=1e-12)


def test_boundaries_cut_the_phonemes_into_words_of_phrases_that_may_follow():
    batch, starts = SOURCE.sample(100, 20, 4), SOURCE.boundaries(100, 20, 4)
    sounds = [tuple(each) for each in SOURCE.sounds.tolist()]
    words = {tuple(each) for each in SOURCE.words.tolist()}
    for b, (x, _) in enumerate(columns(batch)):
        begins = starts.phrase[:, b].nonzero().flatten().tolist()
        assert set(torch.tensor(begins).diff().tolist()) == {12}
        spoken = [sounds.index(tuple(x[t : t + 12])) for t in begins if t + 12 <= 100]
        steps = {(after - before) % 12 for before, after in itertools.pairwise(spoken)}
        assert steps <= set(SOURCE.shifts.tolist())
        heard = starts.word[:, b].nonzero().flatten().tolist()
        assert set(torch.tensor(heard).diff().tolist()) == {3}
        assert set(begins) <= set(heard)
        assert all(tuple(x[t : t + 3]) in words for t in heard if t + 3 <= 100)
    assert starts.phrase[0].any()
    assert not starts.phrase[0].all()


def test_the_next_phoneme_is_asked():
    for x, y in columns(SOURCE.sample(30, 5, 0)):
        assert x[1:] == y[:-1]


def test_every_choice_and_every_start_is_equally_likely():
    starts = SOURCE.boundaries(12, 24_000, 0).phrase.int().argmax(0)
    assert (torch.bincount(starts, minlength=12) / 24_000 - 1 / 12).abs().max() < 0.01
    batch = SOURCE.sample(36, 24_000, 0)
    begins = SOURCE.boundaries(36, 24_000, 0).phrase
    first = begins.int().argmax(0)
    ways = Counter()
    for b in (first == 0).nonzero().flatten().tolist():
        ways[tuple(batch.x[12:24, b].tolist())] += 1
    assert len(ways) == 12
    assert max(ways.values()) / min(ways.values()) < 1.6  # about 170 each


# how they are delivered


@EACH
def test_a_batch_is_time_first_and_follows_its_seed(task):
    before = torch.random.get_rng_state()
    one, same, other = (task.sample(9, 4, seed) for seed in (3, 3, 4))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert one.x.shape[:2] == one.y.shape == (9, 4)
    assert one.x.shape[2:] in ((), (task.num_inputs,))
    assert one.lengths.tolist() == [9] * 4
    assert torch.equal(one.x, same.x)
    assert torch.equal(one.y, same.y)
    assert not torch.equal(one.x, other.x)
    if one.x.dim() == 2:
        assert one.x.dtype == torch.int64
        assert one.x.max() < task.num_inputs
    else:
        assert one.x.dtype == torch.float64  # the default dtype of the tests
    several = task.batches(3, 9, 4, 3)
    assert torch.equal(several[0].x, one.x)
    assert not torch.equal(several[1].x, several[2].x)


@EACH
def test_cross_entropy_skips_what_is_not_asked(task):
    batch = task.sample(9, 6, 0)
    scores = torch.randn(9, 6, task.num_outputs)
    asked = [(t, b) for t in range(9) for b in range(6) if batch.y[t, b] != IGNORE]
    by_hand = [-scores[t, b].log_softmax(-1)[batch.y[t, b]].item() for t, b in asked]
    loss = cross_entropy(Says(scores), batch)
    assert math.isclose(loss.item(), sum(by_hand) / len(by_hand), rel_tol=1e-12)
    right = [scores[t, b].argmax() == batch.y[t, b] for t, b in asked]
    assert math.isclose(synthetic.accuracy(scores, batch.y), sum(right) / len(right), rel_tol=1e-12)


def test_accuracy_of_nothing_is_refused():
    with pytest.raises(ValueError, match="y asks no answer"):
        synthetic.accuracy(torch.zeros(2, 3, 4), torch.full((2, 3), IGNORE))


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: synthetic.echo(0), ValueError, "echo: symbols must be at least 1, got 0"),
        (lambda: synthetic.echo(4, 2.0), TypeError, "echo: lag must be an int, got 2.0"),
        (lambda: synthetic.inner_product(0), ValueError, "inner_product: num_bits must be at least 1"),
        (lambda: synthetic.recall(True), TypeError, "recall: symbols must be an int, got True"),
        (lambda: synthetic.look_ahead(8, 0), ValueError, "look_ahead: ahead must be at least 1, got 0"),
        (lambda: synthetic.sawtooth(0), ValueError, "sawtooth: folds must be at least 1, got 0"),
        (lambda: synthetic.phrase_source(2, 9), ValueError, "words must be at most 8 to be different, got 9"),
        (lambda: synthetic.phrase_source(2, 1, 2), ValueError, "phrases must be at most 1 to be different, got 2"),
        (lambda: synthetic.phrase_source(successors=13), ValueError, "successors must be at most 12 to be different"),
        (lambda: synthetic.echo(4, 4).sample(4, 2, 0), ValueError, "echo: num_steps must be at least 5, so that an"),
        (lambda: synthetic.recall().sample(1, 2, 0), ValueError, "recall: num_steps must be at least 2"),
        (lambda: synthetic.look_ahead(8, 3).sample(3, 2, 0), ValueError, "num_steps must be at least 4"),
        (lambda: synthetic.parity().sample(0, 2, 0), ValueError, "parity: num_steps must be at least 1, got 0"),
        (lambda: synthetic.parity().sample(3, 2.0, 0), TypeError, "parity: batch_size must be an int, got 2.0"),
        (lambda: SOURCE.boundaries(5, 0, 0), ValueError, "phrase_source: batch_size must be at least 1, got 0"),
    ],
)
def test_bad_sizes_are_refused(make, error, words, unchecked):
    with pytest.raises(error) as caught:
        make()
    assert words in str(caught.value)
