"""Runs on other processes and machines: the same numbers, nothing lost by a kill, nothing finished repeated."""

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from course_lib.experiments import command, executors, runner, store
from course_lib.experiments.runner import RunnerError
from tests.toy_experiment import main, toy

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Results go to an empty folder."""
    monkeypatch.setattr(store, "FOLDER", tmp_path)
    return tmp_path


def numbers(results):
    return {(each.setting["level"], each.seed): each.metrics for each in results}


@pytest.fixture
def alone(folder, monkeypatch):
    """What the toy measures here, one after another."""
    monkeypatch.setattr(store, "FOLDER", folder / "alone")
    expected = numbers(runner.run(toy(), 3))
    monkeypatch.setattr(store, "FOLDER", folder)
    return expected


def test_threads_of_one_process_do_not_disturb_each_other(alone):
    with ThreadPoolExecutor(4) as executor:
        assert numbers(runner.run(toy(), 3, executor)) == alone


def test_processes_give_the_same_numbers_repeat_nothing_and_end(folder, alone):
    with executors.processes(2) as executor:
        assert numbers(runner.run(toy(), 3, executor)) == alone
        assert numbers(store.load("toy")) == alone
        assert runner.missing(toy(), 3) == []
        noted = toy(4, note=str(folder / "made"))
        assert [len(list(runner.run(noted, seeds, executor))) for seeds in (2, 3, 3)] == [8, 4, 0]
        assert len((folder / "made").read_text().splitlines()) == 12
    assert [child for child in psutil.Process().children() if "spawn_main" in " ".join(child.cmdline())] == []


def test_a_worker_that_dies_is_one_sentence_and_the_command_goes_on(folder, alone):
    deadly = toy(3, dies=str(folder / "died"), seconds=0.1)
    with pytest.raises(RunnerError, match=r"toy: a worker died or was closed, .* the same command goes on from there"):
        with executors.processes(1) as executor:
            list(runner.run(deadly, 3, executor))
    with executors.processes(1) as executor:
        list(runner.run(deadly, 3, executor))
    assert numbers(store.load("toy")) == alone


def check_whole(folder, kills, under_way):
    """Every run is stored once, and only what was under way or not yet written at a kill was made twice."""
    stored = [(each.setting["level"], each.seed) for each in store.load("toy")]
    assert sorted(stored) == [(level, seed) for level in range(10) for seed in range(4)]
    repeated = len((folder / "made").read_text().splitlines()) - len(stored)
    assert 0 <= repeated <= kills * under_way


def wait_for_runs(folder, process, more):
    """Until the process has made so many more runs."""
    made = folder / "made"
    before = len(made.read_text().splitlines()) if made.exists() else 0
    while process.is_alive() and (len(made.read_text().splitlines()) if made.exists() else 0) < before + more:
        time.sleep(0.002)


def test_ten_kills_at_random_moments_lose_nothing_and_repeat_nothing(folder):
    chance, context = random.Random(0), multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.toy_experiment"])
    for kill in range(10):
        process = context.Process(target=main, args=(str(folder), 0))
        process.start()
        wait_for_runs(folder, process, more=1)
        time.sleep(chance.random() * 0.05)
        os.kill(process.pid, signal.SIGKILL if kill % 2 else signal.SIGTERM)
        process.join(30)
    stored = len(store.load("toy"))
    assert 5 <= stored < 40  # the kills came before the end
    main(str(folder), 0)
    check_whole(folder, kills=10, under_way=1)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_kill_ends_the_worker_processes_too(folder, how):
    arguments = [sys.executable, "-m", "tests.toy_experiment", str(folder), "2"]
    process = psutil.Popen(arguments, cwd=ROOT, stderr=subprocess.DEVNULL)
    process.is_alive = lambda: process.poll() is None
    wait_for_runs(folder, process, more=2)
    workers = process.children(recursive=True)
    assert len(workers) >= 2
    process.send_signal(how)
    process.wait(30)
    assert psutil.wait_procs(workers, timeout=20)[1] == []
    main(str(folder), 0)
    check_whole(folder, kills=1, under_way=6)


def test_the_command_says_the_plan_first_and_then_each_result(capsys, alone):
    command.run(toy(), 2, workers=1)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "toy: 6 runs, none measured so far"
    assert sum("seed" in line for line in lines[1:]) == 6
    command.run(toy(), 2)
    assert capsys.readouterr().out == "toy: all 2 seeds of 3 settings are stored\n"


# Dask


@pytest.fixture(scope="module")
def scheduler():
    """A scheduler with two workers, each a process."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as cluster:
        yield cluster


def test_a_dask_cluster_gives_the_same_numbers(scheduler, alone):
    with executors.cluster(scheduler.scheduler_address) as executor:
        assert numbers(runner.run(toy(), 3, executor)) == alone


def test_the_command_takes_a_scheduler(scheduler, alone, capsys):
    command.run(toy(), 3, scheduler=scheduler.scheduler_address)
    assert numbers(store.load("toy")) == alone


def test_a_worker_killed_half_way_changes_nothing(scheduler, alone):
    slow = toy(3, seconds=0.3)
    victim = next(iter(scheduler.workers.values())).pid
    threading.Timer(0.7, os.kill, (victim, signal.SIGKILL)).start()
    with executors.cluster(scheduler.scheduler_address) as executor:
        assert numbers(runner.run(slow, 3, executor)) == alone


def test_an_address_where_nobody_answers_is_one_sentence(monkeypatch):
    monkeypatch.setattr(executors, "PATIENCE", "0.5s")
    for address in ("tcp://127.0.0.1:1", "nonsense://"):
        with pytest.raises(RunnerError, match=f"no Dask scheduler answers at '{address}'.*dask scheduler"):
            with executors.cluster(address):
                pass


def test_without_dask_the_message_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(RunnerError, match=r'pip install "course-lib\[cluster\]"'):
        with executors.cluster("tcp://127.0.0.1:1"):
            pass
