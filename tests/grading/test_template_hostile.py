"""Rebuilding files that nobody's Jupyter wrote: each is rejected with the remedy, or comes out harmless."""

import json

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.grading import template
from course_lib.grading.receipts import Rejected
from tests.grading.rebuilt import about, cell, order, own, rebuild, refusal, sources


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


def test_a_written_answer_without_end_is_rejected_also_in_pieces(ours, handed):
    """A browser takes a minute for 200 000 spaces."""
    cell(handed, "written-3")["source"] = "a" + " " * (template.WRITTEN - 2) + "b"
    rebuild(handed, ours)
    handed["cells"].append(own(" " * 20 + "c", "markdown"))
    words = refusal(json.dumps(handed).encode(), ours)
    assert words == "written-3 has 20023 characters, more than 20000; shorten it"


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
