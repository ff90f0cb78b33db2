"""Checks of what one layer can compute: bends of a coordinate, XOR in one unit, parity, and how fast folds multiply."""

import functools
import statistics
from numbers import Real

import torch
from torch import Tensor

from course_lib import folds
from course_lib.cells import Cell, GRUCell, LSTMCell, RNNCell
from course_lib.checks.exercise import Wrong, ask, exercise, got, is_number, plain_numbers

TOLERANCE = 0.06  # the median of five seeds of eight cells differs from sixty cells by up to 0.04
NUM_BITS = 1000


@exercise(
    "01.1",
    hints=(
        "Call census once for each of five seeds: the result counts coordinates by their number of pieces.",
        "Which pieces count as monotone? A coordinate with 0 pieces is saturated; it does not bend either.",
        "counts = census(GRUCell, scale, seed); share = (counts[0] + counts[1]) / counts.total().",
    ),
)
def monotone_shares(answer: object, seed: int) -> str:
    """``monotone_shares(scale)`` gives five shares, one a seed, close to those of GRU cells drawn here."""
    for scale in (1, 4, 16):
        given = _shares(ask(answer, scale), scale)
        right = _share_of(GRUCell, scale)
        middle = statistics.median(given)
        if abs(middle - right) <= TOLERANCE:
            continue
        case = f"scale {scale}: your median share is {middle:.2f}, measured here {right:.2f}"
        wrongs = {
            "; yours is the share that bends, one minus the wanted one": 1 - right,
            ", as with scale 1: are all weights and biases multiplied by scale?": _share_of(GRUCell, 1),
            ", as an LSTM cell gives: these are GRU cells": _share_of(LSTMCell, scale),
            ", as a vanilla cell gives, or as if two pieces did not bend": 1.0,
        }
        nearest = min(wrongs, key=lambda text: abs(middle - wrongs[text]))
        raise Wrong(case + nearest * (abs(middle - wrongs[nearest]) <= 0.05))
    return "larger weights, more bends: the monotone share falls from scale 1 to 16"


def _shares(given: object, scale: int) -> list[float]:
    """The learner's five numbers. Raises Wrong."""
    given = plain_numbers(given)
    if isinstance(given, Real):
        raise Wrong(f"scale {scale}: one number has no spread; give back five shares, one a seed")
    if not isinstance(given, list | tuple) or not all(is_number(each) for each in given):
        raise Wrong(f"scale {scale}: give back a list of five numbers, {got(given)}")
    if len(given) != 5:
        raise Wrong(f"scale {scale}: five seeds give five shares, you give {len(given)}")
    if max(given) > 1:
        raise Wrong(f"scale {scale}: a share lies between 0 and 1, you give {float(max(given)):g}; divide by the units")
    if scale > 1 and len(set(given)) == 1:
        raise Wrong(f"scale {scale}: all five shares are equal; does every seed draw new weights?")
    return [float(each) for each in given]


@functools.cache
@torch.no_grad()
def _share_of(kind: type[Cell], scale: Real, num_cells: int = 60) -> float:
    """The share of coordinates with at most one monotone piece, over cells drawn from this check's seed."""
    line = torch.linspace(-4, 4, 101, dtype=torch.float64)[:, None]
    curves = []
    for _ in range(num_cells):
        cell = kind(3, 64).to(torch.float64)
        for parameter in cell.parameters():
            parameter.mul_(scale)
        start, way, h = (torch.randn(1, n, dtype=torch.float64) for n in (3, 3, 64))
        past = [h.tanh().expand(101, -1), torch.randn(1, 64, dtype=torch.float64).expand(101, -1)]
        curves.append(cell(start + line * way, cell.state_type(*past[: len(cell.state_type._fields)])).h)
    return (folds.pieces(torch.stack(curves, dim=1)) <= 1).double().mean().item()


@exercise(
    "01.2",
    hints=(
        "The unit says 1 where its argument is above 0. Write down the four arguments: s0, s0 + w, s1, s1 + w.",
        "Wanted are 0, 1, 1, 0. Loop over a grid of values for w, s0 and s1, count how many of the four are right.",
        "for w, s0, s1 in itertools.product(range(-3, 4), repeat=3): count (s0 <= 0) + (s0 + w > 0) + (s1 > 0) + ...",
    ),
)
def best_unit(answer: object, seed: int) -> str:
    """``best_unit()`` gives (share, w, s0, s1); the unit must reach the share, and no unit reaches more."""
    given = plain_numbers(ask(answer))
    if not isinstance(given, tuple | list) or len(given) != 4 or not all(is_number(each) for each in given):
        raise Wrong(f"give back four numbers (share, w, s0, s1), {got(given)}")
    share, w, s0, s1 = map(float, given)
    cases = {(p, x): (s0, s1)[p] + w * x > 0 for p in (0, 1) for x in (0, 1)}
    right = sum(says == (p != x) for (p, x), says in cases.items())
    if share > 1:
        raise Wrong(f"your share is {share:g}; it lies between 0 and 1, so divide the right cases by 4")
    if share != right / 4:
        for name, rule in (("OR", any), ("AND", all)):
            if all(says == rule(case) for case, says in cases.items()):
                raise Wrong(f"your unit computes {name}, not XOR: it gets {right} of 4 right, you claim {share:g}")
        unit = f"your unit w={w:g}, s0={s0:g}, s1={s1:g}"
        raise Wrong(f"{unit} is right in {right} of 4 cases, which is {right / 4}, not {share:g}")
    if right < 3:
        raise Wrong(f"there is a better unit than {right} of 4: search over more signs of w, s0 and s1")
    return "three of the four cases, and no unit gets the fourth"


