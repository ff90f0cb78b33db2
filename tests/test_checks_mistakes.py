"""What learners get wrong: every mistake is rejected in words of its own, which no other mistake gets."""

import itertools
import re

import pytest

from course_lib.checks import stacking
from course_lib.checks.exercise import EXERCISES
from tests.mistakes import MISTAKES, RIGHT
from tests.mistakes.counting import count
from tests.mistakes.stacking import TRUTH, sources

pytestmark = pytest.mark.usefixtures("unchecked")  # as a learner runs it: no shape hook speaks first


@pytest.fixture(autouse=True)
def in_memory(monkeypatch):
    """No test writes into a developer's own progress."""
    monkeypatch.setenv("COURSE_BUILD", "1")


def test_every_exercise_has_at_least_three_mistakes():
    assert {identity: len(wrong) for identity, wrong in MISTAKES.items() if len(wrong) < 3} == {}
    assert MISTAKES.keys() == RIGHT.keys() == EXERCISES.keys()


EACH = [(identity, words, answer) for identity, mistakes in MISTAKES.items() for words, answer in mistakes.items()]


@pytest.mark.parametrize(("identity", "words", "answer"), EACH, ids=[f"{each[0]} {each[1]}" for each in EACH])
def test_a_mistake_is_named_in_words_that_no_other_gets(identity, words, answer):
    for seed in (0, 7):
        verdict = RIGHT[identity][0](answer, seed=seed)
        assert not verdict.passed
        assert verdict.message.startswith(f"{identity}: ")
        told = re.sub("at the line `.*`", "", verdict.message)  # a line of this file, which holds the words
        assert [each for each in MISTAKES[identity] if each in told] == [words]


def test_a_wrong_diagnosis_gets_the_clue_of_the_fault_that_was_claimed():
    for (letter, fault), claimed in itertools.product(TRUTH.items(), stacking.CLUES):
        verdict = stacking.diagnosis(lambda letter=letter, claimed=claimed: TRUTH | {letter: claimed})
        assert verdict.passed is (fault == claimed)
        if not verdict.passed:
            assert verdict.message.endswith(
                f"4 of 5 are right. Look again at {letter}: for {claimed!r}, {stacking.CLUES[claimed]}; "
                f"{letter} is healthy in that"
            )


def test_numbers_of_any_kind_are_counts():
    import numpy

    assert RIGHT["02.4"][0](lambda *args: numpy.int64(count(*args))).passed
    assert RIGHT["02.4"][0](lambda *args: float(count(*args))).passed
    assert "give back a number, got bool True" in RIGHT["02.4"][0](lambda *args: True).message


def test_pairs_in_any_collection_are_sources():
    for kind in (list, tuple, frozenset, lambda nodes: [list(node) for node in nodes]):
        assert RIGHT["02.2"][0](lambda l, t, kind=kind: kind(sources(l, t))).passed
