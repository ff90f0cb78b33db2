"""The check in the notebook: it prints a verdict, never raises, and gives the student nothing that could be changed."""

import numpy
import pytest
import torch

from course_lib.grading import samples
from course_lib.grading.local import Local, checker
from course_lib.grading.problem import Case, Unusable


def use(tmp_path, monkeypatch, *cases, text=None):
    monkeypatch.chdir(tmp_path)
    made = samples.dumps({"1a": list(cases)}) if text is None else text
    (tmp_path / "samples.json").write_text(made, encoding="utf-8")


def said(capsys, namespace, part="1a"):
    assert checker(namespace)(part) is None
    return capsys.readouterr().out.rstrip("\n")


DOUBLE = Case("double", (numpy.array([1.0, 2.0]),), numpy.array([2.0, 4.0]), {"this squares": numpy.array([1.0, 4.0])})


def test_a_solved_part_says_so(tmp_path, monkeypatch, capsys):
    use(tmp_path, monkeypatch, DOUBLE)
    assert said(capsys, {"double": lambda x: 2 * x}) == "[solved] 1a: right"


def test_a_mistake_is_named(tmp_path, monkeypatch, capsys):
    use(tmp_path, monkeypatch, DOUBLE)
    assert said(capsys, {"double": lambda x: x**2}) == "[not yet] 1a: this squares"


@pytest.mark.parametrize(
    ("namespace", "text"),
    [
        ({}, "`double` is not defined; run the cell that defines it"),
        ({"double": 3}, "`double` is not defined; run the cell that defines it"),
        ({"double": lambda x: None}, "nothing here yet: `double` gives back nothing"),
        ({"double": lambda x: ...}, "nothing here yet: `double` gives back nothing"),
        ({"double": lambda x: {1, 2}}, "`double` gives back something that is no value: an object of type set"),
        ({"double": lambda x: x[9]}, "`double` stops with IndexError at the line `"),
        ({"double": lambda: 1}, "`double` stops with TypeError"),
        ({"double": lambda x: exit()}, "`double` stops with SystemExit"),
        ({"double": lambda x: 2 * x[:1]}, "`double` must give back numbers of shape (2,), got shape (1,)"),
    ],
)
def test_an_answer_that_is_none_is_told_what_it_is(tmp_path, monkeypatch, capsys, namespace, text):
    use(tmp_path, monkeypatch, DOUBLE)
    assert said(capsys, namespace).startswith(f"[not yet] 1a: {text}")


def test_a_stub_that_raises_is_a_stub(tmp_path, monkeypatch, capsys):
    def double(x):
        raise NotImplementedError

    use(tmp_path, monkeypatch, DOUBLE)
    assert said(capsys, {"double": double}).startswith("[not yet] 1a: nothing here yet: `double`")


def test_the_students_own_line_is_named_not_torchs(tmp_path, monkeypatch, capsys):
    def double(x):
        return torch.ones(3, 4) @ torch.stack([x, x])  # 3 by 4 times 2 by 2

    use(tmp_path, monkeypatch, DOUBLE)
    assert "at the line `return torch.ones(3, 4) @ torch.stack([x, x])" in said(capsys, {"double": double})


def test_students_get_tensors_of_their_own():
    mine = numpy.ones(3)
    given = []

    def spoil(x, pair, words):
        given.extend([x, *pair])
        x.zero_()
        return words

    assert Local({"spoil": spoil}).call("spoil", mine, [mine, 2], {"a": "b"}) == {"a": "b"}
    assert (mine == 1).all()
    assert [type(each) for each in given] == [torch.Tensor, torch.Tensor, int]
    assert given[0].dtype == torch.float64
    assert (given[1] == 1).all()


def test_only_values_come_back():
    class Always:
        def __eq__(self, other):
            return True

        __hash__ = None

    with pytest.raises(Unusable, match="an object of type Always cannot be sent"):
        Local({"f": lambda: Always()}).call("f")
    answer = Local({"f": lambda: torch.ones(2, requires_grad=True)}).call("f")
    assert type(answer) is numpy.ndarray


def test_an_interrupt_is_the_learners(tmp_path, monkeypatch):
    def stop(x):
        raise KeyboardInterrupt

    use(tmp_path, monkeypatch, DOUBLE)
    with pytest.raises(KeyboardInterrupt):
        checker({"double": stop})("1a")


def test_the_notebooks_own_draws_are_not_moved(tmp_path, monkeypatch, capsys):
    use(tmp_path, monkeypatch, DOUBLE)
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    said(capsys, {"double": lambda x: 2 * x + 0 * torch.rand(2)})
    assert torch.equal(torch.rand(1), expected)


def test_without_samples_it_says_one_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    out = said(capsys, {})
    assert out == "no samples.json beside the notebook, so 1a is not checked here; the grader checks it all the same"


@pytest.mark.parametrize("text", ["", "[]", '{"1a": 3}', '{"1a": [{}]}', '{"1a": [[1]]}', "{" * 10_000, "\x00"])
def test_spoiled_samples_are_told(tmp_path, monkeypatch, capsys, text):
    use(tmp_path, monkeypatch, text=text)
    out = said(capsys, {})
    assert out.startswith("samples.json cannot be read (these are no cases")
    assert out.endswith("take it again from the folder that you were handed")
    assert "\n" not in out


def test_a_part_that_is_not_there_is_told(tmp_path, monkeypatch, capsys):
    use(tmp_path, monkeypatch, DOUBLE)
    assert said(capsys, {}, "9z") == "there is no part '9z'; parts: 1a"


def test_cases_come_back_from_json_as_they_were():
    case = Case("f", (1, 0.1, "x", [numpy.eye(2), True]), {"a": [1, 2.5]}, {"hint": numpy.zeros(2)}, 1e-3)
    [again] = samples.loads(samples.dumps({"1a": [case]}))["1a"]
    assert (again.function, again.expected, again.tolerance) == (case.function, case.expected, case.tolerance)
    assert again.arguments[:3] == (1, 0.1, "x")
    assert numpy.array_equal(again.arguments[3][0], numpy.eye(2))
    assert numpy.array_equal(again.mistakes["hint"], numpy.zeros(2))
