"""What every check of an answer keeps to: it tells a fault's owner, never raises, and leaves all as it found it."""

import functools
import sys

import pytest
import torch

from course_lib import RNNCell, RNNState
from course_lib.checks import Verdict, record
from tests.mistakes import RIGHT

BY_ID = pytest.mark.parametrize(("check", "right"), RIGHT.values(), ids=RIGHT)
STUB = "your function is still to be written"
OUR_FAULT = "the check itself failed, which is our fault and not yours"


@pytest.fixture(autouse=True)
def in_memory(monkeypatch):
    """No test writes into a developer's own progress."""
    monkeypatch.setenv("COURSE_BUILD", "1")


class Unprintable:
    def __repr__(self):
        raise AttributeError("half made")


WRONG_KINDS = {
    "None": None,
    "an int": 3,
    "a bool": True,
    "nan": float("nan"),
    "a word": "text",
    "an empty list": [],
    "a list of ints": [1, 2, 3],
    "a list of lists": [[1], [[2]], {}],
    "an empty dictionary": {},
    "letters without faults": {letter: ["raw input"] for letter in "ABCDE"},
    "letters with tensors": dict.fromkeys("ABCDE", torch.zeros(2)),
    "an object": object(),
    "an unprintable object": Unprintable(),
    "a module": RNNCell(4, 4),
    "a named tuple": RNNState(torch.zeros(2, 4)),
    "states of None": (RNNState(None),) * 3,
    "states of states": (RNNState(RNNState(torch.zeros(2, 4))),) * 3,
    "states too wide": (RNNState(torch.zeros(2, 5)),) * 3,
    "no numbers": torch.full((2, 4), float("nan")),
    "booleans": torch.ones(2, 4, dtype=torch.bool),
    "integers": torch.ones(2, 4, dtype=torch.int64),
    "complex numbers": torch.ones(2, 4, dtype=torch.complex64),
    "a scalar": torch.tensor(1.0),
    "three Nones": (None, None, None),
    "three tensors of NaN": (torch.full((12, 3), float("nan")), torch.zeros(12, 12), torch.zeros(12)),
    "three tensors of bool": tuple(torch.ones(shape, dtype=torch.bool) for shape in ((12, 3), (12, 12), (12,))),
}


@BY_ID
def test_the_right_answer_passes_whatever_the_seed_and_the_dtype(check, right):
    for seed in range(6):
        torch.set_default_dtype((torch.float32, torch.float64)[seed % 2])
        assert check(right, seed=seed).passed, check(right, seed=seed)


@BY_ID
def test_a_value_of_another_kind_is_the_learners_fault(check, right):
    for name, value in WRONG_KINDS.items():
        verdict = check(lambda *args, value=value: value)
        assert not verdict.passed, name
        assert OUR_FAULT not in verdict.message, (name, verdict)
    assert check(lambda *args: None).message.endswith("got None: is the return missing?")


@BY_ID
def test_what_is_no_function_is_told(check, right):
    for answer in (None, 3, "step", [], torch.zeros(2), Unprintable()):
        assert "expected your function, got " in check(answer).message


def crash_in_a_helper(*args):
    return helper_of_the_learner(args)


def helper_of_the_learner(args):
    return args[99]


def crash_in_torch(*args):
    return torch.zeros(2) @ torch.zeros(3)


def crash_in_the_package(*args):
    return RNNCell(2, 3).from_below(torch.zeros(1, 5))


@torch.no_grad()
def crash_under_a_decorator(*args):
    raise KeyError("h")


def crash_by_assertion(*args):
    raise AssertionError


class CrashingObject:
    def __call__(self, *args):
        raise NotImplementedError("no tanh for Half")


def leave(*args):
    sys.exit(3)


