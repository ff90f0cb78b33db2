"""The doctor finds a sound box sound, and each weakened one by the attack that gets through."""

import os
from dataclasses import replace

import pytest

from course_lib.grading import box, bubblewrap, doctor, kernel
from course_lib.grading.limits import BoxError


@pytest.mark.box
def test_a_sound_box_holds_all_attacks():
    findings = doctor.examine()
    assert len(findings) == 8
    assert [finding for finding in findings if not finding.ok] == []


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
    real, where = bubblewrap.options, tmp_path.parents[-2]  # /tmp, where the canary is
    options = [("--bind", str(where), str(where)), ("--symlink", bubblewrap.HOME, "/tmp")]

    def open_folder(*given):
        words = real(*given)
        at = words.index("/tmp") - 2
        return [*options[0], *words[:at], *words[at + 3 :]]

    assert escaped(monkeypatch, open_folder) == {"read a file outside", "write a file outside"}


@pytest.mark.box
def test_a_box_without_process_numbers_of_its_own_does_not_start(monkeypatch):
    real = bubblewrap.options
    swapped = {"--unshare-all": "--unshare-uts"}
    monkeypatch.setattr(box, "PATIENCE", 1.0)
    with pytest.raises(BoxError):
        escaped(monkeypatch, lambda *given: [swapped.get(word, word) for word in real(*given)])


@pytest.mark.box
def test_missing_limits_are_found(monkeypatch):
    monkeypatch.setattr(kernel, "restrict", lambda *_: None)
    monkeypatch.setattr(kernel, "used", lambda _: 0)
    monkeypatch.setattr(doctor, "ATTACKS", (doctor._allocate, doctor._fork))
    assert [finding.ok for finding in doctor.examine(replace(doctor.SHORT, memory=64 << 20, processes=16))] == [
        False
    ] * 2


def test_a_process_without_a_box_escapes_every_time(unboxed):
    assert {finding.attack: finding.ok for finding in doctor.examine(box=unboxed, quick=True)} == {
        "read a file outside": False,
        "write a file outside": False,
        "connect to this machine": False,
        "outlive the box": False,
    }


def test_root_and_no_box_are_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(BoxError, match="ordinary account"):
        doctor.examine()
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BoxError, match="bubblewrap is not installed"):
        doctor.examine()
