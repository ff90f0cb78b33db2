"""Checks of masks inside the recurrence: one that is locked, and how long a memory lives under fresh ones."""

import math

import torch
from torch import Tensor

from course_lib.cells import LSTMCell, LSTMState
from course_lib.checks.exercise import Wrong, ask, exercise, expect_tensor, got, is_number, plain_numbers

STEPS, BATCH, BELOW, WIDTH, P = 6, 40, 3, 50, 0.3


class Watched(LSTMCell):
    """An LSTM cell that remembers what it was given and what it gave."""

    def __init__(self, *sizes: int):
        super().__init__(*sizes)
        self.below: list[Tensor] = []
        self.given: list[LSTMState] = []
        self.gave: list[LSTMState] = []

    def __deepcopy__(self, memo: dict) -> "Watched":  # the check looks into the one that the learner gets
        return self

    def forward(self, below: Tensor, state: LSTMState) -> LSTMState:
        self.below.append(below.detach().clone())
        self.given.append(_copy(state))
        new = super().forward(below, state)
        self.gave.append(_copy(new))  # the learner may write into the one that is handed out
        return new


def _copy(state: object) -> object:
    return LSTMState(state.h.detach().clone(), state.c.detach().clone()) if isinstance(state, LSTMState) else state


@exercise(
    "06.4",
    hints=(
        "Draw the mask once, before the loop: a random number a unit and a sequence, compared with p.",
        "mask = (torch.rand(batch, width) >= p) / (1 - p). The cell reads LSTMState(mask * h, c); what it gives back "
        "is the next h and c, unmasked.",
        "state = cell.initial_state(batch); for x_t in x: state = cell(x_t, LSTMState(mask * state.h, state.c)); "
        "hs.append(state.h); at the end torch.stack(hs).",
    ),
)
def locked_row(answer: object, seed: int) -> str:
    """``locked_row(cell, x, p)`` on a cell that records what it is given."""
    cell, x = Watched(BELOW, WIDTH).to(torch.float64), torch.randn(STEPS, BATCH, BELOW, dtype=torch.float64)
    before = LSTMCell(BELOW, WIDTH).to(torch.float64)
    before.load_state_dict(cell.state_dict())
    for p in (0.0, P):
        cell.load_state_dict(before.state_dict())  # whatever the answer did to it
        cell.below, cell.given, cell.gave = [], [], []
        h = expect_tensor(ask(answer, cell, x, p), (STEPS, BATCH, WIDTH), f"p = {p}: h").detach()
        if h.dtype != x.dtype:
            raise Wrong(f"h is {h.dtype}, x and the cell are {x.dtype}; make its tensors with dtype=x.dtype")
        if len(cell.given) != STEPS:
            raise Wrong(f"call cell(x_t, state) once a step: {STEPS} steps, {len(cell.given)} calls")
        if not torch.equal(torch.stack(cell.below), x):
            raise Wrong("the cell reads x[0], x[1], ... in this order, as they are")
        if any(each.any() for each in cell.given[0]):
            raise Wrong("the first state is cell.initial_state(batch), zeros; yours is another")
        masks = _masks(cell)
        _check_masks(masks, p)
        if not torch.allclose(h, torch.stack([state.h for state in cell.gave])):
            masked = torch.allclose(h[1:], masks * torch.stack([s.h for s in cell.gave[1:]]))
            raise Wrong(f"h is what the cell gives back{', unmasked: the layer above reads it whole' * masked}")
        right = torch.stack([before(*step).h for step in zip(cell.below, cell.given)])
        if not torch.allclose(h, right.detach()):
            raise Wrong("the cell's weights are others than before; leave them as they are")
    return "one mask a sequence on h into the gates, the carried c whole"


