"""A cell around a cell that masks what it reads of its past, by a rule, in training mode."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from course_lib import fast
from course_lib.cells import Cell, State
from course_lib.dropout.coins import WORD, coins, later
from course_lib.dropout.rules import Rule
from course_lib.dropout.steps import dropped
from course_lib.extend import check_cell, extended, inner_state


class Masked(Cell):
    """A cell whose past is masked by a rule in training mode; in eval mode it is the cell itself.

    Equation: that of the rule. ``Stack([Masked(LSTMCell(8, 16), locked(0.3)), ...])``.

    The state is the cell's with one more field ``seed``, (batch,) of int64, which says all masks of the steps to come:
    ``initial_state`` draws it, one a sequence, and a chunk that continues a state continues its masks. In eval mode
    nothing is drawn: the seeds number the sequences.

    Shapes: below (batch, input_size). Errors: TypeError for a cell of another kind, or one on which the rule would do
    nothing.
    """

    def __init__(self, cell: Cell, rule: Rule):
        super().__init__(check_cell("Masked", cell).input_size, cell.hidden_size)
        if not isinstance(rule, Rule):
            raise TypeError(f"Masked: rule must be made by dropout.locked(p) and the like, got {rule!r}")
        if reason := rule.refusal(cell):
            raise TypeError(f"Masked: {rule} {reason}")
        self.cell, self.rule = cell, rule
        _ = self.state_type  # refuses a cell that has a seed already

    @property
    def state_type(self) -> type:
        """The state of the cell, and ``seed``."""
        return extended(self.cell.state_type, "Masked", ("seed",))

    def initial_state(self, batch_size: int) -> State:
        """The initial state of the cell, and the seeds of the masks."""
        state = self.cell.initial_state(batch_size)
        seed = torch.arange(batch_size)
        if self.training:
            seed = torch.randint(WORD, (1 if self.rule.shared else batch_size,)).expand(batch_size)
        elif self.rule.shared:
            seed = torch.zeros_like(seed)
        return self.state_type(*state, seed.to(state.h.device))

    def forward(self, below: Float[Tensor, "batch input_size"], state: State) -> State:
        old = inner_state(self.cell, state)
        if not self._is_active():
            return self.state_type(*self.cell(below, old), state.seed)
        new = self.rule.step(self.cell, below, old, self._mask(state.seed, below.dtype))
        return self.state_type(*new, self._later(state.seed, 1))

    def quick_row(self, below: Float[Tensor, "time batch input_size"], state: State) -> tuple[Tensor, State]:
        """h at every time and the last state: fused where no unit is masked, else with all masks thrown at once."""
        old = inner_state(self.cell, state)
        if not self._is_active():
            h, new = fast.open_row(self.cell, below, old)
            return h, self.state_type(*new, state.seed)
        masks = self._masks(state.seed, len(below), below.dtype)
        if self._is_one(state.seed) and self._is_fusable(below):
            h, new = fast.fused_row(self.cell, below, old, weight_hh=dropped(self.cell, masks[0])[0])
            return h, self.state_type(*new, state.seed)
        hs = []
        for below_t, mask in zip(below, masks):
            old = self.rule.step(self.cell, below_t, old, mask)
            hs.append(old.h)
        return torch.stack(hs), self.state_type(*old, self._later(state.seed, len(below)))

    def extra_repr(self) -> str:
        return str(self.rule)

    def _is_active(self) -> bool:
        return self.training and self.rule.p > 0

    def _is_one(self, seed: Int[Tensor, " batch"]) -> bool:
        """Whether all sequences have one mask; the transforms of torch.func cannot look at values."""
        return self.rule.shared and not fast.is_transformed() and bool((seed == seed[0]).all())

    def _is_fusable(self, below: Tensor) -> bool:
        return fast.is_fusable(self.cell, below) and not torch.compiler.is_compiling()

    def _mask(self, seed: Int[Tensor, " batch"], dtype: torch.dtype) -> Float[Tensor, "masks size"]:
        """The mask of each sequence, or the one of all."""
        seed = seed[:1] if self._is_one(seed) else seed
        keep = 1 - self.rule.p
        return (coins(seed, self.rule.size(self.cell)) < keep * WORD).to(dtype) / keep

    def _masks(
        self, seed: Int[Tensor, " batch"], num_steps: int, dtype: torch.dtype
    ) -> tuple[Float[Tensor, "masks size"], ...]:
        """The masks of that many steps; those of fresh rules are thrown at once, which is faster."""
        if self.rule.fixed:
            return (self._mask(seed, dtype),) * num_steps
        times = torch.arange(num_steps, device=seed.device)[:, None]
        return self._mask(later(seed, times).flatten(), dtype).unflatten(0, (num_steps, -1)).unbind()

    def _later(self, seed: Int[Tensor, " batch"], num_steps: int) -> Int[Tensor, " batch"]:
        return seed if self.rule.fixed else later(seed, num_steps)
