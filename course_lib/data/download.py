"""Where a data set lies, and how it gets there: asked for, resumed, checked, and whole or not there at all."""

import contextlib
import errno
import hashlib
import http.client
import importlib
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from tqdm import tqdm

from course_lib import cache
from course_lib.data.catalogue import SOURCES, File, Source

TIMEOUT, CHUNK = 30, 1 << 16  # seconds without an answer, bytes
FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


class DownloadError(OSError):
    """A download that failed, told in one sentence with the cure."""


class DataMissing(FileNotFoundError):
    """A data set that is not here; the sentence ends in the command that gets it."""


def find(name: str) -> Path:
    """The folder with a data set's files: ``$COURSE_DATA/name`` if anything is in it, else the one in the cache folder.

    Errors: DataMissing if it is in neither, ValueError for a name that is not in the catalogue.
    """
    source = _source(name)
    own = os.environ.get("COURSE_DATA")
    if own and Path(own, name).is_dir() and any(Path(own, name).iterdir()):
        return Path(own, name)
    folder = cache_folder() / name
    if not all(_is_whole(folder, file) for file in source.files):
        raise DataMissing(f"the data set {name} ({source.purpose}) is not here; get it with: course data get {name}")
    return folder


def cache_folder() -> Path:
    """Where downloads and slow results are kept: ``$COURSE_CACHE``, else ``course-lib`` in the system's cache folder.

    Errors: DownloadError if there is no home folder.
    """
    try:
        return cache.cache_folder()
    except FileNotFoundError as error:
        raise DownloadError(str(error)) from error


def get(name: str, agree: Callable[[str], bool]) -> Path:
    """Download a data set into the cache folder unless it is there, and return its folder.

    ``agree(offer)`` is asked first, with size, address, licence and folder. A file is there whole and with the right
    sha256, or not at all; a download that was cut goes on where it stopped. Two at once wait for each other.
    Errors: DownloadError, also for the answer no; KeyboardInterrupt; ValueError for a name not in the catalogue.
    """
    with contextlib.suppress(DataMissing):
        return find(name)
    source, folder = _source(name), cache_folder() / name
    if not agree(_offer(source, folder)):
        raise DownloadError(f"nothing was downloaded; to get {name} without a question: course data get {name} --yes")
    with _explained(name, folder):
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder):
            for file in source.files:
                if not _is_whole(folder, file):
                    _fetch(file, folder, name)
    return folder


def overview() -> Iterator[str]:
    """One line a data set: its name, its size, whether it is here, what it is for and its licence."""
    for source in SOURCES:
        try:
            find(source.name)
            here = "here"
        except DataMissing:
            here = "-"
        yield f"{source.name:18} {_megabytes(source.size):>8}  {here:5} {source.purpose}; {source.licence}"


def _source(name: str) -> Source:
    for source in SOURCES:
        if source.name == name:
            return source
    raise ValueError(f"there is no data set {name!r}; known: {', '.join(source.name for source in SOURCES)}")


def _offer(source: Source, folder: Path) -> str:
    addresses = "".join(f"\n  {file.url}" for file in source.files)
    size = _megabytes(source.size)
    return f"{source.name}: {source.purpose}\n  {size}; licence: {source.licence}{addresses}\n  into {folder}"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


def _is_whole(folder: Path, file: File) -> bool:
    """Files get their name after their sha256 was checked, so the size tells whether one was cut later."""
    path = folder / file.name
    return path.is_file() and path.stat().st_size == file.size


def _fetch(file: File, folder: Path, name: str) -> None:
    """One file: go on with what an earlier download left, check the sum, give it its name."""
    part = folder / f"{file.name}.part"
    if part.exists() and part.stat().st_size > file.size:
        part.unlink()
    done = part.stat().st_size if part.exists() else 0
    if done < file.size:
        _receive(file, part, done, name)
    if _sum(part) != file.sha256:
        part.unlink()
        raise DownloadError(
            f"{file.url} did not give the file that is known by its sha256, so it was removed; try again, and if that "
            f"does not help, put a {file.name} from elsewhere into $COURSE_DATA/{name}"
        )
    os.replace(part, folder / file.name)


def _receive(file: File, part: Path, done: int, name: str) -> None:
    """Append to the part what is missing; a server that cannot resume sends all, and the part begins anew."""
    with _open(file, done, name) as response:
        done = done if response.status == http.client.PARTIAL_CONTENT else 0
        bar = tqdm(total=file.size, initial=done, desc=file.name, unit="B", unit_scale=True, disable=None)
        with bar, open(part, "ab" if done else "wb", buffering=0) as handle:
            while done <= file.size and (chunk := _read(response)):
                _write(handle, chunk)
                done += len(chunk)
                bar.update(len(chunk))
    if done < file.size:
        raise DownloadError(
            f"the connection was cut after {done:,} of {file.size:,} bytes of {file.name}, which are kept; go on with: "
            f"course data get {name}"
        )


def _open(file: File, done: int, name: str) -> http.client.HTTPResponse:
    headers = {"User-Agent": "course-lib"} | ({"Range": f"bytes={done}-"} if done else {})
    try:
        return urllib.request.urlopen(urllib.request.Request(file.url, headers=headers), timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE and done:
            return _open(file, 0, name)
        cure = "try again later" if error.code >= 500 or error.code == 429 else "the file may have moved"
        raise DownloadError(
            f"{file.url} answers {error.code} {error.reason}: {cure}, or put a {file.name} from elsewhere into "
            f"$COURSE_DATA/{name}"
        ) from error
    except (OSError, http.client.HTTPException) as error:
        why = getattr(error, "reason", error)
        raise DownloadError(
            f"{file.url} cannot be reached ({why}): check the network and HTTPS_PROXY, then: course data get {name}"
        ) from error


def _read(response: http.client.HTTPResponse) -> bytes:
    """The next bytes; none at the end and where the connection breaks, which the size tells apart."""
    try:
        return response.read(CHUNK)
    except (OSError, http.client.HTTPException):
        return b""


def _write(handle: BinaryIO, chunk: bytes) -> None:
    """All bytes to the disk at once, so that a full disk speaks here."""
    rest = memoryview(chunk)
    while rest:
        rest = rest[handle.write(rest) :]


def _sum(path: Path) -> str:
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait until no other download works in this folder."""
    with open(folder / ".lock", "wb") as handle:
        with contextlib.suppress(ImportError, OSError):  # Windows has no fcntl, a shared disk may have no locks
            fcntl = importlib.import_module("fcntl")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _explained(name: str, folder: Path) -> Iterator[None]:
    """What the disk and Ctrl-C say, in a sentence with the cure."""
    try:
        yield
    except KeyboardInterrupt as error:
        raise KeyboardInterrupt(f"stopped; what came is kept, go on with: course data get {name}") from error
    except DownloadError:
        raise
    except OSError as error:
        if error.errno in FULL:
            for part in folder.glob("*.part"):
                part.unlink()
            raise DownloadError(
                f"the disk of {folder} is full, so the part that came was removed; free some space, or name another "
                f"folder in COURSE_CACHE, then: course data get {name}"
            ) from error
        raise DownloadError(
            f"{folder} cannot be written to ({error.strerror or error}); name a folder of your own in COURSE_CACHE"
        ) from error
