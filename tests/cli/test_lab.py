"""`course lab`: the server, its address, its end."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from urllib.parse import urlsplit

import pytest

from course_lib import cli
from course_lib.publish import copies, lab
from tests.cli.samples import command, environment, until


def test_the_server_gets_what_it_needs(course, monkeypatch):
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "theirs")
    given = lab.lab_environment(course, course.root / "quiet")
    assert given["COURSE_MY"] == str(course.my.resolve())
    assert given["JUPYTER_CONFIG_PATH"].split(os.pathsep) == [str(course.root / "quiet"), "theirs"]
    assert len(given["JUPYTER_TOKEN"]) == 48

    line = lab.lab_command(course, "02_stacking", None, browser=True)
    assert line[:3] == [sys.executable, "-m", "jupyterlab"]
    assert f"--ServerApp.root_dir={course.root}" in line
    assert "--LabApp.default_url=/lab/tree/my/02_stacking.ipynb" in line
    assert not any("port" in word for word in line)
    assert "--no-browser" not in line
    strict = lab.lab_command(course, "02_stacking", 9123, browser=False)
    assert {"--ServerApp.port=9123", "--ServerApp.port_retries=0", "--no-browser"} <= set(strict)


@pytest.mark.skipif(os.name == "nt", reason="no root on Windows")
@pytest.mark.parametrize("user", [0, 1000])
def test_only_root_is_allowed_as_root(course, monkeypatch, user):
    monkeypatch.setattr(lab.os, "geteuid", lambda: user)
    assert ("--allow-root" in lab.lab_command(course, "02_stacking", None, browser=True)) == (user == 0)


@pytest.mark.parametrize("port", [0, 70000])
def test_a_port_that_is_none_is_refused(course, port, capsys):
    assert cli.main(["lab", "--port", str(port)]) == 1
    assert f"--port {port} is no port" in capsys.readouterr().err


def test_a_taken_port_is_one_sentence(course, capsys):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert cli.main(["lab", "--no-browser", "--port", str(port)]) == 1
    assert capsys.readouterr().err == (
        f"course: port {port} is taken; choose another with --port, or leave --port out\n"
    )


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(address, path):
    parts = urlsplit(address)
    with contextlib.closing(http.client.HTTPConnection(parts.netloc, timeout=30)) as connection:
        connection.request("GET", f"{path}?{parts.query}")
        answer = connection.getresponse()
        return answer.status, answer.read()


def refuses(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.notebook
@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_lab_serves_my_copies_quietly_and_ends_with_its_command(course, number):
    port = free_port()
    process = subprocess.Popen(
        command(course, "lab", "--no-browser", "--port", str(port), "2"),
        cwd=course.root,
        env=environment(course),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        address = next((line.strip() for line in process.stdout if line.startswith("http")), "")
        try:
            assert address.startswith(f"http://localhost:{port}/lab/tree/my/02_stacking.ipynb?token=")
            assert get(address, "/api/contents/my/02_stacking.ipynb")[0] == 200
            status, settings = get(address, "/lab/api/settings/@jupyterlab/apputils-extension:notification")
            assert status == 200
            news = json.loads(settings)["schema"]["properties"]
            assert (news["fetchNews"]["default"], news["checkForUpdates"]["default"]) == ("false", False)
        finally:
            process.send_signal(number)
            error = process.communicate(timeout=30)[1]
    assert process.returncode == 0, error
    assert "Traceback" not in error
    until(lambda: refuses(port), patience=5)
    assert sorted(path.name for path in course.my.iterdir()) == ["00_start_here.ipynb", "02_stacking.ipynb"]


@pytest.mark.notebook
def test_lab_tells_when_the_server_does_not_start(course, monkeypatch, capsys):
    monkeypatch.setattr(lab, "lab_command", lambda *words: [sys.executable, "-c", "raise SystemExit(7)"])
    assert cli.main(["lab", "--no-browser"]) == 1
    assert "JupyterLab ended before it answered, with code 7" in capsys.readouterr().err
    assert len(copies.make_copies(course)) == 0
