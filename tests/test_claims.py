"""Do the table of claims, the lessons' cells, their prose and the page in docs/ say the same, and is each held?"""

import ast
import re
from pathlib import Path

import pytest

from course_lib import claims
from course_lib.claims import CLAIMS, RULES, Claim, claim
from course_lib.publish import notebook as nb

ROOT = Path(__file__).resolve().parents[1]
EVERY = pytest.mark.parametrize("identity", CLAIMS)
DECIDED = [f"N{number}" for number in (*range(1, 21), 22, 23, 24)]


def cells(identity, kind):
    notebook = nb.read(ROOT / "notebooks" / f"{CLAIMS[identity].lesson}.ipynb")
    return [cell for cell in notebook.cells if cell.cell_type == kind]


def printed(identity):
    """The lines that `claim` printed in the reading copy."""
    texts = [output.get("text", "") for cell in cells(identity, "code") for output in cell.outputs]
    return [line for text in texts for line in text.splitlines() if line.startswith(f"{identity} ·")]


def sentences(identity):
    """The sentences of a lesson's prose that name the claim."""
    prose = " ".join(cell.source.replace("\n", " ") for cell in cells(identity, "markdown"))
    return [each for each in re.split(r"(?<=[.:;?])\s+(?=[A-Z*$\d])", prose) if re.search(rf"\b{identity}\b", each)]


def test_every_claim_has_its_verdict():
    assert list(CLAIMS) == DECIDED


@EVERY
def test_an_entry_is_whole(identity):
    entry = CLAIMS[identity]
    assert re.match(r"(true|false)\b", entry.verdict)
    assert entry.meaning.count("{}") == 1
    assert entry.rule in RULES
    assert entry.agrees(float(entry.number.replace(",", "")))


@EVERY
def test_the_lessons_cell_measured_what_the_table_says(identity):
    entry = CLAIMS[identity]
    assert printed(identity) == [f"{identity} · {entry.verdict}", f"{identity} · {entry.measured}"]


@EVERY
def test_the_lessons_prose_says_what_the_table_says(identity):
    number = re.compile(rf"(?<![\w.]){re.escape(CLAIMS[identity].number)}(?![\w]|\.\d)")
    assert any(number.search(sentence) for sentence in sentences(identity)), sentences(identity)


@EVERY
def test_the_test_that_holds_it_exists(identity):
    path, _, name = CLAIMS[identity].test.partition("::")
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    assert name in [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert name.startswith("test_")


def test_the_page_is_the_table():
    assert (ROOT / "docs" / "claims.md").read_text(encoding="utf-8") == claims.page(), "run: course claims --write"


def test_the_pages_links_lead_to_notebooks():
    for target in re.findall(r"\]\(([^)]+)\)", claims.page()):
        assert (ROOT / "docs" / target).is_file(), target


# how a measurement is compared


def entry(number, rule="equals"):
    return Claim("s", "02_stacking", "true", number, "{} times", "tests/test_x.py::test_y", rule)


@pytest.mark.parametrize(
    ("number", "rule", "agrees", "differs"),
    [
        ("219", "equals", [219, 219.4, 218.51], [220, 218.4, -219]),
        ("0.62", "equals", [0.6249, 0.6151], [0.63, 0.6, -0.62]),
        ("7,678", "equals", [7678], [7679, 7.678]),
        ("-1.5", "equals", [-1.52], [1.5, -1.6]),
        ("0", "equals", [0, 0.4], [1, -1]),
        ("2e+12", "equals", [2.3e12], [2.6e12]),
        ("3e-5", "equals", [3e-5, 3.4e-5], [4e-5]),
        ("1e-12", "at most", [0, 1e-12], [2e-12]),
        ("220", "at least", [220, 1e9], [219.9]),
    ],
)
def test_a_measurement_agrees_to_the_digits_of_the_table(number, rule, agrees, differs):
    assert [value for value in agrees if not entry(number, rule).agrees(value)] == []
    assert [value for value in differs if entry(number, rule).agrees(value)] == []


def test_a_rule_that_is_none_is_refused():
    with pytest.raises(ValueError, match="rule must be one of equals, at most, at least, got 'atmost'"):
        entry("1", "atmost")


def test_not_a_number_agrees_with_nothing():
    for rule in RULES:
        assert not entry("1", rule).agrees(float("nan"))


def test_a_claim_is_printed_with_its_verdict_and_tells_when_the_table_has_another_number(capsys, monkeypatch):
    monkeypatch.setitem(CLAIMS, "N99", entry("219"))
    monkeypatch.setitem(CLAIMS, "N98", entry("1e-12", "at most"))
    claim("N99", 219.2)
    claim("N99", 230.0)
    claim("N98", 3e-16)
    claim("N98", 1.0)
    lines = capsys.readouterr().out.splitlines()
    assert lines[::3] == ["N99, the claim: s"] * 2 + ["N98, the claim: s"] * 2
    assert lines[1::3] == ["N99 · true"] * 2 + ["N98 · true"] * 2
    assert lines[2::3] == [
        "N99 · 219 times",
        "N99 · 230 times: measured 230, but the table has 219",
        "N98 · at most 1e-12 times",
        "N98 · at most 1e-12 times: measured 1, but the table has 1e-12",
    ]
    with pytest.raises(ValueError, match="there is no claim 'N100'; the claims are N1, "):
        claim("N100", 1)
