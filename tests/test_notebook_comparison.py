"""Does the comparison of notebooks see every change that a reader would see, and only those?"""

import pytest
from nbformat import v4, write

from tests.notebook_comparison import masked, run_nbval, same


@pytest.mark.parametrize(
    ("stored", "fresh"),
    [
        ("loss 0.123456 after 10 epochs", "loss 0.123459 after 10 epochs"),
        ("the answer is 0.25.", "the answer is 0.2501."),
        ("slope -0.5000", "slope -0.5002"),
        ("slope −0.5000", "slope −0.5002"),
        ("-0.00000", "0.00000"),
        ("p = 1.25e-08", "p = 9.31e-09"),  # both are zero within 1e-5
        ("1.5000e+03 steps", "1.5004e+03 steps"),
        ("1,234.5 words", "1,234.6 words"),
        ("12.50%", "12.51%"),
        ("ratio 1.520x", "ratio 1.521x"),
        ("[0.1000, 0.2000]", "[0.1000,  0.2001]\n"),
        ("0.100-0.500", "0.100-0.5001"),
        ("a  b\nc", "a b c"),
    ],
)
def test_small_drift_is_the_same(stored, fresh):
    assert same(stored, fresh)
    assert same(fresh, stored)


@pytest.mark.parametrize(
    ("stored", "fresh"),
    [
        ("loss 0.1234", "Loss 0.1234"),
        ("loss 0.1234", "loss 0.1236"),
        ("after 10 epochs", "after 11 epochs"),
        ("1000.", "1001."),
        ("20,000 words", "20,001 words"),
        ("1,234.5", "1,237.5"),
        ("20,000 words", "20000 words"),
        ("12%", "13%"),
        ("12%", "12.0%"),
        ("3", "3.0"),
        ("-0.5", "0.5"),
        ("a=-0.5", "a=0.5"),
        ("x-0.5", "x+0.5"),
        ("version 1.2.3", "version 1.2.4"),
        ("h2 0.5", "h3 0.5"),
        ("0.5 0.5", "0.5"),
        ("0.5", "nan"),
        ("1e-3", "1e-2"),
        ("ab", "a b"),
        ("in 20 steps", "in 21 steps"),
        ("a lag of 12.5 s", "a lag of 13.5 s"),
        ("passed", ""),
    ],
)
def test_a_change_is_seen(stored, fresh):
    assert not same(stored, fresh)
    assert not same(fresh, stored)


def test_only_addresses_and_durations_are_masked():
    assert masked("<A at 0x7f3a5c0de0f0>") == masked("<A at 0x7f3a5c0de777>")
    assert masked("trained in 3.2 s") == masked("trained in 9.9 s")
    assert masked("Wall time: 3 ms\nx") == masked("Wall time: 4 s\nx")
    assert masked("5/9 [00:01<00:02, 3.10it/s]") == masked("5/9 [00:03<00:05, 1.00it/s]")
    for text in ("in 20 steps", "after 10 epochs", "0.5 s", "3 states", "0x1f"):
        assert masked(text) == text


# (name, source, stored outputs, was it executed, is it to pass)
STREAM = "print('loss', 0.123456, 'after', 10, 'epochs')"
CELLS = [
    ("as it is", STREAM, "loss 0.123456 after 10 epochs\n", True, True),
    ("tiny drift", STREAM, "loss 0.123459 after 10 epochs\n", True, True),
    ("word", STREAM, "Loss 0.123456 after 10 epochs\n", True, False),
    ("integer", STREAM, "loss 0.123456 after 11 epochs\n", True, False),
    ("decimal", STREAM, "loss 0.125 after 10 epochs\n", True, False),
    ("line missing", STREAM, "", True, False),
    ("outputs emptied", STREAM, None, True, False),
    ("outputs emptied and number removed", STREAM, None, False, False),
    ("extra output", "x = 1", "loss 0.1\n", True, False),
    ("silent", "x = 1", None, True, True),
    ("semicolon", "x;", None, True, True),
    ("result missing", "x", None, True, False),
    ("warning elsewhere", "import sys; print('slow', file=sys.stderr)", None, True, True),
    ("raises", "1 / 0", None, True, False),
    ("after the error", STREAM, "loss 0.123456 after 10 epochs\n", True, True),
]


@pytest.mark.notebook
def test_nbval_finds_each_mutation_and_no_other(tmp_path):
    cells = []
    for count, (_, source, stored, executed, _) in enumerate(CELLS, start=1):
        outputs = [] if stored is None else [v4.new_output("stream", name="stdout", text=stored)]
        cells.append(v4.new_code_cell(source, outputs=outputs, execution_count=count if executed else None))
    write(v4.new_notebook(cells=cells), tmp_path / "mutants.ipynb")

    found, output = run_nbval(tmp_path / "mutants.ipynb", tmp_path)

    passed = {name: not found[f"Cell {number}"] for number, (name, *_) in enumerate(CELLS)}
    assert passed == {name: expected for name, *_, expected in CELLS}, output
    assert "loss 0.125" in found["Cell 4"], "the complaint shows the stored text"
    assert "ZeroDivisionError" in found["Cell 13"]


@pytest.mark.notebook
def test_figures_are_compared_by_their_text(tmp_path):
    source = 'from IPython.display import display\ndisplay({"image/png": "aGk=", "text/plain": "A grid."}, raw=True)'
    cells = []
    for count, alt in enumerate(["A grid.", "A curve."], start=1):
        figure = v4.new_output("display_data", {"image/png": "aGVsbG8=", "text/plain": alt})
        cells.append(v4.new_code_cell(source, outputs=[figure], execution_count=count))
    write(v4.new_notebook(cells=cells), tmp_path / "figures.ipynb")

    found, output = run_nbval(tmp_path / "figures.ipynb", tmp_path)

    assert [bool(found[f"Cell {number}"]) for number in range(2)] == [False, True], output
