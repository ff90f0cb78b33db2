"""The container's command line has the box's limits; a script stands for the engine."""

import functools
import os
import sys

import pytest

from course_lib.grading import container, judge
from course_lib.grading.box import BoxError, Limits
from tests.grading.test_judge import SETS, cells, points


def test_a_container_gets_the_same_limits(tmp_path):
    (tmp_path / "variant.json").write_text("{}")
    line = " ".join(container.arguments("docker", "box-1", "course", tmp_path, Limits(memory=1 << 30, processes=9)))
    for words in (
        "docker run --interactive", "--network none", "--read-only", "--cap-drop ALL", "--user 65534:65534",
        "--security-opt no-new-privileges", "--pids-limit 9", "--memory 1073741824 --memory-swap 1073741824",
        "--tmpfs /box:rw,nosuid,nodev,size=268435456", "--ulimit cpu=45:46", "/variant.json:/box/variant.json:ro",
        "course_lib:/course/course_lib:ro", "PYTHONPATH=/course",
    ):  # fmt: skip
        assert words in line
    assert "--privileged" not in line
    assert line.endswith("--workdir /box course")


def test_a_notebook_is_judged_through_an_engine(toy, rng, tmp_path, monkeypatch):
    """The engine is a script that records its words and runs the command after the image's name."""
    script = tmp_path / "docker"
    script.write_text(
        '#!/bin/sh\necho "$@" >> ' + f"{tmp_path}/said\n"
        'test "$1" = run || exit 0\nwhile [ "$1" != course ]; do\n'
        'case "$1" in *:/box/variant.json:ro) cp "${1%%:*}" '
        + f"{tmp_path}/variant.json;; esac; shift; done; shift 2\n"
        f"cd {tmp_path}; export PYTHONPATH={os.path.dirname(os.path.dirname(container.bubblewrap.PACKAGE / 'x'))}\n"
        f'exec {sys.executable} "$@"\n'
    )
    script.chmod(0o755)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(container, "engine", lambda: str(script))
    outcome = judge.grade(cells(), toy, SETS, rng, Limits(), functools.partial(container.Container, image="course"))
    assert (outcome.status, points(outcome)) == ("graded", {"1": 2.0, "2": 3.0}), outcome
    said = (tmp_path / "said").read_text().splitlines()
    assert [line.split()[0] for line in said] == ["run", "kill", "rm"]


def test_no_engine_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BoxError, match="apt-get install podman"):
        container.engine()
