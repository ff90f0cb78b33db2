"""What the probes of words and tunes are asked: which samples, and which labels belong to them."""

import torch

from course_lib.cells import GRUCell
from course_lib.data import pronunciation, tunes
from course_lib.experiments import probes
from course_lib.models import Tagger
from course_lib.stack import Stack, residual

HEAD = "M:2/4\nL:1/16\nK:G\n"


def test_the_notes_of_a_bar_are_counted_and_the_last_is_remembered():
    text = HEAD + "ef|:g2dB e2|A4 z"
    told = [(text[time], probes.NOTES[note], count) for time, note, count in probes.heard(text)]
    assert told == [
        *[("|", "F", 2), (":", "F", 2), ("2", "G", 1), (" ", "B", 3)],
        *[("2", "E", 4), ("|", "E", 4), ("4", "A", 1), (" ", "A", 1), ("z", "A", 1)],
    ]


def test_more_than_eight_notes_count_as_eight():
    assert [count for *_, count in probes.heard(HEAD + "abcdefgabc2|")] == [8, 8]


def test_samples_hold_what_is_read_and_every_layer():
    for name, symbols in (("words", 27), ("tunes", len(tunes.SYMBOLS))):
        model = Tagger(Stack.uniform(GRUCell, 5, 5, 3, connection=residual), symbols, 4)
        samples = probes.TASKS[name].samples(model, "valid", 40)
        count = len(samples.features[0])
        assert [tuple(features.shape) for features in samples.features] == [(count, 5)] * 4
        assert count > 30
        assert all(labels.shape == (count,) for labels in samples.labels.values())
        now = samples.labels["letter" if name == "words" else "character"]
        assert torch.equal(samples.features[0], model.embedding(now))


def test_a_words_states_are_those_after_its_fourth_letter():
    model = Tagger(Stack.uniform(GRUCell, 5, 5, 2), 27, 4)
    samples = probes.word_samples(model, "valid", 10)
    words = [word for word in pronunciation.load("valid", 10) if len(word.spelling) >= 4]
    for i, word in enumerate(words):
        rows = model.stack.rows(model.embedding(pronunciation.encode(word.spelling))[:, None])
        for features, row in zip(samples.features[1:], rows, strict=True):
            assert torch.allclose(features[i], row[6, 0], rtol=0, atol=1e-14)
    firsts = [pronunciation.PHONES[phone] for phone in samples.labels["first phone"]]
    assert firsts == [word.pronunciations[0][0] for word in words]
