"""Music in four parts as piano rolls: which of 88 keys sound at each quarter note.

Bach's chorales come with the pip package ``music21`` and need nothing else. The sets of the published numbers, "jsb"
(Bach's chorales in another edition and split) and "nottingham" (folk tunes with chords, in eighths), are downloads.
"""

import hashlib
import itertools
import math
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from course_lib.data import musicxml
from course_lib.data.batch import Batch
from course_lib.data.corpus import corpus_path
from course_lib.data.download import find
from course_lib.data.musicxml import Note

KEYS, LOWEST, VOICES = 88, 21, 4  # key 0 is MIDI 21, the lowest A of a piano
SPLITS = {"train": range(2, 5), "valid": range(1, 2), "test": range(1)}  # fifths of all chorales
AGAIN = {"bwv18.5-lz", "bwv158.4", "bwv197.7-a", "bwv274", "bwv414"}  # the same notes as under another number
DOWNLOADS = {"jsb": ("jsb_chorales", "JSB_Chorales.mat"), "nottingham": ("nottingham", "Nottingham.mat")}


def load(name: str, split: str, num_pieces: int | None = None) -> tuple[Float[Tensor, "_ 88"], ...]:
    """The pieces of one split, train, valid or test, each a roll of 0 and 1, (time, 88), in the default dtype.

    "music21": 60/20/20 % by the hash of the number in Bach's works; transposed so that the last bass note is a C, as
    most pieces of "jsb" are; ``num_pieces`` reads no more than it keeps. "jsb" and "nottingham" as published.
    Errors: ValueError for another name or split, or more pieces than there are; DataMissing where a download is
    needed, FileNotFoundError where a package is, each with the cure.
    Source: Boulanger-Lewandowski, Bengio and Vincent 2012, section 5 (the downloads).
    """
    if split not in SPLITS:
        raise ValueError(f"split must be one of {', '.join(SPLITS)}, got {split!r}")
    if name not in ("music21", *DOWNLOADS):
        raise ValueError(f"name must be one of music21, {', '.join(DOWNLOADS)}, got {name!r}")
    if num_pieces is not None and num_pieces < 1:
        raise ValueError(f"num_pieces must be at least 1, got {num_pieces}")
    pieces = _installed(split, num_pieces) if name == "music21" else _downloaded(name, split)
    if num_pieces is not None and num_pieces > len(pieces):
        raise ValueError(f"num_pieces must be in 1..{len(pieces)} for {name!r}, {split!r}, got {num_pieces}")
    return tuple(piece.to(torch.get_default_dtype()) for piece in pieces[:num_pieces])


def batches(pieces: Sequence[Float[Tensor, "_ 88"]], batch_size: int) -> list[Batch]:
    """Each frame and the next, pieces of similar length together: x frames 1..T-1, y frames 2..T, lengths T-1.

    Errors: ValueError for a batch_size below 1, or a piece of fewer than two frames.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    if short := [len(piece) for piece in pieces if len(piece) < 2]:
        raise ValueError(f"every piece needs two frames, one to read and one to predict, got one of {short[0]}")
    ordered = sorted(pieces, key=len)
    return [_batch(ordered[start : start + batch_size]) for start in range(0, len(ordered), batch_size)]


def chorale_loss(model: nn.Module, batch: Batch) -> Tensor:
    """Minus log likelihood of the next frame in nats, a mean over frames; the keys are independent given the past.

    Equation: -sum_k [y_k log p_k + (1 - y_k) log(1 - p_k)], p = sigmoid(scores), over the 88 keys k.
    """
    nats, frames = _nats(model, batch)
    return nats / frames


@torch.no_grad()
def negative_log_likelihood(model: nn.Module, batches: Sequence[Batch]) -> float:
    """The same over several batches: nats a frame over frames 2..T, every frame of every piece counting alike.

    Errors: ValueError for no batches. Source: the convention of Bai, Kolter and Koltun 2018, table 1.
    """
    if not batches:
        raise ValueError("batches is empty; there is nothing to measure")
    parts = [_nats(model, batch) for batch in batches]
    return (sum(nats for nats, _ in parts) / sum(frames for _, frames in parts)).item()


def roll(parts: Sequence[Sequence[Note]]) -> Float[Tensor, "time 88"]:
    """Which keys sound at each quarter note, 0 and 1, with the last bass note moved to the nearest C.

    Errors: ValueError for no notes.
    """
    notes = [note for part in parts for note in part]
    if not notes:
        raise ValueError("parts hold no notes")
    last = max(note.end for note in notes)
    final_bass = min(note.midi for note in notes if note.end == last)
    shift = (6 - final_bass) % 12 - 6  # -6..5 half tones
    frames = torch.zeros(math.ceil(last), KEYS)
    for note in notes:
        frames[math.ceil(note.start) : math.ceil(note.end), note.midi + shift - LOWEST] = 1
    return frames


def _nats(model: nn.Module, batch: Batch) -> tuple[Tensor, int]:
    """The sum over all frames before the ends, and their number."""
    running = torch.arange(len(batch.x), device=batch.x.device)[:, None] < batch.lengths
    scores = model(batch.x, batch.lengths)[running]
    return functional.binary_cross_entropy_with_logits(scores, batch.y[running], reduction="sum"), len(scores)


def _batch(pieces: Sequence[Tensor]) -> Batch:
    x, y = (nn.utils.rnn.pad_sequence(side) for side in ([p[:-1] for p in pieces], [p[1:] for p in pieces]))
    return Batch(x, y, torch.tensor([len(piece) - 1 for piece in pieces]))


def _installed(split: str, num_pieces: int | None) -> list[Tensor]:
    """Rolls of the chorales in four parts, in the order of the hashes."""
    pieces = (_chorale(path) for path in _scores(split))
    return list(itertools.islice((piece for piece in pieces if piece is not None), num_pieces))


@cache
def _chorale(path: Path) -> Tensor | None:
    """The roll of a score in four parts; scores with instruments of their own are none."""
    parts = musicxml.read(path)
    return roll(parts) if len(parts) == VOICES else None


def _scores(split: str) -> list[Path]:
    """The files of one split; versions of one piece (bwv18.5-lz, bwv18.5-w) have one hash."""

    def order(path: Path) -> int:
        return int.from_bytes(hashlib.sha256(re.match(r"bwv\d+(\.\d+)?", path.name)[0].encode()).digest()[:8], "big")

    paths = [path for path in sorted(corpus_path("bach").glob("bwv*.mxl")) if path.stem not in AGAIN]
    return sorted((path for path in paths if order(path) % 5 in SPLITS[split]), key=order)


@cache
def _downloaded(name: str, split: str) -> tuple[Tensor, ...]:
    data_set, file = DOWNLOADS[name]
    path = find(data_set) / file
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is not there; put the file there, or unset COURSE_DATA and: course data get {data_set}"
        )
    try:
        from scipy.io import loadmat  # here, since only the downloads need it
    except ModuleNotFoundError as error:
        raise FileNotFoundError(
            f"{file} is read by scipy, which is not installed; install it with: pip install scipy"
        ) from error
    try:
        return tuple(torch.from_numpy(piece).float() for piece in loadmat(path)[f"{split}data"][0])
    except Exception as error:  # scipy's reader raises its own kinds
        raise ValueError(f"{path} is damaged ({error}); delete it and: course data get {data_set}") from error
