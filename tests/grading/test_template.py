"""A hand-in rebuilt on the release notebook: the student's text stays, all else is ours."""

import copy
import json

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course_lib.grading import template
from course_lib.grading.receipts import Rejected


def about(name, grade=False, solution=False):
    return {"nbgrader": {"grade_id": name, "grade": grade, "solution": solution, "locked": not solution}}


def release():
    """Setup, two parts with a check each, a written answer; every cell's id is its name."""
    cells = [
        new_markdown_cell("# Set", metadata=about("title")),
        new_code_cell("import json\ncheck = print", metadata=about("setup")),
        new_code_cell("# answer", metadata=about("answer-1a", solution=True)),
        new_code_cell('check("1a")', metadata=about("check-1a", grade=True)),
        new_code_cell("# answer", metadata=about("answer-2", solution=True)),
        new_code_cell('check("2")', metadata=about("check-2", grade=True)),
        new_markdown_cell("Your <b>answer</b>", metadata=about("written-3", grade=True, solution=True)),
    ]
    for cell in cells:
        cell["id"] = cell["metadata"]["nbgrader"]["grade_id"]
    return new_notebook(
        cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "P", "language": "python"}}
    )


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    path = tmp_path_factory.mktemp("release") / "ps1.ipynb"
    nbformat.write(release(), path)
    return template.load(path)


@pytest.fixture
def handed(ours):
    """A copy of the release notebook, as a student gets it."""
    return copy.deepcopy(dict(ours.notebook))


def cell(notebook, name):
    return next(each for each in notebook["cells"] if each["metadata"].get("nbgrader", {}).get("grade_id") == name)


def own(source, kind="code"):
    return {"cell_type": kind, "metadata": {}, "source": source, "id": "x"}


def rebuild(notebook, ours):
    return template.rebuild(json.dumps(notebook).encode(), ours)


def sources(notebook):
    return ["".join(each["source"]) for each in notebook["cells"]]


def order(notebook):
    return [each["metadata"].get("nbgrader", {}).get("grade_id", each.get("id")) for each in notebook["cells"]]


def refusal(data, ours):
    with pytest.raises(Rejected) as refused:
        template.rebuild(data, ours)
    return str(refused.value)


# what stays


def test_an_untouched_notebook_becomes_the_template_to_the_byte(tmp_path, ours):
    nbformat.write(release(), tmp_path / "ps1.ipynb")
    data = (tmp_path / "ps1.ipynb").read_bytes()
    rebuilt, notes = template.rebuild(data, ours)
    assert (template.dump(rebuilt), notes) == (data, [])


def test_the_text_of_answers_stays(ours, handed):
    cell(handed, "answer-1a")["source"] = ["def f():\n", "    return 1"]
    cell(handed, "written-3")["source"] = "Because $a<b$."
    rebuilt, notes = rebuild(handed, ours)
    assert "".join(cell(rebuilt, "answer-1a")["source"]) == "def f():\n    return 1"
    assert "".join(cell(rebuilt, "written-3")["source"]) == "Because $a< b$."
    assert notes == []
    nbformat.validate(nbformat.from_dict(rebuilt))


def test_everything_else_is_ours(ours, handed):
    """Checks deleted or edited, points changed, metadata, outputs and kernel rewritten: the template wins."""
    cell(handed, "answer-1a").update(
        source="x = 1", outputs=[{"output_type": "stream", "text": "5/5", "name": "stdout"}]
    )
    cell(handed, "answer-1a")["metadata"].update(tags=["evil"], nbgrader={"grade_id": "answer-1a", "points": 100})
    cell(handed, "answer-1a")["attachments"] = {"a.png": {"image/png": "AAAA"}}
    cell(handed, "check-1a")["source"] = "pass"
    cell(handed, "setup")["source"] = "check = lambda _: True"
    handed["cells"].remove(cell(handed, "check-2"))
    handed["metadata"] = {"kernelspec": {"name": "evil"}, "celltoolbar": "x"}
    handed["nbformat_minor"] = 0
    rebuilt, notes = rebuild(handed, ours)
    wanted = copy.deepcopy(dict(ours.notebook))
    cell(wanted, "answer-1a")["source"] = ["x = 1"]
    assert rebuilt == wanted
    assert notes == ["a change to setup was left out", "a change to check-1a was left out"]


