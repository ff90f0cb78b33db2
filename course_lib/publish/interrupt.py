"""SIGTERM and a closed terminal end a command as Ctrl-C does, so that it can put its affairs in order."""

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


@contextlib.contextmanager
def signals_interrupt() -> Iterator[None]:
    """Inside, every ending signal raises KeyboardInterrupt."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    # nohup asks that a closed terminal be ignored; it is heard.
    heard = [number for number in SIGNALS if number == signal.SIGINT or signal.getsignal(number) != signal.SIG_IGN]
    with _handled(heard, interrupt):
        yield


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Inside, ending signals are ignored: a second Ctrl-C must not break off the tidying up."""
    with _handled(SIGNALS, signal.SIG_IGN):
        yield


@contextlib.contextmanager
def _handled(numbers: list[signal.Signals], handler: object) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
