"""Stored rows of depths, arranged: against a store of seven rows written here."""

import math

import pytest

from course_lib.experiments import Experiment, depth_rows, store


@pytest.fixture
def toy(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "FOLDER", tmp_path)
    toy = Experiment("toy", "how deep?", lambda setting, seed: {}, ())
    rows = {
        ("gru", "plain", 1, 9): [(1.0, 0), (3.0, 0)],
        ("gru", "plain", 2, 9): [(1.5, 1), (2.5, 0)],
        ("gru", "residual", 2, 9): [(0.5, 0), (2.0, 0)],
        ("gru", "plain", 8, 9): [(7.0, 1), (8.0, 1)],
        ("gru", "residual", 8, 9): [(6.0, 0), (5.0, 0)],
        ("gru", "residual", 2, 2): [(99.0, 1), (99.0, 1)],
        ("lstm", "plain", 1, 9): [(4.0, 0)],
    }
    for (cell, connection, layers, steps), runs in reversed(rows.items()):
        row = {"task": "toy", "cell": cell, "connection": connection, "layers": layers, "steps": steps}
        for seed in reversed(range(len(runs))):
            loss, failed = runs[seed]
            store.append(toy, row, seed, {"loss": loss, "failed": failed, "valid": [0.1, loss]}, 0.0)
    return toy


def test_runs_are_by_layers_and_seed_without_the_short_row(toy):
    assert depth_rows.runs("toy", "loss", "gru", "residual") == {1: [1.0, 3.0], 2: [0.5, 2.0], 8: [6.0, 5.0]}
    assert list(depth_rows.runs("toy", "loss", "gru", "plain")) == [1, 2, 8]
    assert depth_rows.runs("toy", "valid", "lstm", "plain", at=0) == {1: [0.1]}
    assert depth_rows.runs("toy", "loss", "vanilla", "plain") == {}


def test_the_spread_of_a_row_has_its_seeds(toy):
    assert depth_rows.spread("toy", "loss", "gru", "residual", 8).values == (6.0, 5.0)
    assert depth_rows.spread("toy", "valid", "gru", "plain", 2, at=1).values == (1.5, 2.5)


def test_a_cell_or_connection_that_is_none_is_refused(toy):
    with pytest.raises(ValueError, match="got 'LSTM' and 'plain'"):
        depth_rows.runs("toy", "loss", "LSTM", "plain")
    with pytest.raises(ValueError, match="connection one of plain, residual, got 'gru' and 'dense'"):
        depth_rows.runs("toy", "loss", "gru", "dense")


def test_a_table_has_medians_and_tells_failures(toy):
    head, *lines, told = depth_rows.table("toy", "loss", 1).splitlines()
    assert head == "layers           1        2        8"
    assert [line.split()[:2] for line in lines] == [
        [title, connection] for title in ("LSTM", "GRU", "vanilla") for connection in ("plain", "residual")
    ]
    assert lines[0] == "LSTM    plain    4.0      -        -"
    assert lines[2] == "GRU     plain    2.0      2.0 (1)  7.5 (2)"
    assert lines[3] == "GRU     residual 2.0      1.2      5.5"
    assert told == "medians of 1 to 2 seeds; (k): k of them never left the plateau"


def test_a_residual_is_clearly_better_where_the_ranges_part(toy):
    assert depth_rows.first_clear("toy", "loss", "gru") == 8
    assert depth_rows.first_clear("toy", "loss", "lstm") == math.inf


def test_panels_are_by_title_and_connection(toy):
    panels = depth_rows.panels("toy", "loss")
    assert list(panels) == ["LSTM", "GRU", "vanilla"]
    assert panels["GRU"]["plain"] == depth_rows.runs("toy", "loss", "gru", "plain")