def test_duplicate_checks_are_ignored(ours, handed):
    handed["cells"] += [cell(handed, "check-1a"), {**cell(handed, "check-2"), "source": "5.0"}]
    assert order(rebuild(handed, ours)[0]) == order(ours.notebook)


def test_a_moved_answer_returns_and_own_code_stays_after_its_cell(ours, handed):
    moved = cell(handed, "answer-1a")
    handed["cells"].remove(moved)
    moved["source"] = "one = helper"
    handed["cells"].insert(1, own("first = 0"))
    handed["cells"] += [own("helper = 1"), moved, own("after = 2"), own("later = 3"), own("   ")]
    rebuilt, _ = rebuild(handed, ours)
    assert order(rebuilt) == [
        *("title", "own-1", "setup", "answer-1a", "own-2", "own-3", "check-1a"),
        *("answer-2", "check-2", "written-3", "own-4"),
    ]
    assert sources(rebuilt)[1:6:2] == ["first = 0", "one = helper", "later = 3"]
    nbformat.validate(nbformat.from_dict(rebuilt))


def test_code_before_all_our_cells_stays_first(ours, handed):
    handed["cells"].insert(0, own("import math"))
    assert sources(rebuild(handed, ours)[0])[0] == "import math"


def test_both_halves_of_a_split_answer_stay(ours, handed):
    """JupyterLab gives both halves the metadata of the whole."""
    where = handed["cells"].index(cell(handed, "answer-1a"))
    half = copy.deepcopy(handed["cells"][where])
    handed["cells"][where]["source"] = "a = 1"
    handed["cells"].insert(where + 1, {**half, "id": "new", "source": "b = 2"})
    rebuilt, notes = rebuild(handed, ours)
    assert "".join(cell(rebuilt, "answer-1a")["source"]) == "a = 1\n\nb = 2"
    assert (order(rebuilt), notes) == (order(ours.notebook), [])


@pytest.mark.parametrize("name", ["answer-1a", "written-3"])
def test_two_cells_with_an_answers_name_are_rejected(ours, handed, name):
    handed["cells"].insert(0, {**cell(handed, name), "source": "other"})
    message = refusal(json.dumps(handed).encode(), ours)
    assert f"two cells are {name}" in message
    assert "delete one" in message


def test_a_missing_answer_is_noted_and_ours_stays(ours, handed):
    handed["cells"].remove(cell(handed, "answer-2"))
    rebuilt, notes = rebuild(handed, ours)
    assert rebuilt == ours.notebook
    assert notes == ["answer-2 is missing"]


def test_without_its_metadata_a_cell_is_known_by_its_id(ours, handed):
    cell(handed, "answer-1a")["source"] = "x = 1"
    for each in handed["cells"]:
        each["metadata"] = {}
    rebuilt, notes = rebuild(handed, ours)
    assert "".join(cell(rebuilt, "answer-1a")["source"]) == "x = 1"
    assert (order(rebuilt), notes) == (order(ours.notebook), [])


def test_metadata_of_any_kind_is_no_trouble(ours, handed):
    for each, kind in zip(handed["cells"], ([], None, 7, {"nbgrader": []}, {"nbgrader": {"grade_id": {}}}, "x", {})):
        each["metadata"] = kind
    assert rebuild(handed, ours)[0] == ours.notebook


def test_without_any_answer_cell_it_is_another_notebook(ours):
    assert "none of the answer cells" in refusal(b'{"nbformat": 4, "cells": []}', ours)


def test_text_below_a_written_answer_belongs_to_it(ours, handed):
    handed["cells"].insert(1, own("a note to myself", "markdown"))
    handed["cells"] += [own("And also this.", "markdown")]
    cell(handed, "written-3")["source"] = "This."
    rebuilt, notes = rebuild(handed, ours)
    assert "".join(cell(rebuilt, "written-3")["source"]) == "This.\n\nAnd also this."
    assert notes == ["text outside the written answers was left out"]


