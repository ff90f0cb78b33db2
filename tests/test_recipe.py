"""The recipe's statements against the stored runs, and the card that prints them."""

import statistics

from course_lib.experiments import store
from course_lib.experiments.card import card
from course_lib.experiments.depth_rows import first_clear, runs

CELLS = ("vanilla", "gru", "lstm")
ENTROPY = 0.0916  # nats a phoneme of the phrase source, ln 3 / 12


def test_depth_gains_next_to_nothing_on_phrases():
    for cell in CELLS:
        found = runs("depth_phrases", "loss", cell, "residual")
        assert {len(values) for values in found.values()} == {5}
        medians = {layers: statistics.median(values) for layers, values in found.items()}
        assert medians[1] - min(medians.values()) < 0.002
        assert ENTROPY < medians[1] < ENTROPY + 0.006


def test_a_residual_helps_clearly_from_three_layers_on():
    found = {cell: first_clear("depth_phrases", "loss", cell) for cell in CELLS}
    assert found["lstm"] == 3
    assert min(found.values()) >= 3
    assert {first_clear("depth_tunes", "loss", cell) for cell in CELLS} == {2}
    assert {cell: first_clear("depth_words", "phones", cell) for cell in CELLS} == {"vanilla": 2, "gru": 3, "lstm": 2}


def test_eight_plain_layers_are_worse_than_one_on_every_task():
    for name, metric in (("depth_phrases", "loss"), ("depth_words", "phones"), ("depth_tunes", "loss")):
        for cell in CELLS:
            found = runs(name, metric, cell, "plain")
            assert len(found[8]) == len(found[1]) == 5
            assert min(found[8]) > max(found[1])


def test_depth_pays_on_words_with_a_residual():
    found = {cell: runs("depth_words", "phones", cell, "residual") for cell in CELLS}
    for own in found.values():
        assert {len(values) for values in own.values()} == {5}
        assert max(own[3]) < min(own[1])
    lowest = min(statistics.median(values) for own in found.values() for values in own.values())
    assert lowest == statistics.median(found["vanilla"][8])


def test_a_wide_top_is_no_worse_than_equal_widths_and_a_narrow_one_is():
    profiles = ("equal", "mild taper", "pyramid", "inverted", "bottleneck")
    found = {
        cell: {each: store.spread("widths", "loss", cell=cell, profile=each, steps=500) for each in profiles}
        for cell in CELLS
    }
    for own in found.values():
        assert {len(each.values) for each in own.values()} == {5}
        assert own["pyramid"].low > own["equal"].high
        assert own["mild taper"].median > own["equal"].median
        assert own["inverted"].median == min(each.median for each in own.values())
    apart = [cell for cell, own in found.items() if own["inverted"].high < own["equal"].low]
    assert apart == ["lstm"]


def test_only_masks_on_what_is_carried_destroy_recall():
    found = {
        place: store.spread("recall_dropout", "accuracy", cell="lstm", place=place, steps=150)
        for place in ("none", "between", "fresh_h", "locked", "candidate", "weight_drop", "fresh_c")
    }
    assert found.pop("fresh_c").high < 0.5
    assert {place for place, each in found.items() if each.median < 0.95} == set()


def test_the_card_is_read_from_the_store():
    lines = card()
    assert len(lines) == 5
    assert (
        f"{store.spread('recall_dropout', 'accuracy', cell='lstm', place='fresh_c', steps=150):.2f}"
        in lines[4].evidence
    )
    assert lines[2].default == "connection=plain, so ask for it"
    assert lines[4].default == "dropout=0.0"
    assert all(all(line) for line in lines)
