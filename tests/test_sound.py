"""Tones read from ABC, and samples whose loudest frequency is the note's."""

import io
import wave
from fractions import Fraction

import numpy as np
import pytest
import torch

from course_lib.data import abc, sound, tunes

HEAD = "M:4/4\nL:1/8\nK:C\n"


def heard(notes, head=HEAD):
    """(start, length, MIDI) in eighths."""
    return [(tone.start * 8, tone.length * 8, tone.midi) for tone in abc.tones(head + notes)]


# ABC


def test_the_scale():
    assert [midi for _, _, midi in heard("C,DEFGABcdefgabc'")] == [
        48, 62, 64, 65, 67, 69, 71, 72, 74, 76, 77, 79, 81, 83, 84,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("note", "eighths"),
    [
        ("A", 1),
        ("A2", 2),
        ("A/", 0.5),
        ("A/2", 0.5),
        ("A//", 0.25),
        ("A3/2", 1.5),
        ("A/4", 0.25),
        ("A0", 1),
        ("A/0", 1),
    ],
)
def test_lengths(note, eighths):
    assert heard(note + "B") == [(0, eighths, 69), (eighths, 1, 71)]


def test_a_network_s_endless_note_is_cut():
    assert heard("A99999999999")[0][1] == 32


def test_rests_take_time():
    assert heard("Az2B") == [(0, 1, 69), (3, 1, 71)]


@pytest.mark.parametrize(
    ("key", "sharps"),
    [("C", ""), ("G", "F"), ("D", "FC"), ("Bm", "FC"), ("A", "FCG"), ("Amix", "FC"), ("Ador", "F"), ("Glyd", "FC"),
     ("Ephr", ""), ("F#m", "FCG"), ("Am", "")],
)  # fmt: skip
def test_keys_with_sharps(key, sharps):
    plain = [midi for _, _, midi in heard("CDEFGAB")]
    keyed = [midi for _, _, midi in heard("CDEFGAB", f"K:{key}\n")]
    assert [a - b for a, b in zip(keyed, plain)] == [int(letter in sharps) for letter in "CDEFGAB"]


@pytest.mark.parametrize(("key", "flats"), [("F", "B"), ("Gm", "BE"), ("Bb", "BE"), ("Eb", "BEA"), ("Ddor", "")])
def test_keys_with_flats(key, flats):
    plain = [midi for _, _, midi in heard("CDEFGAB")]
    keyed = [midi for _, _, midi in heard("CDEFGAB", f"K:{key}\n")]
    assert [a - b for a, b in zip(plain, keyed)] == [int(letter in flats) for letter in "CDEFGAB"]


def test_an_accidental_holds_to_the_end_of_its_bar_in_its_octave():
    assert [midi for _, _, midi in heard("^FFf=FF|F", "K:G\n")] == [66, 66, 78, 65, 65, 66]
    assert [midi for _, _, midi in heard("^FFf_B|FB")] == [66, 66, 77, 70, 65, 71]


def test_a_triplet_takes_the_time_of_two():
    third = Fraction(2, 3)
    assert heard("(3ABcd") == [(0, third, 69), (third, third, 71), (2 * third, third, 72), (2, 1, 74)]


def test_dotted_pairs():
    assert heard("A>Bc") == [(0, 1.5, 69), (1.5, 0.5, 71), (2, 1, 72)]
    assert heard("A<Bc") == [(0, 0.5, 69), (0.5, 1.5, 71), (2, 1, 72)]
    assert heard("A>>B") == [(0, 1.75, 69), (1.75, 0.25, 71)]
    assert heard("A2>z2B") == [(0, 3, 69), (4, 1, 71)]


def test_chords_sound_together():
    assert heard("[CEG]2A") == [(0, 2, 60), (0, 2, 64), (0, 2, 67), (2, 1, 69)]
    assert heard("[C2E2]A") == [(0, 2, 60), (0, 2, 64), (2, 1, 69)]


def test_ties_join_equal_notes_only():
    assert heard("A2-|A B-c") == [(0, 3, 69), (3, 1, 71), (4, 1, 72)]
    assert heard("[CE]-[CG]") == [(0, 2, 60), (0, 1, 64), (1, 1, 67)]


def test_fields_change_length_and_key_on_the_way():
    assert heard("F[L:1/4]F[K:D]F\nL:1/16\nF") == [(0, 1, 65), (1, 2, 65), (3, 2, 66), (5, 0.5, 66)]


