"""Runs in the box: the student's cells, then calls of their functions by name; it knows no right answer.

Whatever a student does to this process can only change the values that it sends.
"""

import os
import resource
import sys

import torch
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from course_lib.grading import wire
from course_lib.grading.local import Local
from course_lib.grading.problem import Unusable

LONGEST = 400  # characters of an error


class Shell(InteractiveShell):
    """A notebook's shell without a screen: `%matplotlib inline` is allowed and shows nothing."""

    def enable_gui(self, gui: object = None) -> None:
        """Do nothing; plots are drawn in memory."""


def main() -> None:
    """Take messages from stdin and answer on stdout; what the student prints goes to stderr."""
    channel = _channel()
    torch.set_num_threads(1)
    shell = Shell.instance(config=_config())
    try:
        channel.send({"ready": True})
        while True:
            asked = channel.receive()
            reply = {"raised": run(shell, asked["cell"])} if "cell" in asked else answer(shell, asked)
            channel.send({"id": asked["id"], **reply})
    except wire.Closed:
        os._exit(0)


def run(shell: InteractiveShell, source: str) -> str:
    """Run one cell and return what it raised, or nothing."""
    try:
        result = shell.run_cell(source, store_history=False)
        error = result.error_before_exec or result.error_in_exec
    except BaseException as raised:  # sys.exit in a hook of the shell, for example
        error = raised
    return "" if error is None else described(error)


def answer(shell: InteractiveShell, asked: dict) -> dict:
    """The value of a call as the wire carries it, or the reason why there is none."""
    name = asked["name"]
    try:
        if not callable(shell.user_ns.get(name)):
            raise Unusable(f"`{name}` is not defined")
        value = wire.encode(Local(shell.user_ns).call(name, *(wire.decode(each) for each in asked["arguments"])))
        wire.pack(value)  # an answer that is too long is the student's, not ours
        return {"value": value}
    except BaseException as error:
        told = str(error) if isinstance(error, Unusable) else described(error)
        return {"error": told.encode("utf-8", "replace").decode()[:LONGEST]}


def described(error: BaseException) -> str:
    """The error's kind and text in one line, and what memory there was if that was too little."""
    try:
        text = " ".join(f"{type(error).__name__}: {error}".split()).removesuffix(":")
    except BaseException:  # an error whose own text raises
        text = type(error).__name__
    if isinstance(error, MemoryError) or "can't allocate memory" in text:
        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        text = f"memory limit ({limit >> 20} MiB): {text}" if limit != resource.RLIM_INFINITY else text
    return text.encode("utf-8", "replace").decode()[:LONGEST]


def _channel() -> wire.Channel:
    """Stdin and stdout for us alone: neither the student's prints nor a child may reach them by accident."""
    reader, writer = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    return wire.Channel(reader, writer)


def _config() -> Config:
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    return config


if __name__ == "__main__":
    sys.exit(main())
