"""Forbidden names are found by whatever name they go, and no source breaks the search."""

import ast

import pytest

from course_lib.grading import forbidden


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("torch.nn.RNN(1, 2)", True),
        ("nn.RNN(1, 2).cuda()", True),
        ("import torch.nn as n\nn.RNN", True),
        ("from torch.nn import RNN as Net\nNet(1, 2)", True),
        ("from torch.nn import RNN", True),
        ("from torch.nn import *\nRNN(1, 2)", True),
        ("%timeit 1\n    !ls\nnn.RNN", False),
        ("%timeit 1\n!ls\nnn.RNN", True),
        ("earlier(1, 2)", True),
        ("nn.RNNCell(1, 2)", False),
        ("class RNN: pass\nRNN()", False),
        ("# nn.RNN\n'nn.RNN'", False),
        ("def (", False),
        ("x = '\0'", False),
        ("nn.RNN" + "(" * 3000, False),
        ("-" * 50_000 + "1", False),
        ("x" + ".a" * 40_000, False),
        ("[" * 300 + "]" * 300, False),
        ("#" * 200_000 + "\nnn.RNN", False),
    ],
)
@pytest.mark.parametrize("name", ["nn.RNN", "torch.nn.RNN"])
def test_forbidden_names_are_found_by_whatever_name(source, name, found):
    assert forbidden.used(source, [name], ["from torch.nn import RNN as earlier", "def ("]) == [name] * found


def test_of_other_cells_only_those_that_import_are_parsed_and_these_once(monkeypatch):
    """A hand-in of a megabyte makes a tree of half a gigabyte, and every part of a set asks."""
    real, parsed = ast.parse, []
    monkeypatch.setattr(ast, "parse", lambda text: parsed.append(text) or real(text))
    others = ["a;" * 1000, "x = 1", f"import torch.nn as this_one  # {id(parsed)}"]
    for _ in range(3):
        assert forbidden.used("this_one.RNN", ["nn.RNN"], others) == ["nn.RNN"]
    assert [text.count("import") for text in parsed] == [0, 1, 0, 0]