CRASHES = {
    "IndexError at the line `return args[99]`: tuple index out of range": crash_in_a_helper,
    "IndexError at the line `return args[99]`: tuple index": functools.partial(crash_in_a_helper, 1),
    "RuntimeError at the line `return torch.zeros(2) @ torch.zeros(3)`: ": crash_in_torch,
    "ValueError at the line `return RNNCell(2, 3).from_below(torch.zeros(1, 5))`: RNNCell(2, 3)": crash_in_the_package,
    "KeyError at the line `raise KeyError(\"h\")`: 'h'": crash_under_a_decorator,
    "AssertionError at the line `raise AssertionError`": crash_by_assertion,
    'NotImplementedError at the line `raise NotImplementedError("no tanh for Half")`: no tanh': CrashingObject(),
    "SystemExit at the line `sys.exit(3)`: 3": leave,
    "TypeError: ": lambda a, b, c, d, e, f: None,
}


@BY_ID
def test_a_crash_is_told_with_its_kind_and_the_learners_line(check, right, unchecked):
    for words, answer in CRASHES.items():
        verdict = check(answer)
        assert not verdict.passed, words
        assert f": your function stops with {words}" in verdict.message
        assert verdict.message == verdict.message.rstrip(": ")


@BY_ID
def test_the_untouched_stub_has_a_message_of_its_own(check, right):
    def stub(*args):
        raise NotImplementedError

    identity = next(each for each, (mine, _) in RIGHT.items() if mine is check)
    assert check(stub) == Verdict(False, f"{identity}: {STUB}")
    assert check(functools.partial(stub)) == check(stub)


@BY_ID
def test_ctrl_c_passes_through(check, right):
    def interrupt(*args):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check(interrupt)


@BY_ID
def test_any_callable_may_answer(check, right, capsys):
    class Object:
        def __call__(self, *args):
            return right(*args)

    @torch.no_grad()
    def decorated(*args):
        return right(*args)

    def noisy(*args):
        print("h is", args)
        return right(*args)

    for answer in (lambda *args: right(*args), functools.partial(right), Object(), Object().__call__, decorated, noisy):
        assert check(answer).passed, check(answer)
    assert "h is" in capsys.readouterr().out


@BY_ID
def test_nothing_outside_is_changed(check, right):
    def seeding(*args):
        torch.manual_seed(5)
        return right(*args)

    def switching(*args):
        torch.set_grad_enabled(False)
        return right(*args)

    def drawing(*args):
        torch.rand(3)
        raise ValueError

    before = torch.get_rng_state()
    assert [check(answer).passed for answer in (right, seeding, switching, drawing, None)] == [True] * 3 + [False] * 2
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.is_grad_enabled()
    with torch.no_grad():
        assert check(right).passed
        assert not torch.is_grad_enabled()


def spoil(value):
    """Write into everything that was handed in; whether there was anything to write into."""
    if isinstance(value, torch.Tensor):
        value.zero_()
        return True
    if isinstance(value, torch.nn.Module):
        value = list(value.parameters())
    return isinstance(value, list | tuple) and True in [spoil(each) for each in value]


@BY_ID
def test_writing_into_the_arguments_helps_nobody_and_harms_nobody(check, right):
    @torch.no_grad()
    def spoil_afterwards(*args):
        value = right(*args)
        value = value if isinstance(value, torch.Tensor | torch.nn.Module) else type(value)(value)
        spoil(args)
        return value

    spoilt = []

    @torch.no_grad()
    def spoil_first(*args):
        spoilt.append(spoil(args))
        return right(*args)

    assert check(spoil_afterwards).passed
    assert check(spoil_first).passed is not any(spoilt)


@BY_ID
def test_only_a_solved_exercise_is_recorded(check, right, monkeypatch):
    monkeypatch.setattr(record, "_memory", {section: {} for section in record.SECTIONS})
    identity = next(each for each, (mine, _) in RIGHT.items() if mine is check)
    check(None)
    assert record.get("exercises", identity) is None
    check(right)
    check(None)
    assert record.get("exercises", identity) == "solved"
