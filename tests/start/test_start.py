"""What does start.py do with its words, which PyTorch does it take, and when is there anything to do?"""

import sys

import pytest

from tests.start.machine import NOT_THERE, UNREACHABLE

# Words


def test_no_words_open_the_lessons(machine):
    assert machine.start.main([]) == 0
    assert machine.handed == [["-m", "course_lib.cli", "lab"]]


@pytest.mark.parametrize(
    "words", [["lab", "--no-browser", "--port", "1", "03"], ["run", "02"], ["build"], ["--version"]]
)
def test_other_words_go_to_the_course_command_as_they_are(machine, words):
    assert machine.start.main(words) == 0
    assert machine.handed == [["-m", "course_lib.cli", *words]]
    assert machine.stamp()["extras"] == ["course"]


def test_test_runs_everything(machine):
    assert machine.start.main(["test", "-x", "tests/test_grid.py"]) == 0
    assert machine.handed == [["-m", "pytest", "-x", "tests/test_grid.py"]]
    assert machine.pips[-1][-2:] == ["-e", ".[course,test]"]


def test_quick_runs_the_unit_tests_only(machine):
    assert machine.start.main(["test", "--quick", "-x"]) == 0
    assert machine.handed == [["-m", "pytest", "-m", "not notebook and not browser", "-x"]]


@pytest.mark.parametrize("word", ["-h", "--help"])
def test_help_installs_nothing(machine, capsys, word):
    assert machine.start.main([word]) == 0
    said = capsys.readouterr().out
    assert all(word in said for word in ("lab", "run", "test", "--quick", "build", "reset", "new-lesson"))
    assert machine.venvs == len(machine.pips) == len(machine.handed) == 0


# Which PyTorch


def test_the_cpu_build_comes_from_where_pip_is_set_up_to_look(machine, capsys):
    machine.start.main(["lab"])
    assert machine.pips[0][-1] == "torch==2.13.0+cpu"
    assert "PyTorch 2.13.0: the CPU build, because there is no NVIDIA driver.\n" in capsys.readouterr().out
    assert machine.steps() == ["own", "main"]


def test_the_cpu_build_comes_else_from_pytorchs_index(machine):
    machine.answers["own"] = 1, NOT_THERE
    machine.start.main(["lab"])
    own, index, main = machine.pips
    assert index[index.index("--index-url") + 1] == "https://download.pytorch.org/whl/cpu"
    assert "--no-deps" in index
    assert index[index.index("--timeout") + 1] == "15"
    assert index[index.index("--retries") + 1] == "1"
    assert not any("pytorch.org" in word for word in own + main)


def test_the_default_build_is_the_last_resort(machine, capsys):
    machine.answers.update(own=(1, NOT_THERE), index=(1, UNREACHABLE))
    assert machine.start.main(["lab"]) == 0
    assert "No CPU build can be reached, so the default build is taken; it brings CUDA" in capsys.readouterr().out
    assert machine.steps() == ["own", "index", "main"]


def test_the_default_build_is_not_begun_on_a_small_disk(machine, fails):
    machine.answers.update(own=(1, NOT_THERE), index=(1, UNREACHABLE))
    machine.gigabytes = 9
    assert fails("lab") == "Not enough disk: 10.5 GB are needed, 9.0 GB are free; make room first.\n"
    assert machine.steps() == ["own", "index"]


def test_a_driver_gets_the_default_build(machine, capsys):
    machine.driver = True
    machine.start.main(["lab"])
    assert "PyTorch 2.13.0: the default build, because there is an NVIDIA driver" in capsys.readouterr().out
    assert machine.steps() == ["main"]


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_other_systems_get_the_default_build(machine, capsys, monkeypatch, platform):
    monkeypatch.setattr(sys, "platform", platform)
    machine.gigabytes = 5  # enough without CUDA
    machine.start.main(["lab"])
    assert f"PyTorch 2.13.0: the default build, because this is {platform}.\n" in capsys.readouterr().out
    assert machine.steps() == ["main"]


def test_a_pytorch_of_the_right_version_stays(machine, capsys):
    machine.make(machine.start.VENV)
    machine.torch = "2.13.0+cu130"
    machine.start.main(["lab"])
    assert "PyTorch" not in capsys.readouterr().out
    assert machine.steps() == ["main"]


def test_a_pytorch_of_another_version_is_replaced(machine):
    machine.make(machine.start.VENV)
    machine.torch = "2.13.1"
    machine.start.main(["lab"])
    assert machine.steps() == ["own", "main"]


# When is there anything to do


def test_the_first_start_says_what_it_costs(machine, capsys):
    machine.start.main(["test"])
    said = capsys.readouterr().out
    assert "Installing into .venv (course and test): 0.4 GB to download, 1.5 GB on disk, once.\n" in said
    assert "The environment is ready (" in said


def test_the_kernel_is_compiled_once(machine, capsys):
    for words in (["lab"], ["run"]):
        machine.start.main(words)
    assert machine.compiled == 1
    assert "run in Python" not in capsys.readouterr().out


def test_without_a_compiler_the_start_says_so_and_goes_on(machine, capsys):
    machine.engine = "python"
    assert machine.start.main(["lab"]) == 0
    assert "so stacks run in Python: the same numbers" in capsys.readouterr().out
    assert machine.handed


def test_the_second_start_installs_nothing_and_says_nothing(machine, capsys):
    machine.start.main(["lab"])
    machine.steps(), capsys.readouterr()
    machine.start.main(["run"])
    assert capsys.readouterr().out == ""
    assert (machine.steps(), machine.venvs, len(machine.handed)) == ([], 1, 2)


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_a_changed_file_is_followed(machine, capsys, name):
    machine.start.main(["lab"])
    machine.steps(), capsys.readouterr()
    with open(machine.folder / name, "a", encoding="utf-8") as file:
        file.write("# changed\n")
    machine.start.main(["lab"])
    assert capsys.readouterr().out.startswith("Installing into .venv (course).\n")
    assert (machine.steps(), machine.venvs) == (["main"], 1)
    machine.start.main(["lab"])
    assert machine.steps() == []


def test_extras_only_grow(machine):
    machine.start.main(["lab"])
    machine.start.main(["test"])
    assert machine.pips[-1][-1] == ".[course,test]"
    machine.steps()
    machine.start.main(["lab"])
    assert machine.steps() == []
    (machine.folder / "constraints.txt").write_text("torch==2.13.0\n", encoding="utf-8")
    machine.start.main(["lab"])
    assert machine.pips[-1][-1] == ".[course,test]"
    assert machine.stamp()["extras"] == ["course", "test"]


def test_a_working_environment_of_another_hand_is_taken_over(machine):
    machine.make(machine.start.VENV)
    machine.start.main(["lab"])
    assert machine.venvs == 1
    assert machine.stamp()["versions"] == ["3.11", "2.13.0+cpu"]


@pytest.mark.parametrize(
    "stamp", ["", "{", "[1]", "7", '{"extras": []}', '{"extras": 3}', '{"extras": null}', "null", '{"extras": [1]}']
)
def test_an_unreadable_stamp_counts_as_none(machine, stamp):
    machine.start.main(["lab"])
    machine.steps()
    machine.start.STAMP.write_text(stamp, encoding="utf-8")
    assert machine.start.main(["lab"]) == 0
    assert machine.steps() == ["main"]
