"""Chance without a state: coins that are a function of a seed, thrown in any order and always the same."""

import torch
from jaxtyping import Int
from torch import Tensor

WORD = 2**32  # seeds and coins are whole numbers in 0..WORD-1


def coins(seed: Int[Tensor, "*batch"], size: int) -> Int[Tensor, "*batch size"]:
    """``size`` numbers for each seed, uniform in 0..2^32-1 and unrelated to each other and to those of other seeds.

    A function of its arguments: no state, no order of drawing.
    """
    return _scramble((_scramble(seed)[..., None] + torch.arange(size, device=seed.device)) % WORD)


def _scramble(x: Int[Tensor, "*shape"]) -> Int[Tensor, "*shape"]:
    """A shuffle of 0..2^32-1 in which every bit depends on all: shifts and odd factors, as in integer hashing.

    Both factors are below 2^31, so that no product leaves the 63 bits of an int64.
    """
    x = (x ^ (x >> 16)) * 0x21F0AAAD % WORD
    x = (x ^ (x >> 15)) * 0x735A2D97 % WORD
    return x ^ (x >> 15)


def later(seed: Int[Tensor, " batch"], steps: int | Int[Tensor, "time 1"]) -> Int[Tensor, "*time batch"]:
    """The seeds after so many steps; every seed comes back after 2^32 steps."""
    return (seed + steps * 0x9E3779B9) % WORD
