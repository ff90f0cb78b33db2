"""Tunes as text: what is read, how it is split, and which characters begin a bar."""

import sys

import pytest
import torch

from course_lib.data import tunes
from course_lib.data.tunes import Tune

ABC = """ 7
T:The Tune
M:6/8 % as printed
K:E Minor
"f"(vG2A) .B{c}d "_Vio"~e | TG>F!D.C.! !d2 yy |[1 A,2^c x :|[K:D Mix]uA/B/|]
P:B
L:1/16
w:words
[M:3/4] +FA+ d'``e$
"""


def test_a_tune_keeps_metre_length_key_and_notes():
    assert tunes.prepare(ABC) == (
        "M:6/8\nL:1/8\nK:Em\n(G2A) B{c}d e|G>F d2|[1A,2^c z:|[K:Dmix]A/B/|]\nL:1/16\n[M:3/4] [FA] d'e"
    )


@pytest.mark.parametrize(
    ("written", "kept"),
    [("G", "G"), ("Bb", "Bb"), ("F#m", "F#m"), ("AMin", "Am"), ("A Dorian", "Ador"), ("GM", "G"), ("D Major", "D")],
)
def test_keys_have_one_spelling(written, kept):
    assert f"K:{kept}\n" in tunes.prepare(f"1\nM:C\nL:1/8\nK:{written}\nABc\n")


@pytest.mark.parametrize(("metre", "length"), [("2/4", "1/16"), ("3/4", "1/8"), ("6/8", "1/8"), ("C", "1/8")])
def test_a_missing_length_is_the_usual_one(metre, length):
    assert f"L:{length}\n" in tunes.prepare(f"1\nM:{metre}\nK:G\nABc\n")


@pytest.mark.parametrize(
    "abc", ["1\nM:C\nK:G\n", "1\nM:C\nABc\n", "1\nM:C\nK:G\nV:1\nABc\n", "1\nM:C\nK:G\n[V:1]ABc\n"]
)
def test_no_notes_no_key_or_several_voices_is_no_tune(abc):
    assert tunes.prepare(abc) == ""


def test_the_books_are_read_without_music21():
    everything = [tune for split in tunes.SPLITS for tune in tunes.load(split)]
    assert "music21" not in sys.modules
    assert len(everything) == len({tune.text for tune in everything}) > 4000
    assert {character for tune in everything for character in tune.text} == set(tunes.SYMBOLS)
    assert all(tune.text.startswith("M:") and tune.text.count("K:") for tune in everything)


def test_splits_are_nine_tenths_and_twice_a_twentieth():
    sizes = {split: len(tunes.load(split)) for split in tunes.SPLITS}
    assert sizes["train"] == pytest.approx(0.9 * sum(sizes.values()), rel=0.02)
    assert sizes["valid"] == pytest.approx(sizes["test"], rel=0.1)


def test_variants_of_a_tune_are_in_one_split():
    homes = {}
    for split in tunes.SPLITS:
        for tune in tunes.load(split):
            notes = [each for each in tune.text.split("K:", 1)[1].partition("\n")[2] if each in "ABCDEFGabcdefg"]
            title = tune.title.lower().removesuffix(" -- reel").removesuffix(".").removeprefix("the ")
            for name in (title, "".join(notes[:20]).lower()):
                assert homes.setdefault(name, split) == split, tune.title


def test_fewer_tunes_are_the_first_ones():
    assert tunes.load("train", 5) == tunes.load("train")[:5]


@pytest.mark.parametrize(("split", "number"), [("all", None), ("test", 0), ("test", 100_000)])
def test_wrong_splits_and_numbers_are_refused(split, number):
    with pytest.raises(ValueError, match="must be"):
        tunes.load(split, number)


def test_the_line_end_is_symbol_zero_and_no_symbol_appears_twice():
    assert tunes.SYMBOLS[0] == "\n"
    assert len(set(tunes.SYMBOLS)) == len(tunes.SYMBOLS)


def test_decode_inverts_encode():
    text = tunes.load("valid", 1)[0].text
    assert tunes.encode(text).max() < len(tunes.SYMBOLS)
    assert tunes.decode(tunes.encode(text)) == text


@pytest.mark.parametrize("text", ["", "A!", "Ä"])
def test_other_characters_are_refused(text):
    with pytest.raises(ValueError, match="SYMBOLS"):
        tunes.encode(text)


@pytest.mark.parametrize("number", [-1, len(tunes.SYMBOLS)])
def test_other_numbers_are_refused(number):
    with pytest.raises(ValueError, match="must be in 0"):
        tunes.decode([0, number])


def test_rows_go_on_from_batch_to_batch_and_targets_come_next():
    some = tunes.load("train", 20)
    text = "".join(tune.text + "\n\n" for tune in some)
    made = tunes.batches(some, num_steps=7, batch_size=3)
    assert all(batch.x.shape == batch.y.shape == (7, 3) for batch in made)
    assert all(batch.lengths.tolist() == [7, 7, 7] for batch in made)
    columns = (len(text) - 1) // 3 // 7 * 7
    for row in range(3):
        x, y = (tunes.decode(torch.cat([getattr(batch, side)[:, row] for batch in made])) for side in "xy")
        assert x == text[row * columns : (row + 1) * columns]
        assert y == text[row * columns + 1 : (row + 1) * columns + 1]


@pytest.mark.parametrize(("num_steps", "batch_size"), [(0, 3), (3, 0), (3, 3)])
def test_sizes_that_make_no_batch_are_refused(num_steps, batch_size):
    with pytest.raises(ValueError, match=r"at least 1|takes 10"):
        tunes.batches([Tune("short", "M:C\nABc")], num_steps, batch_size)


def test_just_enough_text_makes_one_batch():
    assert len(tunes.batches([Tune("short", "M:C\nABc|")], 3, 3)) == 1


@pytest.mark.parametrize(
    ("notes", "begins"),
    [
        ("A|BG|c", "A B c"),
        ("|:AB|[cE]G:|d", "A [ d"),
        ("AB::cd|1e:|2f||", "A c e f"),
        ("A|\n|B [|]\n (c", "A B ("),
        ("[gB]a]|[CE]", "[ ["),
        ("A|[1B:|[2c|]d|1,3e", "A B c d e"),
        ("A2\nB|\nL:1/16\nc|d", "A c d"),
    ],
)
def test_bars_begin_after_bar_lines(notes, begins):
    text = "M:C|\nL:1/8\nK:G\n" + notes
    assert [text[i] for i in tunes.bars(text).nonzero().flatten()] == begins.split()


def test_every_bar_line_of_a_plain_tune_begins_a_bar():
    text = "M:6/8\nL:1/8\nK:G\nABc def|gab c'ba|\nABc def|gab c'ba|"
    marks = tunes.bars(text)
    assert marks.sum() == 4
    assert [text[i - 1] for i in marks.nonzero().flatten()[[1, 3]]] == ["|", "|"]
