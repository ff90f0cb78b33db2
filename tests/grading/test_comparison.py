"""The one check: what counts as right, what is said about what is wrong, and when a mistake is named."""

import math
import time

import numpy
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from course_lib.grading import wire
from course_lib.grading.comparison import check, complaint
from course_lib.grading.problem import Case, Ended, Unusable, Wrong


class Recorded:
    """A student who answers with a function of the arguments, or raises."""

    def __init__(self, function):
        self.function = function

    def call(self, name, *arguments):
        return self.function(*arguments)


def told(function, *cases):
    with pytest.raises(Wrong) as wrong:
        check(Recorded(function), cases)
    return str(wrong.value)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (1, 1),
        (1.0, 1),
        (numpy.int32(1), 1),
        (torch.tensor(1), 1),
        (True, 1),
        (1, True),
        (2**60, 2**60),
        (0.5 * (1 + 9e-7), 0.5),
        (1e-20, 0.0),
        ("late", "late"),
        ([1, 2.5], torch.tensor([1, 2.5])),
        ((1, 2), [1, 2]),
        (torch.ones(2, 3, requires_grad=True), numpy.ones((2, 3))),
        ([torch.ones(3), torch.ones(3)], numpy.ones((2, 3))),
        (torch.ones(3, dtype=torch.float32) * (1 + 5e-5), torch.ones(3)),
        (numpy.ones(3, dtype=numpy.float16), torch.ones(3)),
        ([torch.ones(2), [3]], [[1, 1], torch.tensor([3])]),
        ([[2, "late"], [1, "healthy"]], [[2, "late"], [1, "healthy"]]),
        ([], []),
        ({"b": [1], "a": 2.0}, {"a": 2, "b": numpy.array([1])}),
        (torch.tensor([True, False]), [1, 0]),
    ],
)
def test_what_is_right(answer, expected):
    assert complaint(answer, expected) == ""


@pytest.mark.parametrize(
    ("answer", "expected", "said"),
    [
        (2, 1, "gives 2, which is not right"),
        (2**60 + 1, 2**60, "which is not right"),
        (0.5 * (1 + 2e-6), 0.5, "which is not right"),
        (1.5, 1, "gives 1.5, which is not right"),
        ("1", 1, "must give back a number, got '1'"),
        (1, "late", "must give back text, got 1"),
        ("late", "healthy", "gives 'late', which is not right"),
        (math.nan, 1.0, "gives back numbers that are NaN or infinite"),
        ([1.0, math.inf], [1.0, 2.0], "gives back numbers that are NaN or infinite"),
        (1j, 1.0, "must give back real numbers, got complex ones"),
        (torch.ones(3), torch.ones(2, 3), "must give back numbers of shape (2, 3), got shape (3,)"),
        (torch.ones(1), 1.0, "must give back a number, got shape (1,)"),
        (1.0, torch.ones(2), "must give back numbers of shape (2,), got the single number 1"),
        (
            [[1, 2], [3]],
            torch.ones(2, 2),
            "must give back numbers of shape (2, 2), got [an array of shape (2,), an array",
        ),
        ([], torch.ones(2), "must give back numbers of shape (2,), got shape (0,)"),
        ([0.5, 0.2], [True, False], "must give back True and False, got numbers"),
        (torch.tensor([[1.0, 2.0], [3.0, 9.0]]), [[1, 2], [3, 4]], "gives wrong numbers: 1 of 4, the worst at [1, 1]"),
        (torch.ones(3, dtype=torch.float32) * 1.001, torch.ones(3), "gives wrong numbers: 3 of 3"),
        (5, [1, "a"], "must give back a list, got 5"),
        ([1], [1, "a"], "must give back 2 entries, got 1"),
        ([[2, "late"], [1, "x"]], [[2, "late"], [1, "y"]], "at entry 1, entry 1 gives 'x', which is not right"),
        ([1], {"a": 1}, "must give back a dictionary with the keys 'a', got an array of shape (1,)"),
        ({"b": 1}, {"a": 1}, "must give back a dictionary with the keys 'a', got one with the keys 'b'"),
        ({"a": 2}, {"a": 1}, "under 'a' gives 2, which is not right"),
        ({}, {"a": 1}, "got one with the keys (none)"),
    ],
)
def test_what_is_wrong_and_how(answer, expected, said):
    assert said in complaint(answer, expected)


def test_small_entries_are_measured_by_the_largest():
    assert complaint([1e6, 1e-3], [1e6, 0.0]) == ""
    assert complaint([1e-6, 2e-6], [1e-6, 1e-6])


def test_a_right_answer_says_in_how_many_cases():
    cases = [Case("f", (n,), 2 * n) for n in (1, 2, 3)]
    assert check(Recorded(lambda n: 2 * n), cases) == "right in 3 cases"
    assert check(Recorded(lambda n: 2 * n), iter(cases[:1])) == "right"


