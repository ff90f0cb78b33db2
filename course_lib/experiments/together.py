"""Many small models trained as one: equal networks side by side, every product of matrices a batch of products.

A small network leaves a processor idle between its small operations. Fifteen of them in one operation cost little more
than one where the layers are narrow and torch has no fused call, or a slow one.
"""

import copy
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from tqdm import tqdm

from course_lib.data.batch import Batch
from course_lib.training import History, Settings, descend, endless, is_quiet, make_optimizer


def fit_together(
    models: Sequence[nn.Module],
    batches: Sequence[Sequence[Batch]],
    loss: Callable[[nn.Module, Batch], Tensor],
    settings: Sequence[Settings],
) -> list[History]:
    """Train model i on batches[i] with settings[i], all in one loop; each as ``fit`` would alone, to rounding.

    The models have one shape and no dropout, their batches one size and full lengths, their settings one number of
    steps. A model that diverges keeps the weights before it, and the others go on. Ctrl-C ends all: KeyboardInterrupt.
    Errors: ValueError for models, batches or settings that do not fit together.
    """
    _check(models, batches, settings)
    optimizers = [make_optimizer(model, each) for model, each in zip(models, settings)]
    orders = [endless(own, each, torch.Generator().manual_seed(each.seed)) for own, each in zip(batches, settings)]
    histories = [History(each) for each in settings]
    stopped: dict[int, str] = {}
    for step in tqdm(range(settings[0].steps), disable=is_quiet(), unit="step", leave=False):
        drawn = [next(order) for order in orders]
        values = losses_together(models, drawn, loss)
        for optimizer in optimizers:
            optimizer.zero_grad()
        torch.stack(values).sum().backward()
        for i, value in enumerate(values):
            if i in stopped:
                continue
            histories[i].losses.append(value.item())
            if not descend(models[i], value, optimizers[i], settings[i], step):
                stopped[i] = "diverged"
        if len(stopped) == len(models):
            break
    for model in models:
        model.eval()
    return [History(each.settings, each.losses, [], 0.0, stopped.get(i, "steps")) for i, each in enumerate(histories)]


def losses_together(
    models: Sequence[nn.Module], batches: Sequence[Batch], loss: Callable[[nn.Module, Batch], Tensor]
) -> list[Tensor]:
    """loss(models[i], batches[i]) for every i, with the scores of all models from one pass."""
    scores = scores_together(models, torch.stack([batch.x for batch in batches]))
    return [loss(Known(own), batch) for own, batch in zip(scores, batches)]


class Known(nn.Module):
    """A model whose scores are known already."""

    def __init__(self, scores: Tensor):
        super().__init__()
        self.scores = scores

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        return self.scores


def scores_together(models: Sequence[nn.Module], x: Tensor) -> Tensor:
    """models[i](x[i]) for every i, stacked."""
    names = [name for name, _ in models[0].named_parameters()]
    weights = {name: torch.stack([model.get_parameter(name) for model in models]) for name in names}
    shape = copy.deepcopy(models[0]).to("meta")  # only its form is used
    return vmap(lambda own, own_x: functional_call(shape, own, (own_x,)))(weights, x)


def _check(models: Sequence[nn.Module], batches: Sequence[Sequence[Batch]], settings: Sequence[Settings]) -> None:
    if not len(models) == len(batches) == len(settings) or not models:
        raise ValueError(
            f"every model needs batches and settings of its own: {len(models)} models, {len(batches)} lists of "
            f"batches, {len(settings)} settings"
        )
    shapes = [{name: tuple(each.shape) for name, each in model.named_parameters()} for model in models]
    if odd := [i for i, each in enumerate(shapes) if each != shapes[0]]:
        raise ValueError(f"models trained together have one shape, but model {odd[0]} differs from model 0")
    if len({each.steps for each in settings}) > 1:
        raise ValueError(f"settings must have one number of steps, got {sorted({each.steps for each in settings})}")
    if any(each.target is not None for each in settings):
        raise ValueError("settings: models trained together have no target; fit one by one to stop early")
    if any(isinstance(part, nn.Dropout) and part.p > 0 for model in models for part in model.modules()):
        raise ValueError("models trained together have no dropout, whose masks each draws for itself")
    sizes = {tuple(batch.x.shape) for own in batches for batch in own}
    if len(sizes) > 1 or any((batch.lengths < len(batch.x)).any() for own in batches for batch in own):
        raise ValueError(f"batches must have one shape and full lengths, got shapes {sorted(sizes)}")