@exercise(
    "01.3",
    hints=(
        "Count: s = x + p is 0, 1 or 2, and parity is 1 where s is 1. Which two steps of s make that bump?",
        "a = [s > 1/2] and b = [s > 3/2] as -1 or 1 give p = (a - b) / 2. It is linear, so the recurrence may read it.",
        "K = 40: weight_ih = [[K], [K]], weight_hh = [[K/2, -K/2]] * 2, bias_ih = [-K/2, -3K/2], v = [1/2, -1/2].",
    ),
)
def counterexample(answer: object, seed: int) -> str:
    """``counterexample()`` gives (RNNCell(1, 2), v, c) whose v·h + c tells the parity of 1,000 bits."""
    given = ask(answer)
    if not isinstance(given, tuple | list) or len(given) != 3:
        raise Wrong(f"give back three things (cell, v, c), {got(given)}")
    cell, v, c = given
    _expect_cell(cell, RNNCell, 2)
    v, c = _numbers(v), _numbers(c)
    if len(v) != 2 or len(c) != 1:
        raise Wrong("v must hold two numbers and c one: the read-out is v[0] h[0] + v[1] h[1] + c")
    bits, (w, u, b, b2) = _bits(), _weights(cell)
    told = _run_vanilla(bits, w, u, b + b2, v, c)
    cures = {
        "h is -1 or 1, not 0 or 1, so p = (a - b) / 2 and the recurrent weights are K/2": (w, u / 2, b + b2),
        "rows of weight_hh are who reads, columns who is read: yours is transposed": (w, u.T, b + b2),
        "torch adds both biases: yours counts twice": (w, u, b),
    }
    for cure, weights in cures.items() if told != _parity(bits) else ():
        if _run_vanilla(bits, *weights, v, c) == _parity(bits):
            raise Wrong(cure)
    _judge_parity(bits, told)
    return f"0 errors in {NUM_BITS} bits with two units: the read-out is not capped, whatever holds for a coordinate"


@exercise(
    "01.4",
    hints=(
        "x = 0 must keep h, so z = 1 there; x = 1 must replace it, so z = 0. z is sigmoid(w x + b): choose w and b.",
        "Where h is replaced it becomes n = tanh(b_in + r (u h + b_hn)). n must be 1 from h = 0 and -1 from h = 1.",
        "K = 40: rows r, z, n of weight_ih = 0, -2K, 0; of weight_hh = 0, 0, -K; of bias_ih = K, K, K/2; bias_hh = 0.",
    ),
)
def flipping_gru(answer: object, seed: int) -> str:
    """``flipping_gru()`` gives a GRUCell(1, 1) whose h is above 1/2 exactly where the parity of 1,000 bits is 1."""
    cell = ask(answer)
    _expect_cell(cell, GRUCell, 1)
    bits, (w, u, b, b2) = _bits(), _weights(cell)
    hs, h = [], 0.0
    for x in bits:
        below, past = w[:, 0] * x + b, u[:, 0] * h + b2
        r, z = (below + past)[:2].sigmoid()
        h = ((1 - z) * torch.tanh(below[2] + r * past[2]) + z * h).item()
        hs.append(h)
    if max(map(abs, hs)) < 0.01:
        raise Wrong("h stays at 0, where the sequence starts: tanh(-K h) of 0 is 0; give n a bias that leaves 0")
    told = [h > 0.5 for h in hs]
    if told == _parity(bits, of=0):
        raise Wrong("h flips where x = 0 and keeps where x = 1: turn the sign of z round")
    _judge_parity(bits, told)
    return f"0 errors in {NUM_BITS} bits with one unit: a gate multiplies, so the past can turn what x means"