@pytest.mark.parametrize("nothing", [None, ..., NotImplemented])
def test_a_stub_has_nothing_yet(nothing):
    said = told(lambda n: nothing, Case("f", (1,), 1))
    assert said == "nothing here yet: `f` gives back nothing; if it is written, is its return missing?"


def test_an_answer_that_cannot_be_used_says_why():
    def stops(n):
        raise Unusable("`f` stops with ZeroDivisionError")

    assert told(stops, Case("f", (1,), 1)) == "`f` stops with ZeroDivisionError"


def test_a_student_who_is_gone_is_for_the_judge():
    def gone(n):
        raise Ended("wall time")

    with pytest.raises(Ended, match="wall time"):
        check(Recorded(gone), [Case("f", (1,), 1)])


def test_short_arguments_are_shown_and_arrays_are_not():
    assert told(lambda *given: 7, Case("f", (3, 0.25), 1)) == "`f`(3, 0.25) gives 7, which is not right"
    assert told(lambda *given: 7, Case("f", (numpy.ones(2),), 1)) == "`f` gives 7, which is not right"


def square_cases():
    """x², with twice x as a mistake, which does not show at 2."""
    hints = {"this doubles": lambda n: 2 * n, "this is the cube": lambda n: n**3}
    return [Case("f", (n,), n * n, {hint: wrong(n) for hint, wrong in hints.items()}) for n in (2, 3, 5)]


def test_a_mistake_is_named_if_it_explains_every_answer():
    assert told(lambda n: 2 * n, *square_cases()) == "this doubles"
    assert told(lambda n: n**3, *square_cases()) == "this is the cube"


def test_a_mistake_that_explains_only_some_answers_is_not_named():
    assert told(lambda n: 2 * n if n < 5 else 7, *square_cases()) == "`f`(3) gives 6, which is not right"
    assert told(lambda n: 2 * n if n == 3 else n * n, *square_cases()) == "`f`(3) gives 6, which is not right"


def test_a_mistake_that_gives_the_right_answer_is_none():
    case = Case("f", (1,), 1, {"never": 1})
    assert told(lambda n: 2, case) == "`f`(1) gives 2, which is not right"
    assert check(Recorded(lambda n: 1), [case]) == "right"


def test_a_mistake_may_have_another_shape_or_kind():
    case = Case("f", (1,), numpy.ones((2, 3)), {"turned": numpy.ones((3, 2)), "words": "no"})
    assert told(lambda n: torch.ones(3, 2), case) == "turned"
    assert told(lambda n: "no", case) == "words"


def test_cases_that_do_not_know_a_mistake_do_not_speak_against_it():
    cases = [Case("f", (1,), 1, {}), Case("f", (3,), 9, {"this doubles": 6})]
    assert told(lambda n: 2 * n, *cases) == "this doubles"


def test_hostile_values_are_told_shortly():
    assert len(told(lambda n: "x" * 10_000, Case("f", (1,), 1))) < 200
    assert len(told(lambda n: {"k" * 999 + str(i): 1 for i in range(99)}, Case("f", (1,), {"a": 1}))) < 1200
    assert told(lambda n: 10**400, Case("f", (1,), 1)).startswith("`f`(1) must give back a number, got ")


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=3)
    | arrays.arrays(
        st.sampled_from(list(wire.DTYPES.values())), arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
    ),
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=6,
)
EXPECTED = (1, 0.5, True, "a", [1, 2], [True, False], [[1], [2, 3]], numpy.eye(2), {"a": 1.0, "b": [1]}, math.inf)


@given(ANYTHING, st.sampled_from(EXPECTED))
def test_whatever_the_wire_carries_is_judged(answer, expected):
    """An answer on which the judge itself stops would be an error of ours, and hold up a whole class's export."""
    assert isinstance(complaint(answer, expected), str)


HUGE = {
    "numbers and text": [0] * 40_000 + [""],
    "rows of no length": [[]] * 40_000,
    "tables of no size": [numpy.zeros((2**20, 0))] * 1000,
    "one table of no size": numpy.zeros((2**22, 0)),
    "names": {str(number): number for number in range(20_000)},
    "rows": [[0, 1], *([[0]] * 20_000)],
}


@pytest.mark.parametrize("name", HUGE)
def test_a_huge_answer_costs_the_judge_little(name):
    """A student's few lines must not buy minutes of the judge's time."""
    start = time.process_time()
    for expected in (1, numpy.eye(2), [[1], [2, 3]], "a", {"a": 1}):
        text = complaint(HUGE[name], expected)
        assert 0 < len(text) < 300
    assert time.process_time() - start < 3
