"""Is the phrase named at each step the one that is spoken, and is the floor exact?"""

import math
from itertools import pairwise

import pytest
import torch

from course_lib.data import synthetic
from course_lib.data.synthetic.naming import phrase_numbers

SOURCE = synthetic.phrase_source()


def test_each_step_is_named_after_the_phrase_around_it():
    x, starts = SOURCE.sample(60, 5, seed=3).x, SOURCE.boundaries(60, 5, seed=3).phrase
    named = phrase_numbers(SOURCE, x, starts)
    for n in range(5):
        begins = starts[:, n].nonzero().flatten().tolist()
        for t in range(60):
            before = [begin for begin in begins if begin <= t]
            whole = before and before[-1] + 12 <= 60
            heard = x[before[-1] : before[-1] + 12, n] if whole else None
            spoken = [p for p, sounds in enumerate(SOURCE.sounds) if whole and torch.equal(sounds, heard)]
            assert [int(named[t, n])] == (spoken or [-1])


def test_the_answer_changes_only_between_phrases_by_one_of_the_shifts_and_fits_what_is_heard():
    batch = synthetic.current_phrase(SOURCE).sample(100, 64, seed=1)
    assert batch.x.shape == batch.y.shape == (100, 64)
    changes = (batch.y[1:] != batch.y[:-1]).nonzero()
    for n in range(64):
        times = changes[changes[:, 1] == n, 0].tolist()
        assert all((later - earlier) % 12 == 0 for earlier, later in pairwise(times))
        for t in times:
            assert int(batch.y[t + 1, n] - batch.y[t, n]) % 12 in SOURCE.shifts.tolist()
            assert torch.equal(batch.x[t + 1 : t + 13, n], SOURCE.sounds[batch.y[t + 1, n]][: 99 - t])


def test_equal_seeds_draw_equal_batches_and_phrases_are_equally_frequent():
    task = synthetic.current_phrase(SOURCE)
    first, again = (task.sample(40, 600, seed=5) for _ in range(2))
    assert torch.equal(first.x, again.x)
    assert torch.equal(first.y, again.y)
    frequencies = torch.bincount(first.y[0], minlength=12) / 600
    assert frequencies.tolist() == pytest.approx(task.answers, abs=0.05)
    assert task.chance_nats == pytest.approx(math.log(12))


def test_the_floor_is_the_loss_of_a_hearer_who_knows_the_tables():
    task = synthetic.current_phrase(SOURCE)
    follows = torch.zeros(12, 12)
    for p in range(12):
        follows[p, (p + SOURCE.shifts) % 12] = 1 / 3
    batch = task.sample(300, 200, seed=2)
    belief, losses = torch.full((200, 12, 12), 1 / 144), []
    for x_t, y_t in zip(batch.x, batch.y):
        belief = belief * (SOURCE.sounds == x_t[:, None, None])
        belief = belief / belief.sum((1, 2), keepdim=True)
        losses.append(-belief.sum(2).gather(1, y_t[:, None]).log().mean())
        belief = torch.cat([(belief[:, :, -1] @ follows)[:, :, None], belief[:, :, :-1]], dim=2)
    assert float(torch.stack(losses[60:]).mean()) == pytest.approx(task.floor, abs=0.002)


def test_a_phrase_that_just_fits_is_named_and_one_that_is_cut_is_not():
    sounds = SOURCE.sounds[4][:, None]
    starts = torch.zeros(12, 1, dtype=torch.bool)
    starts[0] = True
    assert phrase_numbers(SOURCE, sounds, starts).flatten().tolist() == [4] * 12
    assert phrase_numbers(SOURCE, sounds[:-1], starts[:-1]).flatten().tolist() == [-1] * 11
    assert phrase_numbers(SOURCE, sounds, torch.zeros_like(starts)).flatten().tolist() == [-1] * 12