@pytest.mark.parametrize("text", ["|:A|[1B:|[2c|]", "A {gag}B (c)", "A\nB c", "A$B%c", "A[B]c", "AB-|c]", "A()B&c"])
def test_what_is_not_played_changes_nothing(text):
    assert heard(text) == [(0, 1, 69), (1, 1, 71), (2, 1, 72)]


@pytest.mark.parametrize(
    "text", ["", "K:", "L:1/0\nK:H\nz", "[", "]2", "[]", "(3", "><", "-", "{", "[CE", ">A", "\n\n"]
)
def test_nonsense_is_passed_over(text):
    assert len(abc.tones(text)) <= 1
    assert np.isfinite(sound.from_abc(text)).all()


SLIP_JIG = """M:9/8
L:1/8
K:G
B2E G2E F3|B2E GFE DEF|(Bc)d {e}d2B A3|.B2E G>FE F2e|
"""


def test_the_bars_of_a_tune_are_full():
    prepared = tunes.prepare("1\n" + SLIP_JIG)
    bars = prepared.splitlines()[3].strip("|").split("|")
    assert [sum(tone.length for tone in abc.tones(bar)) for bar in bars] == [Fraction(9, 8)] * 4


# samples


def loudest(samples):
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return spectrum.argmax() * sound.RATE / len(samples)


@pytest.mark.parametrize("midi", [33, 48, 60, 69, 81, 96, 108])
def test_the_loudest_frequency_of_a_key_is_its_note_s(midi):
    roll = torch.zeros(4, 88)
    roll[:, midi - 21] = 1
    assert loudest(sound.from_roll(roll)) == pytest.approx(440 * 2 ** ((midi - 69) / 12), abs=1)


def test_the_loudest_frequency_of_a_written_note_is_its_note_s():
    assert loudest(sound.from_abc("L:1/1\nK:C\nA")) == pytest.approx(440, abs=1)
    assert loudest(sound.from_abc("L:1/1\nK:F\nB")) == pytest.approx(466.16, abs=1)


def test_a_roll_lasts_its_frames():
    samples = sound.from_roll(torch.zeros(7, 88), seconds=0.25)
    assert samples.shape == (28_000,)
    assert samples.dtype == np.float32
    assert not samples.any()


def test_a_tune_lasts_its_notes():
    assert len(sound.from_abc(HEAD + "ABcd|z2e2", seconds=1.6)) == 1.6 * sound.RATE
    assert len(sound.from_abc("HM: 1!")) == 1600


def test_keys_sound_where_they_are_on_and_not_elsewhere():
    roll = torch.zeros(6, 88)
    roll[1:3, 39] = 1
    roll[4, 39] = 0.6
    loud = np.abs(sound.from_roll(roll, seconds=0.1)).reshape(6, -1).max(1)
    assert (loud > 0.1).tolist() == [False, True, True, False, True, False]


def test_a_held_key_is_struck_once_and_a_new_one_again():
    held, again = torch.zeros(5, 88), torch.zeros(5, 88)
    held[:, 39] = again[:, 39] = 1
    again[2, 39] = 0
    strength = [np.abs(sound.from_roll(roll, 0.4)).reshape(5, -1).max(1) for roll in (held, again)]
    assert strength[0][3] < strength[0][0] / 2
    assert strength[1][3] > 0.8


def test_starts_and_ends_are_soft_and_nothing_is_cut_off():
    samples = sound.from_roll(torch.ones(3, 88))
    assert np.abs(samples).max() == pytest.approx(0.9, rel=1e-6)
    assert np.abs(samples[[0, -1]]).max() < 0.01
    tone = sound.from_abc("L:1/2\nA")
    assert np.abs(np.diff(tone)).max() < 0.6


def test_a_wav_file_holds_the_samples():
    samples = sound.from_abc(HEAD + "A")
    with wave.open(io.BytesIO(sound.wav(samples))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getnframes()) == (sound.RATE, 1, len(samples))
        read = np.frombuffer(file.readframes(len(samples)), "<i2") / 32767
    assert np.abs(read - samples).max() < 1e-4


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf")])
def test_no_time_is_refused(seconds):
    with pytest.raises(ValueError, match="seconds must be above 0"):
        sound.from_abc("A", seconds)
    with pytest.raises(ValueError, match="seconds must be above 0"):
        sound.from_roll(torch.zeros(2, 88), seconds)
