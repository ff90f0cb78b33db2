"""What does a layer know? A linear read-out of its states, fitted in closed form and judged on other samples."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Integer
from torch import Tensor


class Probe(NamedTuple):
    """A linear read-out: the label with the largest score in (features - mean) weight + bias."""

    mean: Float[Tensor, " width"]
    weight: Float[Tensor, "width labels"]
    bias: Float[Tensor, " labels"]

    def read(self, features: Float[Tensor, "samples width"]) -> Integer[Tensor, " samples"]:
        """The label of each sample."""
        return ((features - self.mean) @ self.weight + self.bias).argmax(-1)


def fit(features: Float[Tensor, "samples width"], labels: Integer[Tensor, " samples"], penalty: float = 1e-3) -> Probe:
    """The linear map that comes nearest, in squared error, to 1 at each sample's label and 0 at the others.

    Equation: weight = (X'X / n + penalty * v I)^-1 X'Y / n, X the n features and Y the n rows of 0 and 1, both without
    their means, v the mean variance of the features. The features are taken as fixed: no gradient passes.
    Errors: ValueError for other than one label a sample, fewer than two samples, a negative label or penalty.
    Source: Alain and Bengio 2017, section 3, for probes; ridge regression for the fit.
    """
    _check(features, labels, penalty)
    features = features.detach()
    answers = torch.nn.functional.one_hot(labels.long()).to(features)
    mean, bias = features.mean(0), answers.mean(0)
    centred = features - mean
    covariance = centred.T @ centred / len(features)
    ridge = penalty * covariance.diagonal().mean() + torch.finfo(features.dtype).tiny
    eye = torch.eye(len(covariance)).to(covariance)
    weight = torch.linalg.lstsq(covariance + ridge * eye, centred.T @ (answers - bias) / len(features)).solution
    return Probe(mean, weight, bias)


def accuracy(probe: Probe, features: Float[Tensor, "samples width"], labels: Integer[Tensor, " samples"]) -> float:
    """The share of samples that the probe labels right; take samples on which it was not fitted."""
    return (probe.read(features) == labels).double().mean().item()


def chance(labels: Integer[Tensor, " samples"], others: Integer[Tensor, " others"]) -> float:
    """The share of the others that have the commonest label of the first: what reading no feature gives."""
    return (others == labels.mode().values).double().mean().item()


def _check(features: Tensor, labels: Tensor, penalty: float) -> None:
    if features.dim() != 2 or len(features) < 2:
        raise ValueError(
            f"features must be (samples, width) with at least 2 samples, got shape {tuple(features.shape)}"
        )
    if labels.shape != features.shape[:1]:
        raise ValueError(f"labels must be one for each of the {len(features)} samples, got shape {tuple(labels.shape)}")
    if labels.is_floating_point() or int(labels.min()) < 0:
        raise ValueError(f"labels must be whole numbers from 0 on, got {labels.dtype} down to {labels.min().item()}")
    if not penalty >= 0:
        raise ValueError(f"penalty must be at least 0, got {penalty}")
