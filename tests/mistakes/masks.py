"""The locked mask, and the half-life of a memory: right and wrong answers."""

import math

import torch

from course_lib import LSTMState, checks


def drawn(p, *shape):
    return (torch.rand(shape) >= p) / (1 - p)


def locked_row(cell, x, p, draw=drawn, fresh=False, of_c=False, masked_out=False, twice=False, start=0.0):
    batch, width = x.shape[1], cell.hidden_size
    state, mask, hs = cell.initial_state(batch), draw(p, batch, width), []
    state = LSTMState(state.h + start, state.c + start)
    for x_t in x:
        mask = draw(p, batch, width) if fresh else mask
        state = cell(x_t, LSTMState(mask * (mask if twice else 1) * state.h, mask * state.c if of_c else state.c))
        hs.append(mask * state.h if masked_out else state.h)
    return torch.stack(hs)


def slip(**options):
    return lambda cell, x, p: locked_row(cell, x, p, **options)


ROW = {
    "the mask changes from step to step": slip(fresh=True),
    "all sequences of the batch have the same mask": slip(draw=lambda p, batch, width: drawn(p, 1, width)),
    "all units of a sequence share one number": slip(draw=lambda p, batch, width: drawn(p, batch, 1)),
    "p is the share that is dropped": slip(draw=lambda p, *shape: (torch.rand(shape) < p) / p if p else 1.0),
    "divide by 1 - p, so that the mean stays": slip(draw=lambda p, *shape: (torch.rand(shape) >= p) * 1.0),
    "h is masked twice": slip(twice=True),
    "h is torch.float32, x and the cell are torch.float64": lambda *args: locked_row(*args).float(),
    "some sequences of the batch share a mask": slip(draw=lambda p, b, width: drawn(p, b // 2, width).repeat(2, 1)),
    "the first state is cell.initial_state(batch)": slip(start=1.0),
    "a mask on the carried c destroys memory": slip(of_c=True),
    "the cell reads h whole; where is the mask?": slip(draw=lambda p, *shape: torch.ones(shape)),
    "unmasked: the layer above reads it whole": slip(masked_out=True),
    "p = 0: nothing is dropped": slip(draw=lambda p, *shape: drawn(0.3, *shape)),
    "the cell reads x[0], x[1], ... in this order": lambda cell, x, p: locked_row(cell, x.flip(0), p),
    "p = 0.0: h must have shape (6, 40, 50), got (40, 50)": lambda *args: locked_row(*args)[-1],
    "call cell(x_t, state) once a step": lambda cell, x, p: torch.zeros(6, 40, 50),
    "of the mask's entries are 0, at p = 0.3": slip(draw=lambda p, *shape: drawn(0.5 if p else 0, *shape)),
}
LIFE = {
    "that is the mean life, 1 / (1 - keep)": lambda keep: 1 / (1 - keep),
    "each mask acts on what is left": lambda keep: 0.5 / (1 - keep),
    "right near keep = 1 only": lambda keep: math.log(2) / (1 - keep),
    "that is the time to 1/e": lambda keep: -1 / math.log(keep),
    "that is the logarithm upside down": lambda keep: math.log(keep) / math.log(0.5),
    "a time need not be a whole number": lambda keep: math.ceil(math.log(0.5) / math.log(keep)),
    "your sign is wrong": lambda keep: math.log(2) / math.log(keep),
    "give back a number of steps, got None": lambda keep: None,
    "keep = 0.75: not 6.579 steps": lambda keep: math.log(0.5) / math.log(0.9),
}
RIGHT = {
    "06.4": (checks.masks.locked_row, locked_row),
    "06.3": (checks.masks.half_life, lambda keep: math.log(0.5) / math.log(keep)),
}
MISTAKES = {"06.4": ROW, "06.3": LIFE}
