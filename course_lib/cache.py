"""Where downloads, slow results and compiled code are kept."""

import os
import sys
from pathlib import Path


def cache_folder() -> Path:
    """``$COURSE_CACHE``, else ``course-lib`` in the system's cache folder; it need not exist.

    Errors: FileNotFoundError if there is no home folder.
    """
    if chosen := os.environ.get("COURSE_CACHE"):
        return Path(chosen)
    usual = {"win32": "~/AppData/Local", "darwin": "~/Library/Caches"}.get(sys.platform, "~/.cache")
    system = os.environ.get({"win32": "LOCALAPPDATA", "darwin": ""}.get(sys.platform, "XDG_CACHE_HOME"))
    try:
        return Path(system or usual).expanduser() / "course-lib"
    except RuntimeError as error:
        raise FileNotFoundError("there is no home folder for the cache; name a folder in COURSE_CACHE") from error