@exercise(
    "01.5",
    hints=(
        "Layer 1 has one piece. How many has layer l, if every layer doubles them?",
        "2 to the power of (layers - 1) must be at least the number of pieces.",
        "layers, count = 1, 1; while count < pieces: layers, count = layers + 1, 2 * count. Each layer has two units.",
    ),
)
def plan(answer: object, seed: int) -> str:
    """``plan(pieces)`` gives (layers, units) of the smallest folding stack with at least that many pieces."""
    for pieces in (1, 2, 3, 16, 17, 200, 1000):
        layers = 1
        while 2 ** (layers - 1) < pieces:
            layers += 1
        given = plain_numbers(ask(answer, pieces))
        if not isinstance(given, tuple | list) or len(given) != 2 or not all(is_number(each) for each in given):
            raise Wrong(f"{pieces} pieces: give back two numbers (layers, units), {got(given)}")
        plural = "s" * (given[0] != 1)
        case = f"{pieces} piece{'s' * (pieces > 1)}: you plan {given[0]:g} layer{plural} and {given[1]:g} units"
        if given[0] == layers - 1 and 2 ** (layers - 1) != pieces:
            raise Wrong(f"{case}; they make {2 ** (layers - 2)} pieces, too few: round the logarithm up")
        if given[0] == layers - 1:
            raise Wrong(f"{case}; layer l has 2^(l-1) pieces, not 2^l: layer 1 does not fold")
        if given[0] < layers:
            raise Wrong(f"{case}; they make {2 ** (given[0] - 1):g} pieces, too few")
        if given[0] > layers:
            raise Wrong(f"{case}; fewer layers do: the pieces double with each, they do not grow by two")
        if given[1] != 2 * layers:
            raise Wrong(f"{case}; the layers are right, and each of them has width 2")
    return "the pieces double with each layer, so the layers grow as the logarithm of the pieces"


def _numbers(value: object) -> Tensor:
    """A learner's number or numbers as a flat tensor; an empty one for what holds others."""
    try:
        return torch.as_tensor(value, dtype=torch.float64).detach().flatten()
    except (TypeError, ValueError, RuntimeError):
        return torch.empty(0)


def _expect_cell(cell: object, kind: type[Cell], width: int) -> None:
    if not isinstance(cell, kind):
        raise Wrong(f"the cell must be a course_lib.{kind.__name__}, {got(cell)}")
    if (cell.input_size, cell.hidden_size) != (1, width):
        raise Wrong(f"the cell must be {kind.__name__}(1, {width}), got {cell}")


def _weights(cell: Cell) -> list[Tensor]:
    return [getattr(cell, f"{kind}_{side}").detach().double() for kind in ("weight", "bias") for side in ("ih", "hh")]


def _run_vanilla(bits: list[int], w: Tensor, u: Tensor, b: Tensor, v: Tensor, c: Tensor) -> list[bool]:
    """Where the read-out v h + c of a vanilla layer is above 1/2."""
    h, told = torch.zeros(len(u), dtype=torch.float64), []
    for x in bits:
        h = torch.tanh(w[:, 0] * x + u @ h + b)
        told.append((v @ h + c).item() > 0.5)
    return told


def _bits() -> list[int]:
    """Random bits after a short word that tells the usual mistakes apart."""
    return [0, 0, 1, 0, 1, 1, *torch.randint(2, (NUM_BITS - 6,)).tolist()]


def _parity(bits: list[int], of: int = 1) -> list[bool]:
    """Whether an odd number of ones, or of zeros, has come so far."""
    return (torch.tensor(bits) == of).cumsum(0).remainder(2).bool().tolist()


def _judge_parity(bits: list[int], told: list[bool]) -> None:
    """Name what was computed instead of parity, or where it went wrong first. Raises Wrong."""
    right = _parity(bits)
    if told == right:
        return
    seen = torch.tensor(bits).cummax(0).values.bool().tolist()
    others = {
        "that is the bit itself: the past does not enter": list(map(bool, bits)),
        "that is parity turned round: the answer is 1 where the output is above 1/2": [not each for each in right],
        "that is parity turned round from the first 1 on: the first flip must go up": [
            came and not each for came, each in zip(seen, right)
        ],
        "that is OR, it stays 1 for ever: a second 1 must bring it back": seen,
        "the output never passes 1/2": [False] * len(bits),
    }
    for name, other in others.items():
        if told == other:
            raise Wrong(f"{sum(a != b for a, b in zip(told, right))} errors in {len(bits)} bits; {name}")
    first = next(t for t, (a, b) in enumerate(zip(told, right)) if a != b)
    late = " It works for a while: steeper weights hold longer" if first > 12 else ""
    raise Wrong(
        f"{sum(a != b for a, b in zip(told, right))} errors in {len(bits)} bits, the first at bit {first + 1}, after "
        f"{bits[max(0, first - 5) : first + 1]}: parity is {int(right[first])}, you say {int(told[first])}.{late}"
    )
