"""What `course data` does: list the data sets, or get one after asking."""

import sys

from course_lib.data import download


def command(action: str, name: str | None, yes: bool) -> int:
    """Print the list or the folder of a data set, and return the exit code.

    Errors: OSError with one sentence, for a download that failed.
    """
    if action == "list":
        print("\n".join(download.overview()))
        return 0
    try:
        print(download.get(name or "", _agree if not yes else _tell))
    except ValueError as error:
        return _complain(error, 2)
    except KeyboardInterrupt as error:
        return _complain(error if error.args else "stopped", 130)
    return 0


def _tell(offer: str) -> bool:
    print(offer, flush=True)
    return True


def _agree(offer: str) -> bool:
    _tell(offer)
    try:
        return input("Download? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:  # nobody is there to answer
        print()
        return False


def _complain(error: object, code: int) -> int:
    print(f"course: {error}", file=sys.stderr, flush=True)
    return code
