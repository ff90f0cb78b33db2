"""System calls that no answer needs and a box refuses: uncounted memory, ways into other processes and the kernel.

The filter is a program for the kernel's own small machine, four fields an instruction: what to do, how far to jump if
true, if false, and a number (linux/filter.h, linux/seccomp.h).
"""

import errno
import platform
import struct
from collections.abc import Iterable

# By machine: its number in linux/audit.h, `socket`, and what is refused.
MACHINES = {
    "x86_64": (0xC000003E, 41),
    "aarch64": (0xC00000B7, 198),
}
REFUSED = {
    "memfd_create": (319, 279),  # memory in files without a name: no limit of ours counts it
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "mq_open": (240, 180),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "pivot_root": (155, 41),
    "open_by_handle_at": (304, 265),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "kexec_load": (246, 104),
}
FAMILIES = (1, 2, 10, 16)  # unix, internet 4 and 6, netlink: a box has its own; others, such as vsock, reach out
LOAD, EQUAL, AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
CALL, MACHINE, FIRST = 0, 4, 16  # where the number, the machine and the first argument lie in a call's description
ALLOW, KILL, REFUSE = 0x7FFF0000, 0x80000000, 0x00050000
FOREIGN = 0x40000000  # the first number of calls for another kind of program (x32)


def program(machine: str = "") -> bytes:
    """The filter for a machine as ``platform.machine()`` names it, by default this one; it allows all on others."""
    machine = machine or platform.machine()
    if machine not in MACHINES:
        return _packed([(RETURN, 0, 0, ALLOW)])
    column = list(MACHINES).index(machine)
    number, socket = MACHINES[machine]
    lines = [(LOAD, 0, 0, MACHINE), (EQUAL, 1, 0, number), (RETURN, 0, 0, KILL), (LOAD, 0, 0, CALL)]
    lines += [(AT_LEAST, 0, 1, FOREIGN), (RETURN, 0, 0, REFUSE | errno.ENOSYS)]
    for numbers in REFUSED.values():
        lines += [(EQUAL, 0, 1, numbers[column]), (RETURN, 0, 0, REFUSE | errno.EPERM)]
    lines += [(EQUAL, 1, 0, socket), (RETURN, 0, 0, ALLOW), (LOAD, 0, 0, FIRST)]
    for family in FAMILIES:
        lines += [(EQUAL, 0, 1, family), (RETURN, 0, 0, ALLOW)]
    return _packed([*lines, (RETURN, 0, 0, REFUSE | errno.EAFNOSUPPORT)])


def _packed(lines: Iterable[tuple[int, int, int, int]]) -> bytes:
    return b"".join(struct.pack("=HBBI", *line) for line in lines)