def test_an_answer_whose_kind_was_changed_has_ours(ours, handed):
    cell(handed, "answer-1a").update(cell_type="markdown", source="x = 1")
    cell(handed, "written-3").update(cell_type="code", source="Because.")
    rebuilt, _ = rebuild(handed, ours)
    assert [cell(rebuilt, name)["cell_type"] for name in ("answer-1a", "written-3")] == ["code", "markdown"]
    assert "".join(cell(rebuilt, "answer-1a")["source"]) == "x = 1"


def test_a_tag_in_a_written_answer_is_text(ours, handed):
    cell(handed, "written-3")["source"] = '<script>a()</script><img src=x onerror="a()"><!-- a -->'
    text = "".join(cell(rebuild(handed, ours)[0], "written-3")["source"])
    assert not any(f"<{sign}" in text for sign in "si!/")
    assert "script>a()" in text


def test_own_code_gets_an_id_that_no_other_cell_has(tmp_path):
    notebook = release()
    notebook["cells"][0]["id"] = "own-1"
    nbformat.write(notebook, tmp_path / "ps1.ipynb")
    ours = template.load(tmp_path / "ps1.ipynb")
    handed = copy.deepcopy(dict(ours.notebook))
    handed["cells"] += [own("x = 1"), own("y = 1")]
    assert [each["id"] for each in rebuild(handed, ours)[0]["cells"]][-2:] == ["own-2", "own-3"]


def test_notebooks_of_format_4_4_have_no_ids(tmp_path):
    notebook = json.loads(nbformat.writes(release()))
    notebook["nbformat_minor"] = 4
    for each in notebook["cells"]:
        del each["id"]
    (tmp_path / "ps1.ipynb").write_text(json.dumps(notebook))
    ours = template.load(tmp_path / "ps1.ipynb")
    rebuilt, _ = rebuild({**notebook, "cells": [*notebook["cells"], own("x = 1")]}, ours)
    assert not any("id" in each for each in rebuilt["cells"])
    nbformat.validate(nbformat.from_dict(rebuilt))


# hostile files


def test_signs_that_cannot_be_seen_are_replaced(ours, handed):
    """A half surrogate pair, NUL, an escape, and marks that reverse the direction of writing."""
    cell(handed, "answer-1a")["source"] = "a = '\ud800\0\x1b\u202e\u2066'\t# \U0001f600 ok\n"
    rebuilt, notes = rebuild(handed, ours)
    assert "".join(cell(rebuilt, "answer-1a")["source"]) == "a = '\ufffd\ufffd\ufffd\ufffd\ufffd'\t# \U0001f600 ok\n"
    assert notes == ["characters that cannot be seen were replaced"]
    template.dump(rebuilt).decode("utf-8")


def test_names_of_ten_thousand_characters_are_just_text(ours, handed):
    long = "x" * 10_000
    cell(handed, "answer-1a")["source"] = f"{long} = 1"
    handed["cells"].append({**own("y = 1"), "metadata": about(long), "id": long})
    rebuilt, _ = rebuild(handed, ours)
    assert "".join(cell(rebuilt, "answer-1a")["source"]) == f"{long} = 1"
    assert rebuilt["cells"][-1]["id"] == "own-1"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty; save the notebook"),
        (b" \n", "empty"),
        (b'{"nbformat": 4, "cells": [', "damaged or cut off; open it in JupyterLab, save it"),
        (bytes(range(256)) * 9, "damaged"),
        (b"[" * 1_000_000, "damaged"),
        (b'{"a":' * 200_000, "damaged"),
        (b"9" * 100_000, "damaged"),
        ("{}".encode("utf-16"), "damaged"),
        (b"[]", "no notebook"),
        (b'"cells"', "no notebook"),
        (b"{}", "no notebook"),
        (b'{"nbformat": 4, "cells": {}}', "no notebook"),
        (b'{"nbformat": 3, "worksheets": []}', "format 3, not 4; open it in JupyterLab"),
        (b'{"nbformat": 5, "cells": []}', "format 5"),
        (b'{"nbformat": "4", "cells": []}', "format 4"),
        (b'{"cells": []}', "format None"),
        (b'{"nbformat": 4, "cells": [1]}', "cell 1 is not one that Jupyter writes"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": 1}]}', "cell 1"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": ["a", 1]}]}', "cell 1"),
        (b'{"nbformat": 4, "cells": [{"source": ""}]}', "cell 1"),
    ],
    ids=range(20),
)
def test_what_is_no_notebook_is_rejected_with_the_remedy(ours, data, words):
    assert words in refusal(data, ours)


