"""Where a dropout inside the recurrence acts, and for how long one mask stands: rules as values."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor

from course_lib.cells import Cell, State
from course_lib.dropout import refusals, steps


@dataclass(frozen=True, repr=False)
class Rule:
    """What a mask multiplies, and how long it stands; made by the functions below.

    Every entry of a mask is 0 with probability p and else 1/(1-p), so that its mean is 1. ``fixed``: one mask a
    sequence, else a fresh one each step. ``shared``: all sequences of a batch start with the same mask.
    ``size(cell)`` is the number of its entries; ``step(cell, below, state, mask)`` is the masked step.
    ``refusal(cell)`` says why the rule makes no sense for a cell, or nothing.
    """

    name: str
    p: float
    size: Callable[[Cell], int]
    step: Callable[[Cell, Tensor, State, Tensor], State]
    refusal: Callable[[Cell], str]
    fixed: bool = False
    shared: bool = False

    def __post_init__(self):
        if isinstance(self.p, bool) or not isinstance(self.p, int | float):
            raise TypeError(f"{self.name}: p must be a probability, got {self.p!r} of type {type(self.p).__name__}")
        if not 0 <= self.p < 1:
            raise ValueError(
                f"{self.name}: p must be at least 0 and below 1, where nothing would be left, got {self.p}"
            )

    def __repr__(self) -> str:
        return f"{self.name}({self.p})"


def fresh_h(p: float) -> Rule:
    """A new mask each step on h_{t-1} on its way into the gates: W_hh (m_t * h_{t-1}).

    The carry of an LSTM (f * c) and of a GRU (z * h) stays whole. In a vanilla cell nothing else carries the past, so
    a unit's memory survives k steps with probability (1-p)^k. Source: the recurrent dropout warned of by Zaremba,
    Sutskever and Vinyals 2014, section 3.2.
    """
    return Rule("fresh_h", p, steps.one_a_unit, steps.into_gates, refusals.needs_from_past)


def fresh_c(p: float) -> Rule:
    """A new mask each step on the carried c: c_t = f * (m_t * c_{t-1}) + i * g.

    What a unit holds survives k steps with probability (1-p)^k. TypeError for a cell without c.
    """
    return Rule("fresh_c", p, steps.one_a_unit, steps.carried, refusals.needs_c)


def fresh_state(p: float) -> Rule:
    """A new mask each step on all that the step reads of its past: h, and c of an LSTM, gates and carry alike.

    For a GRU this masks the carry, which ``fresh_h`` spares; for a vanilla cell the two are one.
    """
    return Rule("fresh_state", p, steps.one_a_field, steps.whole, refusals.needs_plain_fields)


def locked(p: float) -> Rule:
    """One mask a sequence on h_{t-1} on its way into the gates: W_hh (m * h_{t-1}), all gates with the same mask.

    Gal and Ghahramani 2016, section 4.1, lock the mask on what a layer reads from below as well: give the stack
    ``dropout=Locked(p)``, and mask input and output by ``Around(stack, Locked(p))``.
    """
    return Rule("locked", p, steps.one_a_unit, steps.into_gates, refusals.needs_from_past, fixed=True)


def candidate(p: float) -> Rule:
    """A new mask each step on the candidate alone: c_t = f * c_{t-1} + i * (m_t * g).

    In a GRU: h_t = (1-z) * (m_t * n) + z * h_{t-1}.
    What is already carried is never masked, so no memory is lost. TypeError for a cell without a candidate of its own.
    Source: Semeniuta, Severyn and Barth 2016, section 3.
    """
    return Rule("candidate", p, steps.one_a_unit, steps.new_content, refusals.needs_candidate)


def weight_drop(p: float) -> Rule:
    """One mask a sequence on the recurrent weights themselves: (M * W_hh) h_{t-1}, M as large as W_hh.

    All sequences of a batch start with the same mask, one a forward pass; states that are carried on carry it on. The
    masked weights are computed from the cell's own at every use, so these receive the gradient.
    Source: Merity, Keskar and Socher 2017, section 2; DropConnect is from Wan et al. 2013.
    """
    size, step = steps.one_a_weight, steps.through_fewer_weights
    return Rule("weight_drop", p, size, step, refusals.needs_weight_hh, fixed=True, shared=True)


RULES: Mapping[str, Callable[[float], Rule]] = {
    rule.__name__: rule for rule in (fresh_h, fresh_c, fresh_state, locked, candidate, weight_drop)
}
