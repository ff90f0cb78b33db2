"""A data set that a server of our own offers, and who is asked about it."""

import hashlib

import pytest

from course_lib.data import download
from course_lib.data.catalogue import File, Source

CONTENT = bytes(range(256)) * 2000


def offer(monkeypatch, *urls):
    files = [File(url.rpartition("/")[2], url, len(CONTENT), hashlib.sha256(CONTENT).hexdigest()) for url in urls]
    monkeypatch.setattr(download, "SOURCES", (Source("numbers", tuple(files), "public domain", "bytes in a row"),))
    return download.cache_folder() / "numbers"


def never(offer):
    pytest.fail("nothing was to be asked")


def get():
    return download.get("numbers", lambda offer: True)
