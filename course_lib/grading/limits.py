"""How much a student's code may use, and the error of a box that cannot be had."""

from dataclasses import dataclass, fields

MIB = 1 << 20


class BoxError(RuntimeError):
    """There is no box, and so nothing runs; the message names the cure."""


@dataclass(frozen=True)
class Limits:
    """What a box allows: seconds of ``wall`` clock and ``cpu``, bytes of ``memory``, ``processes`` with their threads,
    bytes of one ``file``, of ``output`` that is kept, and of ``scratch`` for all files together; ``start`` is how many
    seconds Python may take until it is ready, on a machine that has other work as well.
    """

    wall: float | int = 60
    cpu: int = 45
    memory: int = 2048 * MIB
    processes: int = 64
    file: int = 64 * MIB
    output: int = MIB
    scratch: int = 256 * MIB
    start: float | int = 120

    def __post_init__(self):
        for field in fields(self):
            value = getattr(self, field.name)
            if not value > 0:
                raise ValueError(f"{field.name} is {value}; a limit must be more than 0; the defaults suit a lesson")
