"""A language of two levels, phonemes in words in phrases, whose entropy is known and whose boundaries are marked."""

import itertools
import math
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from course_lib.cells import check_size
from course_lib.data.synthetic.task import Task


class Boundaries(NamedTuple):
    """Which positions of x begin a word, and which begin a phrase (they begin a word too); both (time, batch)."""

    word: Bool[Tensor, "time batch"]
    phrase: Bool[Tensor, "time batch"]


@dataclass(frozen=True, eq=False, kw_only=True)
class PhraseSource(Task):
    """Phonemes make words, words make phrases, and one of a few phrases follows each; say the next phoneme.

    x_t is a phoneme and y_t = x_{t+1}. Phrase p is followed by p + s (mod their number), s drawn uniformly from
    ``shifts``; a sequence begins at a uniformly drawn position of a uniformly drawn phrase, so it is stationary.

    ``floor`` is the entropy rate, ln(successors) / phonemes a phrase: 0.0916 nats at the default sizes. It is exact
    because no two phrases sound alike, so that the phonemes give away the choices. It is the mean over a long run
    for a predictor that has heard an endless past: most steps cost nothing, the first phonemes of a phrase cost it
    all. Somebody who begins in the middle pays more on the first steps, and so does the mean over a short window that
    starts from nothing; ``losses`` measures how much.

    Shapes: words (words, phonemes a word), phrases (phrases, words a phrase), shifts (successors,).
    """

    words: Int[Tensor, "words phonemes"]
    phrases: Int[Tensor, "phrases words_each"]
    shifts: Int[Tensor, " successors"]

    @property
    def sounds(self) -> Int[Tensor, "phrases phonemes_each"]:
        """The phonemes of each phrase."""
        return self.words[self.phrases].flatten(1)

    def boundaries(self, num_steps: int, batch_size: int, seed: int) -> Boundaries:
        """Where words and phrases begin in the x of ``sample`` with the same arguments."""
        self.sample(num_steps, batch_size, seed)  # refuses bad sizes
        generator = torch.Generator().manual_seed(seed)
        _, position = _walk(self.sounds, self.shifts, num_steps + 1, batch_size, generator)
        return Boundaries(position[:-1] % self.words.shape[1] == 0, position[:-1] == 0)

    def losses(self, x: Int[Tensor, "time batch"]) -> Float[Tensor, "time-1 batch"]:
        """What the best possible predictor, which knows the tables, loses on each of x_2..x_T, given x from its start.

        It keeps the probability of every (phrase, position) given what it has heard and sums over them, in nats.
        Errors: ValueError for fewer than two steps, and for a text that this source cannot speak.
        Source: the forward algorithm for hidden Markov models (Rabiner 1989, section III.A).
        """
        if len(x) < 2:
            raise ValueError(f"losses needs at least 2 steps, of which the first is given, got {len(x)}")
        sounds = self.sounds
        follows = torch.zeros(len(sounds), len(sounds), dtype=torch.float64)
        for p, shift in itertools.product(range(len(sounds)), self.shifts.tolist()):
            follows[p, (p + shift) % len(sounds)] += 1 / len(self.shifts)
        belief = torch.full((x.shape[1], *sounds.shape), 1 / sounds.numel(), dtype=torch.float64)
        losses = []
        for x_t in x:
            belief = belief * (sounds == x_t[:, None, None])
            heard = belief.sum((1, 2))
            losses.append(-heard.log())
            belief = belief / heard[:, None, None]
            belief = torch.cat([(belief[:, :, -1] @ follows)[:, :, None], belief[:, :, :-1]], dim=2)
        losses = torch.stack(losses[1:])
        if not losses.isfinite().all():
            raise ValueError("x holds a text that this source cannot speak; take x from its own sample")
        return losses


def phrase_source(
    phonemes: int = 8, words: int = 16, phrases: int = 12, successors: int = 3, table_seed: int = 7
) -> PhraseSource:
    """Draw the tables: different words of 3 phonemes, different phrases of 4 words, and which phrases may follow.

    Errors: TypeError or ValueError for sizes that are no whole numbers of at least 1, for more words than 3 phonemes
    can spell, more phrases than 4 words can make, or more successors than there are phrases.
    """
    sizes = {"phonemes": phonemes, "words": words, "phrases": phrases, "successors": successors}
    for name, size in sizes.items():
        check_size("phrase_source", name, size)
    limits = {"words": phonemes**3, "phrases": words**4, "successors": phrases}
    for name, limit in limits.items():
        if sizes[name] > limit:
            raise ValueError(f"phrase_source: {name} must be at most {limit} to be different, got {sizes[name]}")
    if words**4 > 10_000_000:
        raise ValueError(f"phrase_source: words must be at most 56, so that all phrases can be listed, got {words}")
    generator = torch.Generator().manual_seed(table_seed)
    word_table = _different(words, phonemes, 3, generator)
    phrase_table = _different(phrases, words, 4, generator)
    # A shift of 1 makes every phrase reachable; equal shifts for all make every phrase equally frequent.
    others = 2 + torch.randperm(phrases - 1, generator=generator)[: successors - 1]  # phrases: the same one again
    shifts = torch.cat([torch.ones(1, dtype=torch.int64), others]) % phrases
    sounds = word_table[phrase_table].flatten(1)
    answers = torch.bincount(sounds.flatten(), minlength=phonemes).double() / sounds.numel()
    floor = math.log(successors) / sounds.shape[1]
    draw = partial(_draw, sounds, shifts)
    known = {"words": word_table, "phrases": phrase_table, "shifts": shifts}
    return PhraseSource("phrase_source", phonemes, tuple(answers.tolist()), draw, floor, **known)


def _different(rows: int, symbols: int, columns: int, generator: torch.Generator) -> Tensor:
    """That many different rows of symbols."""
    numbers = torch.randperm(symbols**columns, generator=generator)[:rows]
    return torch.stack([numbers // symbols**column % symbols for column in range(columns)], dim=1)


def _draw(
    sounds: Tensor, shifts: Tensor, num_steps: int, batch_size: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    heard, _ = _walk(sounds, shifts, num_steps + 1, batch_size, generator)
    return heard[:-1], heard[1:]


def _walk(
    sounds: Tensor, shifts: Tensor, num_steps: int, batch_size: int, generator: torch.Generator
) -> tuple[Int[Tensor, "time batch"], Int[Tensor, "time batch"]]:
    """The phonemes, and the position of each within its phrase."""
    num_phrases, length = sounds.shape
    start = torch.randint(length, (batch_size,), generator=generator)
    num_chosen = 1 + num_steps // length  # phrases that follow the first
    first = torch.randint(num_phrases, (1, batch_size), generator=generator)
    chosen = shifts[torch.randint(len(shifts), (num_chosen, batch_size), generator=generator)]
    phrase = torch.cat([first, chosen]).cumsum(0) % num_phrases
    place = start + torch.arange(num_steps)[:, None]
    position = place % length
    return sounds[phrase.gather(0, place // length), position], position