def test_what_is_too_large_is_rejected(ours, handed):
    assert "larger than 5 MB; choose Kernel" in refusal(b" " * (5 * 2**20 + 1), ours)
    many = json.dumps({**handed, "cells": [{"cell_type": "raw", "source": ""}] * 100_000}).encode()
    assert "100000 cells, more than 500" in refusal(many, ours)
    cell(handed, "answer-1a")["source"] = "x" * 200_001
    assert "cell 3 has 200001 characters, more than 200000" in refusal(json.dumps(handed).encode(), ours)


def test_a_byte_order_mark_is_no_trouble(ours, handed):
    assert template.rebuild(json.dumps(handed).encode("utf-8-sig"), ours)[0] == ours.notebook


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "there is no"),
        ("{", "is damaged"),
        ("{}", "is damaged"),
        ("[]", "is damaged"),
        ("two", "two cells 'title'"),
    ],
)
def test_a_release_notebook_that_cannot_be_used_is_ours_to_mend(tmp_path, handed, text, words):
    path = tmp_path / "ps1.ipynb"
    if text is not None:
        path.write_text(json.dumps({**handed, "cells": handed["cells"][:1] * 2}) if text == "two" else text)
    with pytest.raises(template.TemplateError, match="build the assignment") as refused:
        template.load(path)
    assert words in str(refused.value)


# any file


CELLS = st.lists(
    st.one_of(
        st.fixed_dictionaries(
            {
                "cell_type": st.sampled_from(["code", "markdown", "raw", "x"]),
                "source": st.one_of(st.text(max_size=30), st.lists(st.text(max_size=9), max_size=3)),
                "metadata": st.sampled_from([{}, *map(about, ("answer-1a", "answer-2", "check-1a", "written-3", "z"))]),
                "id": st.sampled_from(["", "a", "answer-2", "setup"]),
                "outputs": st.just([{"text": "secret"}]),
            }
        ),
    ),
    max_size=12,
)


@settings(max_examples=300)
@given(CELLS)
def test_whatever_is_handed_in_only_answers_and_own_code_differ_from_ours(ours, cells):
    data = json.dumps({"nbformat": 4, "cells": cells, "metadata": {"evil": 1}}).encode()
    try:
        rebuilt, _ = template.rebuild(data, ours)
    except Rejected:
        return
    names = [each["metadata"]["nbgrader"]["grade_id"] for each in ours.notebook["cells"]]
    kept = [each for each in rebuilt["cells"] if each["metadata"]]
    for mine, yours in zip(ours.notebook["cells"], kept, strict=True):
        is_answer = mine["metadata"]["nbgrader"]["solution"]
        assert {**yours, "source": 0} == {**mine, "source": 0}
        assert is_answer or yours["source"] == mine["source"]
    assert [each for each in order(rebuilt) if each in names] == names
    assert all(each["cell_type"] == "code" and not each["outputs"] for each in rebuilt["cells"] if each not in kept)
    again = template.rebuild(template.dump(rebuilt), ours)[0]
    assert sources(again) == sources(rebuilt)
    nbformat.validate(nbformat.from_dict(rebuilt))


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_any_json_is_rejected_or_rebuilt(ours, value):
    with pytest.raises(Rejected, match=r"hand"):
        template.rebuild(json.dumps(value).encode(), ours)
