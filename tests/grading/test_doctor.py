"""The doctor finds a sound box sound, and each weakened one by the attack that gets through."""

import os

import pytest

from course_lib.grading import bubblewrap, doctor, kernel
from course_lib.grading.limits import BoxError


@pytest.mark.box
def test_a_sound_box_holds_all_attacks():
    findings = doctor.examine()
    assert len(findings) == 8
    assert [finding for finding in findings if not finding.ok] == []


def without(*names):
    """The options without these words."""
    real = bubblewrap.options
    return lambda *given: [word for word in real(*given) if word not in names]


def with_more(*words):
    real = bubblewrap.options
    return lambda *given: [*real(*given), *words]


def escaped(monkeypatch, options):
    monkeypatch.setattr(bubblewrap, "options", options)
    return {finding.attack for finding in doctor.examine(quick=True) if not finding.ok}


@pytest.mark.box
def test_a_network_is_found(monkeypatch):
    assert escaped(monkeypatch, with_more("--share-net")) == {"connect to this machine"}


@pytest.mark.box
def test_folders_of_ours_are_found(monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    visible = ("--bind", str(tmp_path), str(tmp_path))
    found = escaped(monkeypatch, lambda *given, real=bubblewrap.options: [*visible, *real(*given)])
    assert found == {"read a file outside", "write a file outside"}


@pytest.mark.box
def test_a_process_that_lives_on_is_found(monkeypatch):
    found = escaped(monkeypatch, without("--unshare-all", "--die-with-parent", "--unshare-user", "--disable-userns"))
    assert "outlive the box" in found


@pytest.mark.box
def test_missing_limits_are_found(monkeypatch):
    monkeypatch.setattr(kernel, "restrict", lambda *_: None)
    monkeypatch.setattr(kernel, "used", lambda _: 0)
    found = {finding.attack for finding in doctor.examine() if not finding.ok}
    assert found == {"use four times the memory", "start processes without end"}


def test_root_and_no_box_are_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(BoxError, match="ordinary account"):
        doctor.examine()
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BoxError, match="bubblewrap is not installed"):
        doctor.examine()
