"""Checks of lesson 00: one step of one cell."""

import torch

from course_lib.checks.exercise import Wrong, ask, exercise, expect_tensor, same

CURES = {
    "cannot be multiplied": "x is (batch, d) and W is (h, d): with the batch in front, the product is x @ W.T",
    "inconsistent tensor size": "x is (batch, d) and W is (h, d): with the batch in front, the product is x @ W.T",
}


@exercise(
    "00.1",
    hints=(
        "Two products, one sum, one tanh. Which of x and h goes with W, which with U?",
        "x is (batch, d) and W is (h, d), so the product that gives (batch, h) is x @ W.T.",
        "torch.tanh(x @ W.T + h @ U.T + b)",
    ),
)
def vanilla_step(answer: object, seed: int) -> str:
    """``vanilla_step(x, h, W, U, b)`` is one step of the vanilla cell; input width equal and unequal to h's."""
    for batch, d, width in ((2, 3, 4), (1, 4, 4), (3, 1, 2)):
        cell = torch.nn.RNNCell(d, width)
        x, h = torch.randn(batch, d), torch.randn(batch, width)
        with torch.no_grad():
            W, U, b = cell.weight_ih.clone(), cell.weight_hh.clone(), cell.bias_ih + cell.bias_hh
            expected = cell(x, h)
        value = expect_tensor(ask(answer, x, h, W, U, b, cures=CURES), (batch, width), "the new h")
        if same(value, expected):
            continue
        mistakes = {
            "the tanh is missing": x @ W.T + h @ U.T + b,
            "the new h does not depend on the old h: is h @ U.T in the sum?": torch.tanh(x @ W.T + b),
            "the new h does not depend on x: is x @ W.T in the sum?": torch.tanh(h @ U.T + b),
            "the bias b is missing": torch.tanh(x @ W.T + h @ U.T),
            "the bias b is added after the tanh: it belongs inside": torch.tanh(x @ W.T + h @ U.T) + b,
            "the tanh stands around one product only: it goes around the whole sum": torch.tanh(x @ W.T) + h @ U.T + b,
            "U is used as it stands: multiply by its transpose, h @ U.T": torch.tanh(x @ W.T + h @ U + b),
        }
        raise Wrong(next((name for name, wrong in mistakes.items() if same(value, wrong)), _unnamed(value, expected)))
    return "the same numbers as torch.nn.RNNCell, for three shapes"


def _unnamed(value: torch.Tensor, expected: torch.Tensor) -> str:
    gap = (value - expected).abs().max().item()
    return f"the shape is right, the numbers are not (largest difference {gap:.3g}): compare with the equation"