def _masks(cell: Watched) -> Tensor:
    """By what h was multiplied before each step from the second on, (steps - 1, batch, width)."""
    if not all(isinstance(state, LSTMState) for state in cell.given):
        raise Wrong("the cell reads LSTMState(h, c)")
    before, reads = cell.gave[:-1], cell.given[1:]
    masks = torch.stack([new.h / old.h for old, new in zip(before, reads)]).detach()
    if any(not torch.allclose(old.c, new.c) for old, new in zip(before, reads)):
        raise Wrong("the c that the cell reads is not the c that it gave: a mask on the carried c destroys memory")
    return masks


def _check_masks(masks: Tensor, p: float) -> None:
    kept = masks[0][masks[0] != 0]
    if p == 0:
        if not torch.allclose(masks, torch.ones_like(masks)):
            raise Wrong("p = 0: nothing is dropped, so the cell reads the h that it gave")
        return
    if torch.allclose(masks, torch.ones_like(masks)):
        raise Wrong("p = 0.3: the cell reads h whole; where is the mask?")
    share = float((masks[0] == 0).double().mean())
    if not torch.allclose(masks, masks[:1].expand_as(masks)):
        raise Wrong("the mask changes from step to step; a locked mask is drawn once, before the loop")
    if torch.allclose(masks[0], masks[0, :1].expand_as(masks[0])):
        raise Wrong("all sequences of the batch have the same mask; draw one for each")
    if torch.allclose(masks[0], masks[0, :, :1].expand_as(masks[0])):
        raise Wrong("all units of a sequence share one number; the mask has an entry for each unit")
    if len((masks[0] == 0).unique(dim=0)) < BATCH:
        raise Wrong("some sequences of the batch share a mask; draw one for each")
    if abs(share - (1 - p)) < 0.05:
        raise Wrong("70 % of the entries are 0 at p = 0.3: p is the share that is dropped")
    if abs(share - p) > 0.05:
        raise Wrong(f"{share:.0%} of the mask's entries are 0, at p = 0.3")
    if torch.allclose(kept, torch.full_like(kept, (1 - p) ** -2)):
        raise Wrong("entries that are kept are 1/(1 - p)^2: h is masked twice, after one step and before the next")
    if not torch.allclose(kept, torch.full_like(kept, 1 / (1 - p))):
        raise Wrong(f"entries that are kept are {float(kept.mean()):.2f}; divide by 1 - p, so that the mean stays")


@exercise(
    "06.3",
    hints=(
        "A unit survives t masks only if it survives each. With which probability?",
        "keep^t = 1/2. Take logarithms.",
        "t = log(1/2) / log(keep): 6.6 steps at keep = 0.9.",
    ),
)
def half_life(answer: object, seed: int) -> str:
    """``half_life(keep)`` against log(1/2) / log(keep)."""
    for keep in (0.9, 0.75, 0.5, 0.99):
        right, given = math.log(0.5) / math.log(keep), plain_numbers(ask(answer, keep))
        if not is_number(given):
            raise Wrong(f"keep = {keep}: give back a number of steps, {got(given)}")
        if abs(given - right) > 0.006 * right:
            raise Wrong(f"keep = {keep}: not {given:.4g} steps{_name_life(float(given), keep, right)}")
    return "6.6 steps at keep 0.9, one at 0.5: fresh masks on what is carried leave no long memory"


def _name_life(given: float, keep: float, right: float) -> str:
    wrongs = {
        "; that is the mean life, 1 / (1 - keep)": 1 / (1 - keep),
        "; that loses 1 - keep of the start each step, but each mask acts on what is left": 0.5 / (1 - keep),
        "; log 2 / (1 - keep) is right near keep = 1 only: survivals multiply": math.log(2) / (1 - keep),
        "; that is the time to 1/e": -1 / math.log(keep),
        "; that is the logarithm upside down": math.log(keep) / math.log(0.5),
        "; a time need not be a whole number: where does keep^t cross 1/2?": math.ceil(right),
        "; time runs forward: your sign is wrong": -right,
    }
    return next((text for text, wrong in wrongs.items() if math.isclose(given, wrong, rel_tol=1e-3)), "")
