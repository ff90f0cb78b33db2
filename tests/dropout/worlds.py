"""Every rule on every cell it is made for, and the masks that a masked cell will use."""

import torch

from course_lib import GRUCell, LSTMCell, RNNCell, Stack
from course_lib.dropout import RULES, Masked

KINDS = {"vanilla": RNNCell, "gru": GRUCell, "lstm": LSTMCell}
REFUSED = {("fresh_c", "vanilla"), ("fresh_c", "gru"), ("candidate", "vanilla")}
PAIRS = [(rule, kind) for rule in RULES for kind in KINDS if (rule, kind) not in REFUSED]
FIXED = ("locked", "weight_drop")


def stack_of(rule, kind, sizes=(5, 4, 3), p=0.4, **options):
    """A stack of masked cells in training mode."""
    return Stack.uniform(lambda below, width: Masked(KINDS[kind](below, width), RULES[rule](p)), *sizes, **options)


def started(stack, batch_size):
    """States that are not zero, with the seeds that the stack draws."""
    states = stack.initial_states(batch_size)
    return tuple(
        type(state)(
            *(field if name == "seed" else torch.randn_like(field) for name, field in zip(state._fields, state))
        )
        for state in states
    )


def masks_of(cell, state, num_steps):
    """The masks of the next steps, (time, batch or 1, size), each asked for alone."""
    masks, seed = [], state.seed
    for _ in range(num_steps):
        masks.append(cell._mask(seed, torch.float64))
        seed = cell._later(seed, 1)
    return torch.stack(masks)
