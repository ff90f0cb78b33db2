"""What lies in a folder of downloads: files and members of zips, read with a limit, never through a link.

Nothing is unpacked to the disk, so a member's name can lead nowhere.
"""

import datetime
import io
import os
import stat
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from course_lib.grading.receipts import Rejected, printable

LARGEST_ZIP = 20 * 2**20  # bytes of a student's zip
MEMBERS = 20_000  # of a class's zip
OWN_MEMBERS = 1_000  # of a student's zip
DEEPEST = 10  # folders
PLAIN = "hand in the notebook itself, as a plain file"


@dataclass(frozen=True)
class Found:
    """A file: its path inside the downloads, its time, its size, and how to read it (bytes at most; or Rejected)."""

    path: PurePosixPath
    when: datetime.datetime
    size: int
    read: Callable[[int], bytes]


def walk(downloads: Path) -> Iterator[Found]:
    """All files below a folder, or the one file given, in the order of their names; links are met, not followed."""
    if downloads.is_dir():
        yield from _folder(downloads, PurePosixPath(), 0)
    else:
        yield _file(downloads, PurePosixPath(downloads.name))


def _folder(folder: Path, inside: PurePosixPath, depth: int) -> Iterator[Found]:
    for name in sorted(os.listdir(folder)):
        path, place = folder / name, inside / name
        if is_clutter(place):
            continue
        is_folder = stat.S_ISDIR(os.lstat(path).st_mode) and os.access(path, os.R_OK | os.X_OK)
        if is_folder and depth < DEEPEST and path.suffix.casefold() != ".ipynb":
            yield from _folder(path, place, depth + 1)
        else:
            yield _file(path, place)


def is_clutter(path: PurePosixPath) -> bool:
    """Whether systems and Jupyter made a file for themselves."""
    names = ("__MACOSX", "__pycache__", "Thumbs.db", "desktop.ini")
    return any((part.startswith(".") and part != "..") or part in names for part in path.parts)


def _file(path: Path, place: PurePosixPath) -> Found:
    status = os.lstat(path)
    return Found(place, a_time(status.st_mtime), status.st_size, lambda limit: _read(path, limit))


def a_time(seconds: float) -> datetime.datetime:
    """A file's time; 1970 for one before or one that no calendar has."""
    try:
        return datetime.datetime.fromtimestamp(max(0.0, seconds), datetime.UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.datetime.fromtimestamp(0, datetime.UTC)


def _read(path: Path, limit: int) -> bytes:
    with open_plain(path) as stream:
        size = os.fstat(stream.fileno()).st_size
        data = b"" if size > limit else stream.read(limit + 1)
    if max(size, len(data)) > limit:
        raise Rejected(_too_large(limit))
    return data


def open_plain(path: Path) -> io.BufferedReader:
    """A plain file, open to read. Errors: Rejected for a link, a folder, a device, a pipe, a second name, no right."""
    flags = ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY")  # each where the system has it
    try:
        before = os.lstat(path)
        _check_plain(before)
        stream = os.fdopen(os.open(path, os.O_RDONLY | sum(getattr(os, flag, 0) for flag in flags)), "rb")
    except OSError as error:
        raise Rejected(f"it cannot be opened ({error.strerror}); {PLAIN}, or mend its permissions") from None
    after = os.fstat(stream.fileno())
    if (before.st_dev, before.st_ino) != (after.st_dev, after.st_ino):
        stream.close()
        raise Rejected("the file was replaced while it was read; run intake again")
    return stream


def _check_plain(status: os.stat_result) -> None:
    kinds = {stat.S_IFLNK: "a link", stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    kind = stat.S_IFMT(status.st_mode)
    if kind != stat.S_IFREG:
        raise Rejected(f"it is {kinds.get(kind, 'a device')}, which is never read; {PLAIN}")
    if status.st_nlink != 1:
        raise Rejected(f"it is a hard link: the same file has {status.st_nlink} names; {PLAIN}")


def _too_large(limit: int) -> str:
    return (
        f"it is larger than {limit // 2**20} MB; in JupyterLab choose Kernel > Restart Kernel and Clear Outputs of All "
        "Cells, save, and hand in the notebook alone"
    )


def members(path: Path) -> Iterator[Found]:
    """The files in a class's zip, as a platform writes it; each can be read until the next is asked for.

    Errors: Rejected if it is no zip that can be read.
    """
    with open_plain(path) as stream, _open(stream) as archive:
        for info in _wanted(_files(archive, MEMBERS)):
            yield _member(archive, info)


def own_notebook(data: bytes, is_wanted: Callable[[PurePosixPath], bool], limit: int) -> tuple[bytes, list[str]]:
    """The notebook in a student's zip, by its name if there are several, and the names of all else in there.

    Errors: Rejected for a zip without a clear notebook, and for one of which any member is no plain file inside it.
    """
    with _open(io.BytesIO(data)) as archive:
        files = _files(archive, OWN_MEMBERS)
        for info in files:
            _check_member(info)  # one name that leads out spoils the zip
        found = [_member(archive, info) for info in _wanted(files)]
        notebooks = [each for each in found if each.path.suffix.casefold() == ".ipynb"]
        chosen = notebooks if len(notebooks) == 1 else [each for each in notebooks if is_wanted(each.path)]
        if len(chosen) != 1:
            names = ", ".join(printable(each.path, 60) for each in (notebooks or found)[:5]) or "nothing"
            count = "several notebooks" if notebooks else "no notebook"
            raise Rejected(f"the zip holds {count}: {names}; hand in the one notebook")
        return chosen[0].read(limit), [printable(each.path, 60) for each in found if each is not chosen[0]]


def _open(stream: io.BufferedIOBase) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(stream)
    except Exception as error:  # zipfile raises many kinds for damaged files
        raise Rejected(
            f"the zip is damaged ({type(error).__name__}); zip the notebook again, or hand it in alone"
        ) from None


def _files(archive: zipfile.ZipFile, most: int) -> Sequence[zipfile.ZipInfo]:
    listed = archive.infolist()
    if len(listed) > most:
        raise Rejected(f"the zip has {len(listed)} members, more than {most}; hand in the notebook alone")
    return [info for info in listed if not info.is_dir()]


def _wanted(files: Sequence[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    return [info for info in files if not is_clutter(PurePosixPath(info.filename))]


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Found:
    try:
        when = datetime.datetime(*info.date_time).astimezone(datetime.UTC)  # zips keep local time
    except (ValueError, OverflowError, OSError):
        when = a_time(0.0)
    return Found(PurePosixPath(info.filename), when, info.file_size, lambda limit: _read_member(archive, info, limit))


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int) -> bytes:
    _check_member(info)
    try:
        with archive.open(info) as member:
            data = member.read(limit + 1)  # counted as it is unpacked: what the zip says of the size may be false
    except Exception as error:
        raise Rejected(f"it cannot be unpacked ({type(error).__name__}: {printable(error)}); {PLAIN}") from None
    if len(data) > limit:
        raise Rejected(_too_large(limit))
    return data


def _check_member(info: zipfile.ZipInfo) -> None:
    name = info.orig_filename
    if name.startswith("/") or "\\" in name or ":" in name[:3] or "\0" in name or ".." in name.split("/"):
        raise Rejected(f"its name in the zip leads out of the zip; {PLAIN}")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if info.create_system == 3 and kind not in (0, stat.S_IFREG):
        raise Rejected(f"it is a link or device inside the zip, which is never read; {PLAIN}")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Rejected(f"the zip is packed in a rare way; {PLAIN}")
    if info.flag_bits & 1:
        raise Rejected(f"the zip has a password; {PLAIN}")
