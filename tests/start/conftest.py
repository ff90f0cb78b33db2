"""What the tests of the door share."""

import pytest

from tests.start.machine import Machine


@pytest.fixture
def machine(tmp_path, monkeypatch):
    return Machine(tmp_path, monkeypatch)


@pytest.fixture
def fails(machine, capsys):
    """Start, and return the one sentence that tells why it did not work."""

    def start(*words, code=1):
        assert machine.start.main(list(words)) == code
        sentence = capsys.readouterr().err
        assert sentence.count("\n") == 1
        assert sentence.endswith("\n")
        assert "Traceback" not in sentence
        assert machine.handed == []
        return sentence

    return start
