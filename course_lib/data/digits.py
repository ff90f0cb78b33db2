"""Connected spoken digits: recordings of one speaker in a row, for a network that never heard that speaker.

No speaker is in two splits, and no target says where a digit begins. A string of digits is written as text: "31415".
"""

import random
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor, nn

from course_lib.data.batch import Batch
from course_lib.data.pronunciation import edit_distance
from course_lib.data.recordings import BANDS, FLOOR, Recording, archive_path, read

DIGITS = "0123456789"
BLANK = 0  # in targets and scores; digit d is 1 + d
SPLITS = {"train": ("george", "lucas", "nicolas", "theo"), "valid": ("yweweler",), "test": ("jackson",)}
STACKED = 3  # frames of 10 ms in one step
WIDTH = STACKED * BANDS
FEWEST, MOST = 3, 7  # digits in a string
SHORTEST, LONGEST = 5, 15  # frames of silence between two digits


class Digits(NamedTuple):
    """Digits that one speaker says in a row: features (time, 120), one step every 30 ms."""

    digits: str
    speaker: str
    features: Float32[np.ndarray, "time width"]


class Voice(NamedTuple):
    """One speaker's recordings, and what a frame of silence, (40,), is on their scale."""

    recordings: tuple[Recording, ...]
    silence: Float32[np.ndarray, " bands"]


def load(split: str) -> dict[str, Voice]:
    """The voices of a split by the speakers' names; every band of every speaker has mean 0 and variance 1.

    That scale needs recordings of the speaker and not their digits; it takes away much of what the microphones add.
    A training speaker whom the archive lacks, as release 1.0.9 may, is left out.
    Errors: ValueError for another split, or one without a speaker; those of ``recordings.archive_path`` and ``read``.
    """
    if split not in SPLITS:
        raise ValueError(f"split must be one of {', '.join(SPLITS)}, got {split!r}")
    archive = archive_path()
    voices = {speaker: voice for speaker, voice in _voices(archive).items() if speaker in SPLITS[split]}
    if not voices:
        raise ValueError(
            f"{archive} has no recordings for the split {split!r} ({', '.join(SPLITS[split])}); its speakers "
            f"are {', '.join(_voices(archive))}"
        )
    return voices


def strings(split: str, num_strings: int, seed: int = 0) -> tuple[Digits, ...]:
    """Strings of 3 to 7 recordings of one speaker, with 50 to 150 ms of silence between; all is drawn from the seed.

    Errors: ValueError for fewer than one string; those of ``load``.
    """
    if num_strings < 1:
        raise ValueError(f"num_strings must be at least 1, got {num_strings}")
    draw, voices = random.Random(seed), list(load(split).values())
    return tuple(_draw(draw.choice(voices), draw) for _ in range(num_strings))


def batches(split: str, num_strings: int, batch_size: int, seed: int = 0) -> list[Batch]:
    """Strings in batches of similar length, so that little is padding.

    Shapes: x (time, batch, 120) in the default dtype, y (digits, batch) of 1 + digit, both 0 past the ends.
    Errors: ValueError for a batch size below 1; those of ``strings``.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    ordered = sorted(strings(split, num_strings, seed), key=lambda string: len(string.features))
    return [_batch(ordered[start : start + batch_size]) for start in range(0, len(ordered), batch_size)]


def decode(scores: Float[Tensor, "time symbols"]) -> str:
    """The digits on the best path: the best symbol a step, repeats merged, blanks dropped (Graves 2006, section 3)."""
    best = torch.unique_consecutive(scores.argmax(-1)).tolist()
    return _text(symbol for symbol in best if symbol != BLANK)


@torch.no_grad()
def say(model: nn.Module, features: Float[np.ndarray, "time width"]) -> str:
    """The digits that a network hears in one string; ``model(x, lengths)`` scores blank and digits."""
    weight = next(model.parameters())
    x = torch.as_tensor(features).to(weight)[:, None]
    return decode(model(x, torch.tensor([len(x)], device=weight.device))[:, 0])


@torch.no_grad()
def digit_error_rate(model: nn.Module, batches: Sequence[Batch]) -> float:
    """Digits wrong, missing or too many on the best path, as a share of all digits spoken; it may pass 1.

    Errors: ValueError if there are no batches.
    """
    if not batches:
        raise ValueError("batches is empty; there is nothing to measure")
    errors = digits = 0
    for batch in batches:
        scores = model(batch.x, batch.lengths)
        for i, (length, number) in enumerate(zip(batch.lengths.tolist(), batch.target_lengths.tolist())):
            errors += edit_distance(decode(scores[:length, i]), _text(batch.y[:number, i].tolist()))
            digits += number
    return errors / digits


@cache
def _voices(archive: Path) -> dict[str, Voice]:
    """Every speaker's recordings, scaled by the mean and the deviation of his own frames in each band."""
    voices = {}
    for speaker, own in groupby(read(archive), key=lambda each: each.speaker):
        recordings = tuple(own)
        frames = np.concatenate([each.frames for each in recordings])
        mean, deviation = frames.mean(0), frames.std(0) + 1e-3  # a band may be silent throughout
        scaled = tuple(each._replace(frames=(each.frames - mean) / deviation) for each in recordings)
        voices[speaker] = Voice(scaled, (np.log(np.float32(FLOOR)) - mean) / deviation)
    return voices


def _draw(voice: Voice, draw: random.Random) -> Digits:
    """Recordings of one voice with silence between them, three frames side by side in a step."""
    recordings = draw.choices(voice.recordings, k=draw.randint(FEWEST, MOST))
    frames = [recordings[0].frames]
    for each in recordings[1:]:
        frames += [np.tile(voice.silence, (draw.randint(SHORTEST, LONGEST), 1)), each.frames]
    joined = np.concatenate(frames)
    rest = -len(joined) % STACKED
    stacked = np.concatenate([joined, np.tile(voice.silence, (rest, 1))]).reshape(-1, WIDTH)
    return Digits("".join(each.digit for each in recordings), recordings[0].speaker, stacked)


def _batch(strings: Sequence[Digits]) -> Batch:
    x = [torch.as_tensor(string.features).to(torch.get_default_dtype()) for string in strings]
    y = [torch.tensor([1 + DIGITS.index(digit) for digit in string.digits]) for string in strings]
    lengths, target_lengths = (torch.tensor([len(each) for each in side]) for side in (x, y))
    return Batch(*(nn.utils.rnn.pad_sequence(side) for side in (x, y)), lengths, target_lengths)


def _text(symbols: Iterable[int]) -> str:
    return "".join(DIGITS[symbol - 1] for symbol in symbols)
