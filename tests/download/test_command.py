"""The command `course data`: the list, the question, and one sentence for what goes wrong."""

import pytest

from course_lib import cli
from course_lib.data import download
from tests.download.offers import get


def test_the_list_says_what_is_here(numbers, capsys):
    assert cli.main(["data", "list"]) == 0
    get()
    assert cli.main(["data", "list"]) == 0
    before, after = (line.split() for line in capsys.readouterr().out.splitlines())
    assert (before[:4], after[:4]) == (["numbers", "0.5", "MB", "-"], ["numbers", "0.5", "MB", "here"])


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("yes", 0), ("n", 1), ("", 1), (EOFError, 1)])
def test_the_command_asks_first(numbers, monkeypatch, capsys, answer, code):
    def ask(prompt):
        if answer is EOFError:
            raise EOFError
        return answer

    monkeypatch.setattr("builtins.input", ask)
    assert cli.main(["data", "get", "numbers"]) == code
    assert (numbers / "numbers.bin").exists() == (code == 0)
    output = capsys.readouterr()
    assert "public domain" in output.out
    assert ("nothing was downloaded" in output.err) == (code == 1)


def test_yes_asks_nothing(numbers, monkeypatch, capsys):
    monkeypatch.setattr("builtins.input", None)
    assert cli.main(["data", "get", "numbers", "--yes"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(numbers)


@pytest.mark.parametrize("words", [["get"], ["get", "nothing"]])
def test_a_wrong_name_is_misunderstood(words, capsys):
    assert cli.main(["data", *words]) == 2
    assert "known: jsb_chorales" in capsys.readouterr().err


def test_a_failure_is_one_sentence(server, numbers, capsys):
    server.behaviour["status"] = 404
    assert cli.main(["data", "get", "numbers", "--yes"]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_ctrl_c_is_one_sentence(numbers, monkeypatch, capsys):
    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(download, "_write", interrupted)
    assert cli.main(["data", "get", "numbers", "--yes"]) == 130
    assert "go on with: course data get numbers" in capsys.readouterr().err
