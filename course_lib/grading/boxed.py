"""A student's notebook in a box, which can be asked for values: the judge's side of the wire."""

import contextlib
import json
import secrets
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence

from course_lib.grading import wire
from course_lib.grading.box import Box, BoxError, Limits, clean
from course_lib.grading.problem import Ended, Unusable

COMMAND = (sys.executable, "-u", "-m", "course_lib.grading.worker")
GRACE = 5.0  # seconds in which a process that hung up may end by itself, so that its reason is known
SLACK = 10.0  # seconds beyond the wall time in which the box itself must have ended
LONGEST = 400  # characters of an error
ITSELF = "process ended (os._exit, a crash or a signal)"


class Boxed:
    """The cells of a notebook, run in a box when entered, one by one; ``call`` asks its functions.

    ``errors`` has what a cell raised; ``output``, ``seconds`` and ``why`` are those of the box; ``ended`` says during
    what it ended.
    Errors: BoxError if there is no box, or Python does not start in it.
    """

    def __init__(
        self,
        cells: Sequence[tuple[str, str]],
        variant: Mapping[str, object],
        limits: Limits,
        box: Callable[..., Box] = Box,
    ):
        self.cells, self.errors, self._ending = list(cells), {}, ""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                files = {"variant.json": json.dumps(variant).encode("utf-8")}
                self._box = box(COMMAND, files, limits, theirs)
            except BaseException:
                ours.close()
                raise
        self._socket = ours
        self._channel = wire.Channel(ours.fileno(), ours.fileno(), time.monotonic() + limits.start + SLACK)

    def __enter__(self) -> "Boxed":
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._box.close()

    @property
    def why(self) -> str:
        """The limit that ended the box, or nothing."""
        return self._box.why

    @property
    def ended(self) -> str:
        """Why nothing can be asked any more, or nothing."""
        return self._ending

    @property
    def output(self) -> str:
        """What the cells and the functions have printed."""
        return self._box.output

    @property
    def seconds(self) -> float:
        """How long the box was there since Python was ready; 0 while it is."""
        return self._box.seconds

    def call(self, name: str, *arguments: object) -> object:
        """What the student's function gives back; arrays for tensors. Errors: Unusable, Ended."""
        question = {"name": name, "arguments": [wire.encode(argument) for argument in arguments]}
        reply = self._ask(question, f"in `{name}`")
        if isinstance(reply.get("error"), str):
            raise Unusable(clean(reply["error"])[:LONGEST])
        try:
            return wire.decode(reply["value"])
        except (KeyError, wire.WireError) as error:
            raise self._forged(error) from None

    def _start(self) -> None:
        """Run the cells; a student's end there is no error, but nothing can be asked afterwards."""
        try:
            self._channel.receive()
        except (wire.Closed, wire.WireError):
            self._box.wait(GRACE)
            raise BoxError(f"Python does not start in the box: {self._box.why} {self.output[-600:]}") from None
        self._box.begin()
        self._channel.deadline = time.monotonic() + self._box.limits.wall + SLACK
        with contextlib.suppress(Ended, Unusable):
            for name, source in self.cells:
                where = f"in the cell {name.removeprefix('cell ')}"
                told = self._ask({"cell": source}, where, wire.SHORT).get("raised")
                if told and isinstance(told, str):
                    self.errors[name] = clean(told)[:LONGEST]

    def _ask(self, message: dict[str, object], where: str, longest: int = wire.LONGEST) -> dict[str, object]:
        """Send a request and return its reply, which bears the request's number. Errors: Ended, Unusable."""
        if self._ending:
            raise Ended(self._ending)
        number = secrets.token_hex(16)
        frame = wire.pack({"id": number, **message})
        try:
            self._channel.write(frame)
            reply = self._channel.receive(longest)
            if not isinstance(reply, dict) or reply.get("id") != number:
                raise wire.WireError("it answers no question")
        except wire.Closed:
            raise self._over(where) from None
        except wire.WireError as error:
            raise self._forged(error) from None
        return reply

    def _forged(self, error: Exception) -> Unusable:
        """End the conversation: our side of the box never writes such a reply."""
        self._ending = "stopped after an unusable reply"
        self._box.stop()
        return Unusable(f"unusable reply: {error}")

    def _over(self, where: str) -> Ended:
        """Find out why the process is gone."""
        self._box.wait(GRACE)
        named = self.why if self.why.endswith("limit") else f"limit on {self.why}"
        self._ending = f"{f'stopped by the {named}' if self.why else ITSELF} {where}"
        return Ended(self._ending)
