"""The machinery of exercises: verdicts, hints, equality to rounding, and faults that are the checker's own."""

import dataclasses

import pytest
import torch

from course_lib.checks import exercise, hint, stacking
from course_lib.checks.exercise import EXERCISES, Verdict, same
from tests.mistakes import RIGHT
from tests.mistakes.first_steps import vanilla_step

OUR_FAULT = "the check itself failed, which is our fault and not yours"


@pytest.fixture(autouse=True)
def in_memory(monkeypatch):
    """No test writes into a developer's own progress."""
    monkeypatch.setenv("COURSE_BUILD", "1")


def test_a_fault_of_the_checker_is_told_from_the_learners(monkeypatch):
    def fault(*args):
        raise ZeroDivisionError("in our arithmetic")

    monkeypatch.setattr(stacking, "_judge_step", fault)
    verdict = stacking.step(RIGHT["02.1"][1])
    assert not verdict.passed
    assert verdict.message == f"02.1: {OUR_FAULT} (ZeroDivisionError: in our arithmetic); please report it"


def test_the_seed_draws_the_cases():
    def cases(seed):
        given = []
        RIGHT["00.1"][0](lambda *args: given.append(args) or vanilla_step(*args), seed=seed)
        return [value for args in given for value in args]

    assert all(torch.equal(a, b) for a, b in zip(cases(0), cases(0), strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(cases(0), cases(1), strict=True))


def test_an_argument_that_cannot_be_copied_is_the_checkers_fault(monkeypatch):
    monkeypatch.setattr(exercise, "EXERCISES", {})

    @exercise.exercise("99.1", hints=())
    def check(answer, seed):
        return exercise.ask(answer, torch.ones(2, requires_grad=True) * 2)

    assert OUR_FAULT in check(lambda x: x).message
    assert list(exercise.EXERCISES) == ["99.1"]


def test_every_exercise_has_a_right_answer_here_and_three_hints():
    assert set(RIGHT) == set(EXERCISES)
    for identity, (check, _) in RIGHT.items():
        assert EXERCISES[identity].check is check
        assert len(EXERCISES[identity].hints) == len(set(EXERCISES[identity].hints)) == 3


def test_a_verdict_is_frozen_and_displays_itself():
    good, bad = Verdict(True, "02.1: right"), Verdict(False, "02.1: wrong")
    assert (repr(good), repr(bad)) == ("[solved] 02.1: right", "[not yet] 02.1: wrong")
    assert good
    assert not bad
    with pytest.raises(dataclasses.FrozenInstanceError):
        good.passed = False


def test_same_is_equality_to_rounding():
    one = torch.ones(3)
    assert same(one * (1 + 9e-6), one)
    assert not same(one * (1 + 2e-5), one)
    assert same(one.float().requires_grad_(), one)
    for other in (one * float("nan"), torch.ones(1, 3), one.to(torch.complex64), None, [1.0, 1.0, 1.0]):
        assert not same(other, one)


def test_hints_come_one_by_one_and_end_at_the_solution(monkeypatch, capsys):
    monkeypatch.setattr(exercise, "_hints_given", {})
    for _ in range(5):
        hint("02.1")
    hint("00.1")
    hint("9.9")
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines[:3]] == [f"Hint {n} of 3" for n in (1, 2, 3)]
    assert lines[0].endswith(EXERCISES["02.1"].hints[0])
    assert set(lines[3:5]) == {"No more hints for 02.1. The solution stands in notebooks/solutions/."}
    assert lines[5].startswith("Hint 1 of 3: ")
    assert lines[6] == "There is no exercise '9.9'; the ids stand in the titles, such as 00.1."
