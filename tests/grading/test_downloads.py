"""Hostile downloads: links, pipes, devices, huge files; each is rejected, and the others are taken."""

import os
import socket
import stat
import tracemalloc

import pytest

from course_lib.grading import downloads
from course_lib.grading.receipts import Rejected
from tests.grading.downloaded import SECRET, hostile, notebook, rejected


@pytest.fixture
def world(tmp_path):
    return hostile(tmp_path)


def ann(world):
    return world.down / "ann_ps1.ipynb"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path, outside: path.symlink_to(outside), "a link, which is never read; hand in the notebook itself"),
        (lambda path, outside: path.symlink_to("/nowhere"), "a link"),
        (lambda path, outside: path.symlink_to(path), "a link"),
        (lambda path, outside: path.symlink_to(outside.parent), "a link"),
        (lambda path, outside: os.link(outside, path), "a hard link: the same file has 2 names"),
        (lambda path, outside: os.mkfifo(path), "a pipe"),
        (lambda path, outside: path.mkdir(), "a folder"),
    ],
    ids=["link", "dangling", "loop", "link to a folder", "hard link", "pipe", "folder"],
)
@pytest.mark.skipif(os.name == "nt", reason="Windows has no pipes and grants few accounts links")
def test_what_is_no_plain_file_is_never_read(world, make, words):
    make(ann(world), world.outside)
    assert words in rejected(world)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such sockets")
def test_a_socket_is_never_opened(world, monkeypatch):
    monkeypatch.chdir(world.down)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("ann_ps1.ipynb")
        assert "a socket" in rejected(world)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root makes devices")
def test_a_device_is_never_opened(world):
    try:
        os.mknod(ann(world), stat.S_IFCHR | 0o666, os.makedev(1, 5))  # /dev/zero
    except PermissionError:
        pytest.skip("this system grants no devices")
    assert "a device" in rejected(world)


@pytest.mark.skipif(os.name == "nt", reason="Windows grants few accounts links")
@pytest.mark.parametrize("place", ["ann", "submitted/ann", "submitted/ann/ps1"])
def test_a_folder_behind_a_link_is_not_entered(world, tmp_path, place):
    world.put("ps1/ps1.ipynb", notebook(f"'{SECRET}'"), root=tmp_path / "elsewhere")
    target = tmp_path / "elsewhere" / ("ps1" if place.endswith("ps1") else "")
    (world.down / place).parent.mkdir(parents=True, exist_ok=True)
    (world.down / place).symlink_to(target)
    result = world.take()
    assert "ann" in result.missing
    assert result.warnings == (f"no hand-ins, and nobody's: {place}",)


@pytest.mark.skipif(os.name == "nt", reason="Windows grants few accounts links")
def test_a_link_beside_a_hand_in_is_not_read_either(world):
    (world.down / "submitted" / "ann" / "ps1").mkdir(parents=True)
    (world.down / "submitted" / "ann" / "ps1" / "timestamp.txt").symlink_to(world.outside)
    (world.down / "submitted" / "ann" / "ps1" / "data.txt").symlink_to("/etc/shadow")
    world.put("submitted/ann/ps1/ps1.ipynb", notebook("x = 'ann'"))
    world.take()
    place = world.book / "submitted" / "ann" / "ps1"
    assert sorted(path.name for path in place.iterdir()) == ["ps1.ipynb", "timestamp.txt", "variant.json"]
    assert world.rows()["submitted/ann/ps1/ps1.ipynb"] == ("taken", "left out: data.txt")


@pytest.mark.skipif(os.name == "nt", reason="Windows grants few accounts links")
@pytest.mark.parametrize(("swap", "words"), [(os.replace, "was replaced while"), (os.symlink, "cannot be opened")])
def test_a_file_that_is_swapped_while_it_is_opened_is_rejected(world, monkeypatch, swap, words):
    path = world.put("ann_ps1.ipynb", notebook())
    real = os.open

    def swapped(name, flags, *more):
        if str(name) == str(path):
            path.rename(path.with_suffix(".old"))
            swap(world.outside, path)
        return real(name, flags, *more)

    monkeypatch.setattr(os, "open", swapped)
    with pytest.raises(Rejected, match=words):
        downloads.open_plain(path)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_the_right_to_read_it_is_rejected(world):
    ann(world).write_bytes(notebook())
    ann(world).chmod(0)
    assert "mend its permissions" in rejected(world)


def test_a_huge_file_is_never_read_whole(world):
    with open(ann(world), "wb") as stream:
        stream.truncate(500 * 2**20)
    tracemalloc.start()
    try:
        assert "larger than 5 MB; in JupyterLab choose Kernel" in str(world.take() and world.reasons())
        assert tracemalloc.get_traced_memory()[1] < 50 * 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "data", [b"", b'{"nbformat": 4, "cells": [', bytes(range(256)), b"[" * 10**6, b'{"nbformat": 3, "worksheets": []}']
)
def test_what_is_no_notebook_is_rejected(world, data):
    ann(world).write_bytes(data)
    assert "open it in JupyterLab" in rejected(world) or not data


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no such names")
def test_names_that_hide_what_they_say_are_shown_plainly(world):
    """A half surrogate pair, a turned direction, a line break, a formula."""
    for name in (
        b"\xff.ipynb",
        "x\u202egpj.ipynb".encode(),
        b"a\nb.ipynb",
        b"=1+1.ipynb",
        b"@x" + b"y" * 240 + b".ipynb",
    ):
        with open(os.path.join(os.fsencode(world.down), name), "wb") as stream:
            stream.write(notebook(name.hex()))
    world.take()
    files = sorted(file for file, (status, _) in world.rows().items() if status == "rejected")
    assert files[0] == "'=1+1.ipynb"
    assert files[1].startswith("'@xyyy")
    assert files[2:] == ["a\ufffdb.ipynb", "x\ufffdgpj.ipynb", "\ufffd.ipynb"]
    assert all(len(name) < 80 and name.isascii() for name in world.reasons())
    assert world.take().changed == ()


def test_folders_without_end_are_left(world):
    world.put("/".join("abcdefghijklmnop") + "/ann_ps1.ipynb", notebook())
    assert "nobody's: a/b/c/d/e/f/g/h/i/j/k" in world.take().warnings[0]
