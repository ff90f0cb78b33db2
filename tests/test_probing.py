"""Probes: the closed form against its definition, planted labels, chance, and what is refused."""

import pytest
import torch

from course_lib import probing


def planted(samples, seed=0):
    """Features of width 6; the label is the largest of three of them, which a linear read-out can say."""
    features = torch.randn(samples, 6, generator=torch.Generator().manual_seed(seed))
    return features, features[:, [1, 3, 5]].argmax(-1)


def test_the_probe_minimises_its_penalised_squared_error():
    """No small change of weight or bias lowers the error that the docstring states."""
    features, labels = planted(200)
    probe, answers = probing.fit(features, labels, penalty=0.1), torch.nn.functional.one_hot(labels).double()
    scale = features.var(0, correction=0).mean()

    def error(weight, bias):
        off = (features - features.mean(0)) @ weight + bias - answers
        return off.square().sum() / len(features) + 0.1 * scale * weight.square().sum()

    weight, bias = (each.clone().requires_grad_() for each in (probe.weight, probe.bias))
    for gradient in torch.autograd.grad(error(weight, bias), (weight, bias)):
        assert gradient.abs().max() < 1e-12


def test_a_linear_label_is_read_and_an_unrelated_one_is_not():
    (features, labels), (others, wanted) = planted(2000), planted(2000, seed=1)
    assert probing.accuracy(probing.fit(features, labels), others, wanted) > 0.9
    noise = labels[torch.randperm(2000, generator=torch.Generator().manual_seed(2))]
    found = probing.accuracy(probing.fit(features, noise), others, wanted)
    assert abs(found - 1 / 3) < 0.06


def test_neither_scale_nor_place_of_the_features_matters():
    features, labels = planted(300)
    plain, moved = probing.fit(features, labels), probing.fit(1e-4 * features + 7, labels)
    assert torch.equal(plain.read(features), moved.read(1e-4 * features + 7))


def test_a_feature_that_never_changes_does_no_harm():
    features, labels = planted(300)
    dead = torch.cat([features, torch.ones(300, 2)], 1)
    assert torch.equal(probing.fit(dead, labels).read(dead), probing.fit(features, labels).read(features))
    nothing = probing.fit(torch.zeros(300, 3), labels)
    assert (nothing.read(torch.zeros(5, 3)) == labels.mode().values).all()


def test_chance_is_the_commonest_label_of_the_first():
    assert probing.chance(torch.tensor([2, 2, 0]), torch.tensor([0, 2, 2, 1])) == 0.5
    assert probing.chance(torch.tensor([1, 1]), torch.tensor([0, 2])) == 0


def test_no_gradient_passes():
    features, labels = planted(50)
    assert not probing.fit(features.requires_grad_(), labels).weight.requires_grad


@pytest.mark.parametrize(
    ("features", "labels", "penalty", "words"),
    [
        (torch.zeros(3, 2, 2), torch.zeros(3, dtype=int), 1, r"\(samples, width\).* got shape \(3, 2, 2\)"),
        (torch.zeros(1, 2), torch.zeros(1, dtype=int), 1, "at least 2 samples"),
        (torch.zeros(3, 2), torch.zeros(2, dtype=int), 1, r"one for each of the 3 samples, got shape \(2,\)"),
        (torch.zeros(3, 2), torch.zeros(3), 1, "whole numbers from 0 on, got torch.float32"),
        (torch.zeros(3, 2), torch.tensor([0, -1, 2]), 1, "down to -1"),
        (torch.zeros(3, 2), torch.tensor([0, 1, 2]), -1.0, "penalty must be at least 0, got -1"),
    ],
)
def test_what_is_no_sample_with_a_label_is_refused(features, labels, penalty, words, unchecked):
    with pytest.raises(ValueError, match=words):
        probing.fit(features, labels, float(penalty))
