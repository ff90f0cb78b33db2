"""Connected digits: who is in which split, how strings are joined, what is decoded, how errors are counted."""

import os

import numpy as np
import pytest
import torch
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from torch.nn.functional import one_hot

from course_lib.cells import LSTMCell
from course_lib.data import Batch, digits, recordings
from course_lib.data.digits import BANDS, DIGITS, SPLITS, STACKED, WIDTH
from course_lib.models import FrameTagger, ctc_loss
from course_lib.relatives import BidirectionalStack
from course_lib.training import Settings, fit
from tests.test_recordings import pack, wav

SPEAKERS = [speaker for speakers in SPLITS.values() for speaker in speakers]
SPOKEN = st.text(DIGITS, max_size=7)


def sound(digit, speaker, take):
    """A digit is two tones, one after the other; a speaker has a loudness, a noise and an instrument of his own."""
    random = np.random.default_rng([int(digit), SPEAKERS.index(speaker), take])
    times = np.arange(random.integers(900, 1600)) / recordings.RATE
    low, high = 300 + 150 * (int(digit) % 5), 1500 + 600 * (int(digit) // 5)
    heard = np.where(times < times[-1] / 2, np.sin(2 * np.pi * low * times), np.sin(2 * np.pi * high * times))
    heard = heard + 0.01 * (1 + SPEAKERS.index(speaker)) * random.normal(size=len(times))
    return (heard / np.abs(heard).max() * 3000 * (1 + SPEAKERS.index(speaker))).astype("<i2")


def record(folder, speakers, takes=2):
    """An archive in which these speakers say every digit."""
    (folder / "fsdd").mkdir(exist_ok=True)
    files = {
        f"recordings/{digit}_{speaker}_{take}.wav": wav(sound(digit, speaker, take))
        for speaker in speakers
        for digit in DIGITS
        for take in range(takes)
    }
    return pack(folder / "fsdd" / "generated.tar.gz", files)


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """A folder with generated recordings of all speakers."""
    folder = tmp_path_factory.mktemp("data")
    record(folder, SPEAKERS)
    return folder


@pytest.fixture
def data(generated, monkeypatch):
    """The generated recordings are those that are found."""
    monkeypatch.setenv("COURSE_DATA", str(generated))


@pytest.mark.usefixtures("data")
def test_no_voice_is_in_two_splits_and_each_has_its_own_scale():
    voices = {split: digits.load(split) for split in SPLITS}
    assert {split: tuple(own) for split, own in voices.items()} == SPLITS
    assert len(SPEAKERS) == len(set(SPEAKERS)) == 6
    for own in voices.values():
        for speaker, voice in own.items():
            assert {each.speaker for each in voice.recordings} == {speaker}
            assert [each.digit for each in voice.recordings] == [digit for digit in DIGITS for _ in range(2)]
            frames = np.concatenate([each.frames for each in voice.recordings])
            np.testing.assert_allclose(frames.mean(0), 0, atol=1e-4)
            np.testing.assert_allclose(frames.std(0), 1, atol=1e-2)
            assert (voice.silence <= frames.min(0) + 1e-5).all()


def take_apart(string, voice):
    """The recordings and silences of a string, read back from its frames, which alone tell them apart."""
    frames, silences, heard = string.features.reshape(-1, BANDS), [0], []
    rest = frames
    while len(rest):
        if np.array_equal(rest[0], voice.silence):
            silences[-1] += 1
            rest = rest[1:]
            continue
        [found] = [
            each
            for each in voice.recordings
            if len(each.frames) <= len(rest) and np.array_equal(each.frames, rest[: len(each.frames)])
        ]
        heard.append(found)
        silences.append(0)
        rest = rest[len(found.frames) :]
    return heard, silences


@pytest.mark.usefixtures("data")
def test_strings_are_recordings_of_one_voice_with_silences_between():
    for split in SPLITS:
        voices, made = digits.load(split), digits.strings(split, 60, seed=3)
        assert {string.speaker for string in made} == set(SPLITS[split])
        assert {len(string.digits) for string in made} == {3, 4, 5, 6, 7}
        assert set("".join(string.digits for string in made)) == set(DIGITS)
        for string in made:
            heard, (before, *between, after) = take_apart(string, voices[string.speaker])
            assert "".join(each.digit for each in heard) == string.digits
            assert before == 0
            assert all(5 <= silence <= 15 for silence in between)
            assert after < STACKED
            assert string.features.shape[1] == WIDTH == 120
            assert string.features.dtype == np.float32


@pytest.mark.usefixtures("data")
def test_strings_repeat_by_seed_and_differ_by_seed():
    first, again, other = (digits.strings("train", 20, seed) for seed in (3, 3, 4))
    assert [each[:2] for each in first] == [each[:2] for each in again] != [each[:2] for each in other]
    assert all(np.array_equal(a.features, b.features) for a, b in zip(first, again))


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_batches_hold_every_string_once_sorted_by_length(dtype):
    torch.set_default_dtype(dtype)
    wanted = sorted(digits.strings("train", 23, 5), key=lambda string: len(string.features))
    made = digits.batches("train", 23, 10, 5)
    assert [len(batch.lengths) for batch in made] == [10, 10, 3]
    columns = [(batch, i) for batch in made for i in range(len(batch.lengths))]
    for string, (batch, i) in zip(wanted, columns, strict=True):
        length, number = int(batch.lengths[i]), int(batch.target_lengths[i])
        assert batch.x.dtype == dtype
        assert batch.x.shape == (int(batch.lengths.max()), len(batch.lengths), WIDTH)
        assert torch.equal(batch.x[:length, i], torch.as_tensor(string.features).to(dtype))
        assert (batch.x[length:, i] == 0).all()
        assert batch.y[:number, i].tolist() == [1 + int(digit) for digit in string.digits]
        assert (batch.y[number:, i] == 0).all()


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: digits.load("dev"), "split must be one of train, valid, test, got 'dev'"),
        (lambda: digits.strings("dev", 1), "split must be one of train, valid, test, got 'dev'"),
        (lambda: digits.strings("test", 0), "num_strings must be at least 1, got 0"),
        (lambda: digits.batches("test", 5, 0), "batch_size must be at least 1, got 0"),
        (lambda: digits.digit_error_rate(torch.nn.Linear(1, 1), []), "batches is empty"),
    ],
)
def test_what_cannot_be_had_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_a_training_speaker_may_be_missing_but_no_split_may_be_empty(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    record(tmp_path, ["theo", "jackson"], takes=1)
    assert tuple(digits.load("train")) == ("theo",)
    assert tuple(digits.load("test")) == ("jackson",)
    with pytest.raises(
        ValueError, match=r"no recordings for the split 'valid' \(yweweler\); its speakers are jackson, t"
    ):
        digits.load("valid")


@seed(41)
@settings(max_examples=60, deadline=None, database=None)
@given(SPOKEN, st.data())
def test_decode_merges_repeats_and_drops_blanks(spoken, data):
    path = [0] * data.draw(st.integers(1, 2))
    for i, digit in enumerate(spoken):
        path += [1 + int(digit)] * data.draw(st.integers(1, 3))
        path += [0] * data.draw(st.integers(int(spoken[i + 1 : i + 2] == digit), 2))
    assert digits.decode(one_hot(torch.tensor(path), 11).double()) == spoken


class Parrot(torch.nn.Module):
    """Says what stands in the first feature, and noise past a string's end."""

    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.tensor(1.0))

    def forward(self, x, lengths):
        assert x.dtype == self.scale.dtype
        past = torch.arange(len(x))[:, None] >= lengths
        return self.scale * one_hot(x[:, :, 0].long().masked_fill(past, 9), 11).double()


