"""What the made-up tasks refuse, in which words."""

import pytest
import torch

from course_lib.data import synthetic

SOURCE = synthetic.phrase_source()
CASES = {
    "sawtooth: folds must be at most 16": lambda: synthetic.sawtooth(17),
    "parity: seed must be an int, got 1.5": lambda: synthetic.parity().sample(3, 2, seed=1.5),
    "echo: seed must be an int, got None": lambda: synthetic.echo().sample(9, 2, seed=None),
    "phrase_source: words must be at most 56": lambda: synthetic.phrase_source(words=57),
    "losses needs at least 2 steps": lambda: SOURCE.losses(torch.zeros(1, 2, dtype=torch.int64)),
    "x holds a text that this source cannot speak": lambda: SOURCE.losses(torch.full((4, 2), 99)),
    r"scores must be \(time, batch, answers\) for y \(2, 3\), got \(2, 1, 4\)": lambda: synthetic.accuracy(
        torch.zeros(2, 1, 4), torch.zeros(2, 3, dtype=torch.int64)
    ),
}


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("words", CASES)
def test_what_would_be_a_wrong_number_or_a_crash_is_one_sentence(words):
    with pytest.raises((ValueError, TypeError), match=words):
        CASES[words]()


def test_the_finest_sawtooth_is_even_in_float32():
    torch.set_default_dtype(torch.float32)
    labels = synthetic.sawtooth(16).sample(1000, 100, seed=0).y
    assert abs(labels.double().mean().item() - 0.5) < 0.01
