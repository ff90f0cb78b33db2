"""The slow question about the phrase source: not which phoneme comes next, but which phrase is being spoken."""

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from course_lib.data.synthetic.source import PhraseSource
from course_lib.data.synthetic.task import Task, uniform


def current_phrase(source: PhraseSource) -> Task:
    """Name the phrase that is being spoken; x_t is a phoneme of ``source``, y_t the number of the phrase it is in.

    The answer changes once a phrase, where the source's own question, the next phoneme, changes at every step.
    All phrases are equally frequent. ``floor`` is exact for a hearer of an endless past, who knows the phrase before:
    the mean, over the phrase before and the phonemes heard of the current one, of the entropy of what it may be.
    """
    margin = source.sounds.shape[1]

    def draw(num_steps: int, batch_size: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        seed = int(torch.randint(2**31 - 1, (), generator=generator))
        long = num_steps + 2 * margin  # every phrase that touches the middle is whole
        x, starts = source.sample(long, batch_size, seed).x, source.boundaries(long, batch_size, seed).phrase
        middle = slice(margin, margin + num_steps)
        return x[middle], phrase_numbers(source, x, starts)[middle]

    return Task("current_phrase", source.num_inputs, uniform(len(source.phrases)), draw, _floor(source))


def phrase_numbers(
    source: PhraseSource, x: Int[Tensor, "time batch"], starts: Bool[Tensor, "time batch"]
) -> Int[Tensor, "time batch"]:
    """The number of the phrase at each step; -1 where its start or its end lies outside x.

    ``starts`` marks the steps at which a phrase begins, as ``source.boundaries`` does.
    """
    length, times = source.sounds.shape[1], torch.arange(len(x))[:, None]
    begin = torch.where(starts, times, -1).cummax(0).values
    whole = (begin >= 0) & (begin + length <= len(x))
    begin = begin.clamp(0, max(len(x) - length, 0))
    heard = torch.stack([x.gather(0, (begin + k).clamp(max=len(x) - 1)) for k in range(length)], dim=-1)
    spoken = (heard[:, :, None] == source.sounds).all(-1)
    return torch.where(whole & spoken.any(-1), spoken.long().argmax(-1), -1)


def _floor(source: PhraseSource) -> float:
    """Nats that cannot be saved: which successors sound alike up to each phoneme, on average."""
    sounds, num_phrases, total = source.sounds, len(source.phrases), 0.0
    for before in range(num_phrases):
        successors = sounds[(before + source.shifts) % num_phrases]
        alike = (successors[:, None] == successors[None]).cumprod(-1).sum(1)  # how many sound like this so far
        total += float(alike.double().log().mean())
    return total / num_phrases
