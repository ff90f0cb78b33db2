"""Tasks on symbols: say the one of some steps ago, the first one at the end, or a sum with one yet to come."""

import torch
from torch import Tensor

from course_lib.cells import check_size
from course_lib.data.synthetic.task import IGNORE, Task, uniform


def echo(symbols: int = 4, lag: int = 4) -> Task:
    """Say the symbol of ``lag`` steps ago: y_t = x_{t-lag}; the first ``lag`` steps ask nothing. The floor is 0."""
    check_size("echo", "symbols", symbols)
    check_size("echo", "lag", lag)

    def draw(num_steps: int, batch_size: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        x = torch.randint(symbols, (num_steps, batch_size), generator=generator)
        return x, torch.cat([torch.full((lag, batch_size), IGNORE), x[:-lag]])

    return Task("echo", symbols, uniform(symbols), draw, shortest=lag + 1)


def recall(symbols: int = 4) -> Task:
    """Name the first symbol, at the last step only: y_T = x_1. The floor is 0.

    x_1 is one of 0..symbols-1; all later steps are distractors from symbols..2*symbols-1, an alphabet of their own.
    """
    check_size("recall", "symbols", symbols)

    def draw(num_steps: int, batch_size: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        x = torch.randint(symbols, 2 * symbols, (num_steps, batch_size), generator=generator)
        x[0] = torch.randint(symbols, (batch_size,), generator=generator)
        y = torch.full_like(x, IGNORE)
        y[-1] = x[0]
        return x, y

    return Task("recall", 2 * symbols, uniform(symbols), draw, shortest=2)


def look_ahead(symbols: int = 8, ahead: int = 2) -> Task:
    """A sum with a symbol yet to come: y_t = (x_t + x_{t+ahead}) mod symbols; the last steps ask nothing.

    Given x_1..x_t the answer is uniform, so no network that reads one way gets below ``chance_nats`` = ln symbols
    or above ``chance_accuracy``. The floor of one that reads both ways, or answers later, is 0.
    """
    check_size("look_ahead", "symbols", symbols)
    check_size("look_ahead", "ahead", ahead)

    def draw(num_steps: int, batch_size: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        x = torch.randint(symbols, (num_steps, batch_size), generator=generator)
        y = (x[:-ahead] + x[ahead:]) % symbols
        return x, torch.cat([y, torch.full((ahead, batch_size), IGNORE)])

    return Task("look_ahead", symbols, uniform(symbols), draw, shortest=ahead + 1)
