"""One loop on one screen: train a model on batches, stop well, keep the history."""

import itertools
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn
from tqdm import tqdm

from course_lib.cells import check_size
from course_lib.data.batch import Batch

Loss = Callable[[nn.Module, Batch], Tensor | Iterable[Tensor]]  # of a model on a batch: one value, or one a step


@dataclass(frozen=True)
class Settings:
    """How to train. AdamW; the learning rate climbs for ``warmup`` of the steps, then falls as a cosine to about 0.

    Errors: TypeError for a count that is no whole number, ValueError for a value out of range.
    """

    steps: int = 300
    learning_rate: float = 4e-3
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    warmup: float = 0.1
    seed: int = 0
    validate_every: int = 50
    target: float | None = None

    def __post_init__(self):
        check_size("Settings", "steps", self.steps)
        check_size("Settings", "validate_every", self.validate_every)
        rules = {
            "learning_rate": (0 < self.learning_rate < math.inf, "above 0 and finite"),
            "weight_decay": (0 <= self.weight_decay < math.inf, "at least 0 and finite"),
            "clip_norm": (self.clip_norm > 0, "above 0; inf clips nothing"),
            "warmup": (0 < self.warmup < 1, "between 0 and 1"),
        }
        for name, (holds, rule) in rules.items():
            if not holds:
                raise ValueError(f"Settings: {name} must be {rule}, got {getattr(self, name)}")

    def rate(self, step: int) -> float:
        """The learning rate after ``step`` steps: from 1/25 of it to 1 to 1/250,000, like torch's OneCycleLR."""
        top = max(self.warmup * self.steps - 1, 0)
        if step < top:
            start, end, way = 1 / 25, 1.0, step / top
        else:
            start, end, way = 1.0, 1 / 250_000, (step - top) / ((self.steps - 1 - top) or 1)
        return self.learning_rate * (end + (start - end) * (1 + math.cos(math.pi * way)) / 2)


@dataclass(frozen=True)
class History:
    """What happened: a loss a step, (step, score) at each validation, and why it stopped.

    ``stopped`` is "steps" (all were made), "target", "interrupted" (Ctrl-C) or "diverged" (a loss or gradient that is
    not finite: that loss is the last, and the weights are those before it).
    """

    settings: Settings
    losses: list[float] = field(default_factory=list)
    scores: list[tuple[int, float]] = field(default_factory=list)
    seconds: float = 0.0
    stopped: str = "steps"


def fit(
    model: nn.Module,
    batches: Sequence[Batch],
    loss: Loss,
    settings: Settings = Settings(),
    validate: Callable[[nn.Module], float] | None = None,
) -> History:
    """Train in place and return the history; the model is left in eval mode.

    ``loss(model, batch)`` gives one value, or several one after the other, as ``Truncated`` does: each is a step.
    Each epoch takes the batches in a new order, drawn from ``settings.seed``, as are all dropout masks; the caller's
    random state is untouched. ``validate(model)`` runs in eval mode without gradients every ``validate_every`` steps
    and at the end; training stops once it is at or below ``settings.target``. Ctrl-C stops and keeps the steps made.
    Errors: ValueError if there are no batches, or a target without ``validate``.
    """
    if not len(batches):
        raise ValueError("batches is empty; there is nothing to train on")
    if settings.target is not None and validate is None:
        raise ValueError(f"target={settings.target} needs validate, which measures whether it is reached")
    history, start = History(settings), time.perf_counter()
    with torch.random.fork_rng(), tqdm(total=settings.steps, disable=is_quiet(), unit="step") as bar:
        torch.manual_seed(settings.seed)
        try:
            stopped = _train(model, _values(model, batches, loss, settings), validate, history, bar)
        except KeyboardInterrupt:
            stopped = "interrupted"
        finally:
            model.eval()
    return replace(history, seconds=time.perf_counter() - start, stopped=stopped)


def _train(
    model: nn.Module,
    values: Iterator[Tensor],
    validate: Callable[[nn.Module], float] | None,
    history: History,
    bar: tqdm,
) -> str:
    """A step for each value, written into the history; why it stopped."""
    settings, losses, scores = history.settings, history.losses, history.scores
    optimizer = make_optimizer(model, settings)
    for value in values:
        number, moved = _update(model, value, optimizer, settings, len(losses))
        losses.append(number)
        if not moved:
            return "diverged"
        bar.update()
        bar.set_postfix(loss=f"{number:.3f}", refresh=False)
        if validate and (len(losses) % settings.validate_every == 0 or len(losses) == settings.steps):
            scores.append((len(losses), _score(model, validate)))
            if settings.target is not None and scores[-1][1] <= settings.target:
                return "target"
    return "steps"


def _values(model: nn.Module, batches: Sequence[Batch], loss: Loss, settings: Settings) -> Iterator[Tensor]:
    """The loss of every step, each computed in training mode after the step before it."""

    def steps() -> Iterator[Tensor]:
        for batch in endless(batches, settings):
            model.train()
            values = loss(model, batch)
            for value in [values] if isinstance(values, Tensor) else values:
                yield value
                model.train()  # a validation may have come between two values of one batch

    return itertools.islice(steps(), settings.steps)


def is_quiet() -> bool:
    """Whether a notebook is being built or tested: no progress bar, whose times would change every output."""
    return bool(os.environ.get("COURSE_BUILD"))


def endless(batches: Sequence[Batch], settings: Settings, generator: torch.Generator | None = None) -> Iterator[Batch]:
    """The batches of all steps: every epoch in a new order, drawn from torch's own random state or from another."""
    order = []
    for _ in range(settings.steps):
        order = order or torch.randperm(len(batches), generator=generator).tolist()
        yield batches[order.pop()]


def make_optimizer(model: nn.Module, settings: Settings) -> torch.optim.Optimizer:
    """AdamW over all parameters."""
    return torch.optim.AdamW(model.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)


def _update(
    model: nn.Module, value: Tensor, optimizer: torch.optim.Optimizer, settings: Settings, step: int
) -> tuple[float, bool]:
    """One step: the loss before it, and whether loss and gradient were finite; if not, the weights stay."""
    optimizer.zero_grad()
    value.backward()
    return value.item(), descend(model, value, optimizer, settings, step)


def descend(model: nn.Module, value: Tensor, optimizer: torch.optim.Optimizer, settings: Settings, step: int) -> bool:
    """Clip the gradient and move the weights, unless loss or gradient is not finite; whether they moved."""
    norm = nn.utils.clip_grad_norm_(model.parameters(), settings.clip_norm)
    finite = bool(value.isfinite() and norm.isfinite())
    if finite:
        for group in optimizer.param_groups:
            group["lr"] = settings.rate(step)
        optimizer.step()
    return finite


@torch.no_grad()
def _score(model: nn.Module, validate: Callable[[nn.Module], float]) -> float:
    model.eval()
    return float(validate(model))
