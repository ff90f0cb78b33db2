"""What is set beside published numbers: the cards, and what the stored runs say about depth on real data."""

import pytest

from course_lib.experiments import published, store


@pytest.mark.parametrize("name", published.CARDS)
def test_a_card_says_who_claims_what_is_ours_and_what_differs(name):
    card = published.CARDS[name]
    text = str(card)
    assert max(map(len, text.splitlines())) <= 96
    for part in (card.title, *card.claimed, card.source, *card.ours(), card.scale, card.differs):
        assert " ".join(part.split()) in " ".join(text.split())
    assert [label for label in ("claimed", "by", "ours", "at", "differs") if f"\n  {label} " not in text] == []


def test_percent_is_the_stored_share():
    row = {"direction": "both", "layers": 1, "steps": 842}
    shares = store.values("published_words", "words", **row)
    assert published.percent("published_words", "words", **row).values == tuple(100 * share for share in shares)


def test_depth_and_direction_on_published_words():
    """Three layers beat one, both ways beat one way, with every seed; the validation words say the same as the test."""
    row = {"steps": 842}
    found = {
        (direction, layers): store.values("published_words", "words", direction=direction, layers=layers, **row)
        for direction in ("one", "both")
        for layers in (1, 3)
    }
    for better, worse in ((("one", 3), ("one", 1)), (("both", 3), ("both", 1)), (("both", 1), ("one", 3))):
        assert all(low < high for low, high in zip(found[better], found[worse])), (better, worse)
    for (direction, layers), test in found.items():
        valid = store.values("published_words", "valid_words", direction=direction, layers=layers, **row)
        assert all(abs(a - b) < 0.04 for a, b in zip(test, valid))


def test_eight_plain_layers_fail_where_eight_residual_ones_learn():
    row = {"task": "echo", "cell": "lstm", "layers": 8, "forget_bias": "default"}
    assert set(store.values("trainability", "failed", connection="plain", **row)) == {1}
    assert set(store.values("trainability", "failed", connection="residual", **row)) == {0}


def test_training_moves_the_letter_down_and_the_phone_up():
    """Off a trained stack the top tells the phone and not the letter; off an untrained one the letter stands."""
    for seed, letter in enumerate(store.values("probes", "letter", task="words", steps=600)):
        untrained = store.values("probes", "letter", task="words", steps=0)[seed]
        phone = store.values("probes", "first phone", task="words", steps=600)[seed]
        assert letter[1] > 0.9 > 0.5 > letter[3]
        assert min(untrained) > 0.95
        assert phone[3] > 0.8 > 0.4 > phone[1]
