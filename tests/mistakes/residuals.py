"""The residual stream: right and wrong answers."""

import torch

from course_lib import LSTMCell, Stack, checks, plain, residual


def residual_run(cells, x, connect=lambda l, x_t, below, h: below + h if l else h, keep=True, whole=False):
    states, outputs = [cell.initial_state(x.shape[1]) for cell in cells], []
    for x_t in x:
        below = x_t
        for l, cell in enumerate(cells):
            state = cell(below, states[l] if keep else cell.initial_state(x.shape[1]))
            below = connect(l, x_t, below, state.h)
            states[l] = state._replace(h=below) if whole else state
        outputs.append(below)
    return torch.stack(outputs)


RUN = {
    "nothing passes a layer by: your stack is plain": lambda cells, x: Stack(cells)(x)[0],
    "every layer starts each step from zeros": lambda cells, x: residual_run(cells, x, keep=False),
    "the sum goes on in time as well": lambda cells, x: residual_run(cells, x, whole=True),
    "layer 1 adds x; x may have another width": lambda cells, x: residual_run(
        cells, x, lambda l, x_t, below, h: below + h
    ),
    "your layers add x_t; each adds what it read": lambda cells, x: residual_run(
        cells, x, lambda l, x_t, below, h: x_t + h if l else h
    ),
    "only the top layer adds what it read": lambda cells, x: residual_run(
        cells, x, lambda l, x_t, below, h: below + h if l == len(cells) - 1 else h
    ),
    "in yours layer 3 is the first to add": lambda cells, x: residual_run(
        cells, x, lambda l, x_t, below, h: below + h if l > 1 else h
    ),
    "your loop runs over the batch": lambda cells, x: residual_run(cells, x.transpose(0, 1)).transpose(0, 1),
    "the output differs from the first step on": lambda cells, x: residual_run(cells, x) + 1,
    "right up to step 1 and then differs": lambda cells, x: torch.cat([residual_run(cells, x)[:1]] * len(x)),
    "torch.stack makes one of them": lambda cells, x: list(residual_run(cells, x)),
    "must have shape (5, 2, 4), got (2, 4)": lambda cells, x: residual_run(cells, x)[-1],
    "what you add and send up is its h": lambda cells, x: cells[0](cells[0](x[0], cells[0].initial_state(2)), None),
    "the output must be a tensor, got None: is the return missing?": lambda cells, x: None,
}


def translator(num_layers, start=3):
    return [plain] * (start - 1) + [residual] * (num_layers - start + 1)


TRANSLATOR = {
    "in yours layer 1 adds what it read": lambda layers: translator(layers, 1),
    "in yours layer 2 adds what it read": lambda layers: translator(layers, 2),
    "in yours layer 4 is the first to add": lambda layers: translator(layers, 4),
    "in yours only the top layer adds": lambda layers: translator(layers, layers),
    "nothing passes a layer by: your stack is plain": lambda layers: [plain] * layers,
    "8 layers have 8 connections, you give 7": lambda layers: translator(layers - 1),
    "hand up h alone, all others the sum": lambda layers: translator(layers)[::-1],
    "give back a list of plain and residual, got function": lambda layers: residual,
    "give back a list of plain and residual, got Stack": lambda layers: Stack.uniform(LSTMCell, 4, 4, layers),
}
RIGHT = {
    "05.3": (checks.residuals.residual_run, residual_run),
    "05.4": (checks.residuals.translator, translator),
}
MISTAKES = {"05.3": RUN, "05.4": TRANSLATOR}
