"""The published split of the dictionary: its phones, counts, held-out part, and what is said where it is missing."""

import itertools
import os
from collections import defaultdict
from pathlib import Path

import pytest

from course_lib.data import download, pronunciation
from course_lib.data.pronunciation import LETTERS, PHONES, Word, error_rates


def test_the_published_split_speaks_our_phones_and_mostly_says_the_same():
    """The edition of 2007, which papers split, differs from today's in unstressed vowels, AH for IH."""
    folder = os.environ.get("COURSE_DATA")
    if not folder:
        pytest.skip("COURSE_DATA is unset: the published split of the dictionary is not compared")
    told = defaultdict(set)
    for line in Path(folder, "cmudict_g2p_split", "g014b2b.test").read_text(encoding="utf-8").splitlines():
        spelling, spoken = line.split("\t")
        told[spelling.lower()].add(tuple(spoken.split()))
    assert set().union(*told) <= set(LETTERS) | {"'"}
    assert {phone for spoken in told.values() for each in spoken for phone in each} == set(PHONES)
    ours = {word.spelling: set(word.pronunciations) for word in pronunciation.read()}
    shared = [spelling for spelling in told if spelling in ours]
    assert len(shared) > 0.9 * sum("'" not in spelling for spelling in told)
    assert sum(bool(ours[each] & told[each]) for each in shared) > 0.9 * len(shared)
    some = shared[::10]
    rates = error_rates([min(told[each]) for each in some], [Word(each, tuple(ours[each])) for each in some])
    assert rates.phones < 0.03


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A small published split, where the course looks for the real one."""
    folder = tmp_path / "cmudict_g2p_split"
    folder.mkdir()
    train = [f"{a}{b}\t{phone}\n" for a, b in itertools.product(LETTERS, LETTERS) for phone in ("AH", "B IY")]
    (folder / "g014b2b.train").write_text("".join(train).upper(), encoding="utf-8")
    (folder / "g014b2b.test").write_text("O'CLOCK\tAH K L AA K\nTOMATO\tT AH M AA T OW\nTOMATO\tT AH M EY T OW\n")
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))


def test_the_published_test_words_keep_all_pronunciations_and_the_apostrophe(published):
    assert pronunciation.load_published("test") == (
        Word("o'clock", (tuple("AH K L AA K".split()),)),
        Word("tomato", (tuple("T AH M AA T OW".split()), tuple("T AH M EY T OW".split()))),
    )


def test_a_twentieth_of_the_published_training_words_is_held_out(published):
    train, valid = (pronunciation.load_published(split) for split in ("train", "valid"))
    assert sorted(word.spelling for word in (*train, *valid)) == [a + b for a in LETTERS for b in LETTERS]
    assert 0.03 < len(valid) / 676 < 0.07
    assert all(word.pronunciations == (("AH",), ("B", "IY")) for word in valid)
    assert [word.spelling for word in valid[:3]] == ["bi", "bw", "bz"]  # pinned: another hash would train on them
    with pytest.raises(ValueError, match="split must be one of train, valid, test, got 'dev'"):
        pronunciation.load_published("dev")


def test_the_published_split_has_the_published_counts():
    if not os.environ.get("COURSE_DATA"):
        pytest.skip("COURSE_DATA is unset: the words of the published split are not counted")
    parts = {split: pronunciation.load_published(split) for split in ("train", "valid", "test")}
    assert len(parts["train"]) + len(parts["valid"]) == 106_837
    assert len(parts["test"]) == 12_000
    spellings = [word.spelling for part in parts.values() for word in part]
    assert len(set(spellings)) == len(spellings)
    assert set().union(*spellings) == set(pronunciation.PUBLISHED_LETTERS)
    phones = {phone for part in parts.values() for word in part for spoken in word.pronunciations for phone in spoken}
    assert phones == set(PHONES)


def test_a_missing_published_split_is_told_with_the_cure(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    with pytest.raises(download.DataMissing, match=r"course data get cmudict_g2p_split$"):
        pronunciation.load_published("train")
