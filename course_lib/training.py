"""One loop on one screen: train a model on batches, stop well, keep the history."""

import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from tqdm import tqdm

from course_lib.data.batch import Batch


@dataclass(frozen=True)
class Settings:
    """How to train. AdamW; the learning rate climbs for ``warmup`` of the steps, then falls as a cosine to about 0."""

    steps: int = 300
    learning_rate: float = 4e-3
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    warmup: float = 0.1
    seed: int = 0
    validate_every: int = 50
    target: float | None = None

    def __post_init__(self):
        if self.steps < 1 or self.validate_every < 1:
            raise ValueError(f"steps and validate_every must be at least 1, got {self.steps}, {self.validate_every}")
        if not (self.learning_rate > 0 and self.clip_norm > 0 and 0 < self.warmup < 1):
            raise ValueError(f"learning_rate and clip_norm must be above 0 and warmup between 0 and 1, got {self}")


@dataclass(frozen=True)
class History:
    """What happened: a loss a step, (step, score) at each validation, and why it stopped.

    ``stopped`` is "steps", "target", "interrupted" (Ctrl-C) or "diverged" (a loss or gradient that is not finite).
    """

    settings: Settings
    losses: list[float] = field(default_factory=list)
    scores: list[tuple[int, float]] = field(default_factory=list)
    seconds: float = 0.0
    stopped: str = "steps"


def fit(
    model: nn.Module,
    batches: Sequence[Batch],
    loss: Callable[[nn.Module, Batch], Tensor],
    settings: Settings = Settings(),
    validate: Callable[[nn.Module], float] | None = None,
) -> History:
    """Train in place and return the history; the model is left in eval mode.

    Each epoch takes the batches in a new order, drawn from ``settings.seed``, as are all dropout masks; the caller's
    random state is untouched. ``validate(model)`` runs in eval mode without gradients every ``validate_every`` steps
    and at the end; training stops once it is at or below ``settings.target``. Ctrl-C stops after a whole step's
    record. Errors: ValueError if there are no batches.
    """
    if not len(batches):
        raise ValueError("batches is empty; there is nothing to train on")
    optimizer = torch.optim.AdamW(model.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, settings.learning_rate, settings.steps, pct_start=settings.warmup, cycle_momentum=False
    )
    losses, scores, stopped, start = [], [], "steps", time.perf_counter()
    with torch.random.fork_rng(), tqdm(total=settings.steps, disable=is_quiet(), unit="step") as bar:
        torch.manual_seed(settings.seed)
        try:
            for batch in _endless(batches, settings):
                model.train()
                value = loss(model, batch)
                optimizer.zero_grad()
                value.backward()
                norm = nn.utils.clip_grad_norm_(model.parameters(), settings.clip_norm)
                losses.append(value.item())
                if not (math.isfinite(losses[-1]) and norm.isfinite()):
                    stopped = "diverged"
                    break
                optimizer.step()
                schedule.step()
                bar.update()
                bar.set_postfix(loss=f"{losses[-1]:.3f}", refresh=False)
                step = len(losses)
                if validate and (step % settings.validate_every == 0 or step == settings.steps):
                    scores.append((step, _score(model, validate)))
                    if settings.target is not None and scores[-1][1] <= settings.target:
                        stopped = "target"
                        break
        except KeyboardInterrupt:
            stopped = "interrupted"
    model.eval()
    return History(settings, losses, scores, time.perf_counter() - start, stopped)


def is_quiet() -> bool:
    """Whether a notebook is being built or tested: no progress bar, whose times would change every output."""
    return bool(os.environ.get("COURSE_BUILD"))


def _endless(batches: Sequence[Batch], settings: Settings):
    order = []
    for _ in range(settings.steps):
        order = order or torch.randperm(len(batches)).tolist()
        yield batches[order.pop()]


@torch.no_grad()
def _score(model: nn.Module, validate: Callable[[nn.Module], float]) -> float:
    model.eval()
    return float(validate(model))
