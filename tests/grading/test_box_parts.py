"""What a box is made of: refusals with their cures, limits, control groups, the filter of system calls."""

import errno
import os
import resource
import struct
import sys

import pytest

from course_lib.grading import box, bubblewrap, cgroup, kernel, seccomp
from course_lib.grading.box import Box, BoxError, Limits

SMALL = Limits(wall=10, memory=256 << 20, processes=24)


def test_root_is_refused_with_the_cure(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(BoxError, match=r"ordinary account.*adduser"):
        Box(("/usr/bin/env",), {}, SMALL)


def test_a_missing_or_old_bubblewrap_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BoxError, match="apt-get install bubblewrap"):
        Box(("/usr/bin/env",), {}, SMALL)
    (tmp_path / "bwrap").write_text("#!/bin/sh\necho bubblewrap 0.6.1\n")
    (tmp_path / "bwrap").chmod(0o755)
    with pytest.raises(BoxError, match=r"0\.6\.1 is too old.*0\.8"):
        Box(("/usr/bin/env",), {}, SMALL)


@pytest.mark.parametrize(
    "said",
    [
        "bwrap: setting up uid map: Permission denied",
        "bwrap: No permissions to create new namespace, likely because the kernel does not allow non-privileged user",
        "bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted",
        "bwrap: Can't mount proc on /newroot/proc: Operation not permitted",
    ],
)
def test_refused_namespaces_have_a_cure(said):
    assert all(word in bubblewrap.cure(said) for word in (said, "AppArmor profile", "seccomp", "container backend"))


def test_a_home_folder_as_environment_is_refused(monkeypatch):
    monkeypatch.setattr(sys, "prefix", os.path.expanduser("~"))
    with pytest.raises(BoxError, match="use a venv"):
        bubblewrap.readable()


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden", "a\0b", "/abs"])
def test_a_file_in_the_box_has_a_plain_name(monkeypatch, name):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(ValueError, match="files has"):
        Box(("/usr/bin/env",), {name: b""}, SMALL)


def test_a_limit_of_nothing_is_no_limit_and_refused():
    with pytest.raises(ValueError, match="wall is 0"):
        Limits(wall=0)


def test_text_for_a_terminal_is_harmless():
    assert box.clean("a\x1b[2Jb\x1b]0;title\x07c\x00\x9b1m\u202e\n\td\re") == "abc\ufffd\ufffd1m\ufffd\n\td\re"


def test_limits_never_exceed_what_the_account_may(monkeypatch):
    kept = resource.prlimit(os.getpid(), resource.RLIMIT_NOFILE)
    asked = []
    monkeypatch.setattr(resource, "prlimit", lambda pid, kind, pair=None: asked.append((kind, pair)) or (5, 10))
    kernel.restrict(os.getpid(), Limits(), True)
    pairs = dict(pair for pair in asked if pair[1])
    assert pairs[resource.RLIMIT_NOFILE] == (10, 10)
    assert resource.RLIMIT_AS not in pairs
    assert kept


@pytest.mark.parametrize("machine", seccomp.MACHINES)
def test_the_filter_of_system_calls_refuses_by_number(machine):
    def verdict(call, first=0, kind=seccomp.MACHINES[machine][0]):
        """What the kernel's machine makes of the filter."""
        lines, at, held = list(struct.iter_unpack("=HBBI", seccomp.program(machine))), 0, 0
        data = {seccomp.CALL: call, seccomp.MACHINE: kind, seccomp.FIRST: first}
        while True:
            what, true, false, number = lines[at]
            if what == seccomp.RETURN:
                return number
            held = data[number] if what == seccomp.LOAD else held
            met = held == number if what == seccomp.EQUAL else held >= number
            at += 1 if what == seccomp.LOAD else 1 + (true if met else false)

    column, (_, socket_call) = list(seccomp.MACHINES).index(machine), seccomp.MACHINES[machine]
    for numbers in seccomp.REFUSED.values():
        assert verdict(numbers[column]) == seccomp.REFUSE | errno.EPERM
    assert verdict(0) == verdict(socket_call, 1) == verdict(socket_call, 2) == seccomp.ALLOW
    assert verdict(socket_call, 40) == seccomp.REFUSE | errno.EAFNOSUPPORT
    assert verdict(0, kind=0x40000003) == seccomp.KILL
    assert verdict(seccomp.FOREIGN + 1) == seccomp.REFUSE | errno.ENOSYS
    assert len(seccomp.program("riscv64")) == 8


def groups(tmp_path, version):
    """Something that looks like control groups in which ours may make others."""
    own = tmp_path / "own"
    if version == 2:
        (tmp_path / "cgroup.controllers").write_text("memory pids")
        own.write_text("0::/user/me\n")
        (tmp_path / "user" / "me").mkdir(parents=True)
    else:
        own.write_text("5:memory:/me\n4:pids:/me\n3:cpu:/\n0::/\n")
        for name in ("memory", "pids"):
            (tmp_path / name / "me").mkdir(parents=True)
    return own


@pytest.mark.parametrize("version", [1, 2])
def test_control_groups_hold_the_limits_where_we_may_make_them(tmp_path, version):
    group = cgroup.Cgroup((122, 123), SMALL, tmp_path, groups(tmp_path, version))
    assert len(group.folders) == (2 if version == 1 else 1)
    for folder in group.folders:
        assert (folder / "cgroup.procs").read_text() == "123"
    wanted = {1: ("memory.limit_in_bytes", "pids.max"), 2: ("memory.max", "pids.max")}[version]
    assert [(folder / name).read_text() for folder, name in zip(group.folders * 2, wanted)] == [
        str(SMALL.memory), str(SMALL.processes)
    ]  # fmt: skip
    assert not group.out_of_memory()
    (group.folders[0] / "memory.events").write_text("oom 3\noom_kill 1\n")
    assert group.out_of_memory()


def test_without_control_groups_nothing_is_held(tmp_path):
    for own in (tmp_path / "none", groups(tmp_path, 1)):
        group = cgroup.Cgroup((1,), SMALL, tmp_path / "elsewhere", own)
        assert (group.folders, group.held, group.out_of_memory()) == ([], False, False)
        group.remove()
