"""The store of results: what is written, what is found again, and what a kill or a wrong question does."""

import json
import math
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from course_lib.data import Batch
from course_lib.data.download import DataMissing
from course_lib.experiments import EXPERIMENTS, Experiment, runner, store
from course_lib.experiments.experiment import exactly, fit_whole
from course_lib.training import Settings


def measure(setting, seed):
    with exactly(seed):
        return {"level": setting["level"] + float(torch.rand(())), "layers": [1.0, float(seed)]}


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """An experiment of two settings whose results go to an empty folder."""
    monkeypatch.setattr(store, "FOLDER", tmp_path / "results")
    return Experiment("toy", "how high?", measure, ({"level": 1, "cell": "GRU"}, {"level": 2, "cell": "GRU"}))


def test_a_result_has_its_provenance(toy):
    [*made] = runner.run(toy, seeds=3)
    assert len(made) == 6
    assert store.load("toy") == made
    first = json.loads(store.file("toy").read_text().splitlines()[0])
    assert set(first) == {*"experiment setting seed metrics version torch device threads seconds date".split()}
    assert first["torch"] == torch.__version__.partition("+")[0]
    assert (first["device"], first["threads"], first["setting"]) == ("cpu", 1, {"level": 1, "cell": "GRU"})


def test_nothing_stored_is_run_again_and_more_seeds_are_added(toy):
    list(runner.run(toy, seeds=2))
    before = store.load("toy")
    assert runner.missing(toy, 2) == []
    list(runner.run(toy, seeds=3))
    assert store.load("toy")[:4] == before
    assert sorted(each.seed for each in store.load("toy")) == [0, 0, 1, 1, 2, 2]


def test_a_killed_run_keeps_what_was_finished_and_loses_its_half_line(toy):
    runs = runner.run(toy, seeds=2)
    kept = [next(runs), next(runs)]
    runs.close()
    with store.file("toy").open("a") as stream:
        stream.write('{"experiment": "toy", "sett')
    assert store.load("toy") == kept
    list(runner.run(toy, seeds=2))
    assert len(store.load("toy")) == 4
    assert store.load("toy")[:2] == kept


def test_a_last_line_that_only_lacks_its_end_is_kept(toy):
    made = list(runner.run(toy, seeds=1))
    store.file("toy").write_bytes(store.file("toy").read_bytes().rstrip())
    assert store.load("toy") == made
    list(runner.run(toy, seeds=2))
    assert store.load("toy")[:2] == made
    assert len(store.load("toy")) == 4


def test_a_runner_leaves_out_what_another_has_stored_meanwhile(toy):
    first = runner.run(toy, seeds=2)
    made = [next(first)]
    others = list(runner.run(toy, seeds=2))
    assert len(others) == 3
    assert list(first) == []
    assert store.load("toy") == made + others


@pytest.mark.parametrize(("field", "value"), [("setting", None), ("metrics", [1]), ("seed", "0"), ("seconds", "long")])
def test_a_field_of_another_kind_is_named(toy, field, value):
    list(runner.run(toy, seeds=1))
    line = json.loads(store.file("toy").read_text().splitlines()[0]) | {field: value}
    store.file("toy").write_text(json.dumps(line) + "\n")
    with pytest.raises(store.StoreError, match=rf"(?s)line 1, is no result: .*{field}.*delete the line"):
        store.load("toy")


def test_a_run_that_fails_stores_nothing_and_hides_nothing(toy):
    broken = Experiment("toy", "how high?", lambda setting, seed: 1 / 0, toy.settings)
    with pytest.raises(ZeroDivisionError):
        list(runner.run(broken))
    assert store.known("toy") == []


def test_ctrl_c_in_a_training_stores_nothing(toy):
    """``fit`` keeps the steps made and returns; half a training must not become a result."""

    def interrupt(model, batch):
        raise KeyboardInterrupt

    model = torch.nn.Linear(1, 1)
    batch = Batch(torch.ones(1, 1, 1), torch.ones(1, 1, 1), torch.tensor([1]))
    half = Experiment("toy", "?", lambda setting, seed: fit_whole(model, [batch], interrupt, Settings(3)), toy.settings)
    with pytest.raises(KeyboardInterrupt):
        list(runner.run(half))
    assert store.known("toy") == []


def test_several_runners_at_once_store_every_run_once(toy):
    """Four threads add the same 40 long rows to one file, each by a handle of its own, as processes would."""

    def add_all(_):
        for seed in range(40):
            store.append(toy, toy.settings[0], seed, {"long": [float(seed)] * 2000}, 0.0)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add_all, range(4)))
    assert sorted(each.seed for each in store.load("toy")) == list(range(40))
    assert all(each.metrics["long"] == [float(each.seed)] * 2000 for each in store.load("toy"))


def test_lines_that_end_as_on_windows_lose_nothing(toy):
    list(runner.run(toy, seeds=2))
    before = store.load("toy")
    store.file("toy").write_bytes(store.file("toy").read_bytes().replace(b"\n", b"\r\n"))
    assert store.load("toy") == before
    list(runner.run(toy, seeds=3))
    assert store.load("toy")[:4] == before
    assert len(store.load("toy")) == 6


def test_a_run_that_stands_there_twice_is_named(toy):
    list(runner.run(toy, seeds=1))
    text = store.file("toy").read_text()
    store.file("toy").write_text(text + text.splitlines()[0] + "\n")
    with pytest.raises(store.StoreError, match=r"toy.jsonl, line 3, repeats {'level': 1, 'cell': 'GRU'} seed 0"):
        store.load("toy")


