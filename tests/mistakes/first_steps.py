"""The answers of lesson 00, right and wrong."""

import torch

from course_lib import RNNState, checks


def vanilla_step(x, h, W, U, b):
    return torch.tanh(x @ W.T + h @ U.T + b)


VANILLA_STEP = {
    "the tanh is missing": lambda x, h, W, U, b: x @ W.T + h @ U.T + b,
    "does not depend on the old h: is h @ U.T in the sum?": lambda x, h, W, U, b: torch.tanh(x @ W.T + b),
    "does not depend on x: is x @ W.T in the sum?": lambda x, h, W, U, b: torch.tanh(h @ U.T + b),
    "the bias b is missing": lambda x, h, W, U, b: torch.tanh(x @ W.T + h @ U.T),
    "the bias b is added after the tanh": lambda x, h, W, U, b: torch.tanh(x @ W.T + h @ U.T) + b,
    "the tanh stands around one product only": lambda x, h, W, U, b: torch.tanh(x @ W.T) + h @ U.T + b,
    "multiply by its transpose, h @ U.T": lambda x, h, W, U, b: torch.tanh(x @ W.T + h @ U + b),
    "the numbers are not (largest difference": lambda x, h, W, U, b: torch.sigmoid(x @ W.T + h @ U.T + b),
    "cannot be multiplied (2x3 and 4x3): x is (batch, d) and W is (h, d)": lambda x, h, W, U, b: torch.tanh(
        x @ W + h @ U + b
    ),
    "cannot be multiplied (1x3 and 1x2)": lambda x, h, W, U, b: torch.tanh(x.squeeze() @ W.T + h @ U.T + b),
    "must be a tensor, got RNNState": lambda *args: RNNState(vanilla_step(*args)),
    "must have shape (2, 4), got (2, 2, 4)": lambda *args: torch.stack([vanilla_step(*args)] * 2),
    "must hold floating-point numbers, got torch.bool": lambda *args: vanilla_step(*args) > 0,
    "holds numbers that are NaN or infinite": lambda *args: vanilla_step(*args) / 0,
}
RIGHT = {"00.1": (checks.first_steps.vanilla_step, vanilla_step)}
MISTAKES = {"00.1": VANILLA_STEP}