def test_errors_are_counted_over_all_digits_to_each_strings_own_end():
    """Heard 1 2 for 1 2, nothing for 3 4 5, 6 6 for 6: three missing, one too many, of six digits."""
    x = torch.zeros(5, 3, 2)
    x[:3, 0, 0] = torch.tensor([2.0, 0, 3])
    x[:4, 2, 0] = torch.tensor([7.0, 7, 0, 7])
    y = torch.tensor([[2, 4, 7], [3, 5, 0], [0, 6, 0]])
    whole = Batch(x, y, torch.tensor([3, 5, 4]), torch.tensor([2, 3, 1]))
    assert digits.digit_error_rate(Parrot(), [whole]) == 4 / 6
    first = Batch(x[:3, :1], y[:2, :1], whole.lengths[:1], whole.target_lengths[:1])
    assert digits.digit_error_rate(Parrot(), [whole, first]) == 4 / 8
    assert digits.say(Parrot(), x[:4, 2].numpy()) == "66"
    assert digits.say(Parrot(), x[:3, 0].numpy().astype(np.float32)) == "12"


@pytest.mark.usefixtures("data")
def test_two_layers_that_read_both_ways_learn_to_write_down_unheard_voices():
    torch.set_default_dtype(torch.float32)
    model = FrameTagger(BidirectionalStack.uniform(LSTMCell, WIDTH, 24, 2), 11)
    test = digits.batches("test", 40, 20, seed=1)
    assert digits.digit_error_rate(model, test) > 0.8
    fit(model, digits.batches("train", 200, 10), ctc_loss, Settings(100, 0.02))
    assert digits.digit_error_rate(model, test) < 0.1
    [string] = digits.strings("test", 1, seed=9)
    assert len(digits.say(model, string.features)) == pytest.approx(len(string.digits), abs=1)


def test_the_real_strings_are_as_long_as_said():
    if not os.environ.get("COURSE_DATA"):
        pytest.skip("COURSE_DATA is unset: no strings are made of the real recordings")
    lengths = [len(string.features) for split in SPLITS for string in digits.strings(split, 200)]
    assert 60 < np.mean(lengths) < 100