def test_values_and_spread_name_one_row(toy):
    list(runner.run(toy, seeds=3))
    levels = store.values("toy", "level", level=2)
    assert levels == [measure({"level": 2}, seed)["level"] for seed in range(3)]
    spread = store.spread("toy", "level", level=2)
    assert (spread.low, spread.median, spread.high) == tuple(sorted(levels))
    assert store.spread("toy", "layers", at=1, level=1).values == (0.0, 1.0, 2.0)
    assert f"{store.spread('toy', 'layers', at=1, level=1):.1f}" == "1.0 (0.0 to 2.0, 3 seeds)"


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ({"metric": "level"}, "2 stored settings fit {}, one must"),
        ({"metric": "level", "cell": "GRU"}, "2 stored settings fit"),
        ({"metric": "level", "level": 3}, "0 stored settings fit {'level': 3}, one must; stored are [{'level': 1, "),
        ({"metric": "height", "level": 1}, "seed 0 did not measure 'height'; it has level, layers"),
    ],
)
def test_a_question_without_one_answer_is_refused(toy, question, words):
    list(runner.run(toy, seeds=1))
    with pytest.raises(ValueError) as caught:  # noqa: PT011  the words are compared below
        store.values("toy", **question)
    assert words in str(caught.value)


def test_an_experiment_without_results_says_how_to_make_them(toy):
    with pytest.raises(ValueError, match="has no results; run: course experiment run toy --seeds 5"):
        store.load("toy")


def test_a_line_that_is_no_result_is_named(toy):
    list(runner.run(toy, seeds=1))
    with store.file("toy").open("a") as stream:
        stream.write('{"experiment": "toy"}\n')
    with pytest.raises(ValueError, match=r"toy.jsonl, line 3, is no result: .*; delete the line"):
        store.load("toy")


@pytest.mark.parametrize("value", ["high", None, True, [1.0, "x"], torch.tensor(1.0)])
@pytest.mark.usefixtures("unchecked")
def test_what_is_no_number_is_not_stored(toy, value):
    with pytest.raises(ValueError, match="toy: level must be a number or a list of numbers"):
        store.append(toy, toy.settings[0], 0, {"level": value}, 1.0)
    assert store.known("toy") == []


@pytest.mark.parametrize("setting", [{"sizes": (1, 2)}, {1: 2}, {"cell": None}])
@pytest.mark.usefixtures("unchecked")
def test_a_setting_that_would_not_come_back_from_the_file_is_refused(setting):
    with pytest.raises(ValueError, match="toy: a setting maps words to words and numbers, got"):
        Experiment("toy", "how high?", measure, (setting,))


def test_a_setting_may_not_appear_twice():
    with pytest.raises(ValueError, match=r"the setting {'level': 1} appears twice"):
        Experiment("toy", "how high?", measure, ({"level": 1}, {"level": 1}))


def test_agreement_is_relative_and_knows_nan():
    assert store.agree({"a": 1.0, "b": [2.0, math.nan]}, {"a": 1.0 + 1e-8, "b": [2.0, math.nan]})
    for other in ({"a": 1.01}, {"b": 1.0}, {"a": [1.0]}, {"a": math.nan}, {"a": 1.0, "b": 1.0}):
        assert not store.agree({"a": 1.0}, other)
    assert not store.agree({"a": [1.0, 2.0]}, {"a": [1.0]})


def test_exactly_gives_back_what_it_found():
    torch.set_default_dtype(torch.float32)
    before = torch.get_rng_state()
    inside = []

    def fail():
        with exactly(3):
            inside.append((torch.get_default_dtype(), torch.get_num_threads(), float(torch.rand(()))))
            raise RuntimeError

    for _ in range(2):
        with pytest.raises(RuntimeError):
            fail()
    assert inside[0] == inside[1]
    assert inside[0][:2] == (torch.float64, 1)
    assert torch.get_default_dtype() == torch.float32
    assert torch.equal(torch.get_rng_state(), before)


# the experiments themselves


def test_the_plan_counts_runs_and_measured_seconds(toy):
    assert runner.plan(toy, 2) == "toy: 4 runs, none measured so far"
    store.append(toy, toy.settings[0], 0, {"level": 1.0}, 10.0)
    assert runner.plan(toy, 2) == "toy: 3 runs, about 30 s on one core"
    for setting, seed in runner.missing(toy, 2):
        store.append(toy, setting, seed, {"level": 1.0}, 2.0)
    assert runner.plan(toy, 2) == "toy: all 2 seeds of 2 settings are stored"
    assert list(runner.overview({"toy": toy})) == [f"{'toy':18}    4 runs     16 s  how high?"]


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_setting_is_stored_for_five_seeds(name):
    stored = store.load(name)
    assert {each.experiment for each in stored} == {name}
    assert [each for each in stored if each.setting not in [dict(known) for known in EXPERIMENTS[name].settings]] == []
    for setting in EXPERIMENTS[name].settings:
        seeds = sorted(each.seed for each in stored if each.setting == setting)
        assert seeds == list(range(max(5, len(seeds)))), setting


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_the_cheapest_row_gives_the_stored_numbers_again(name):
    cheapest = min(store.load(name), key=lambda each: each.seconds)
    try:
        again = EXPERIMENTS[name].run(cheapest.setting, cheapest.seed)
    except DataMissing as error:
        pytest.skip(f"{name} is not repeated: {error}")
    assert store.agree(cheapest.metrics, again, EXPERIMENTS[name].tolerance), (cheapest.metrics, again)
