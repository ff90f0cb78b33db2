"""Downloads against a server of our own: whole, resumed, refused, cut, corrupt, full disk, two at once."""

import errno
import os
import sys
import threading

import pytest

from course_lib.data import download
from course_lib.data.download import DataMissing, DownloadError
from tests.download.offers import CONTENT, get, never, offer


def test_a_whole_download_is_found(server, numbers):
    with pytest.raises(DataMissing, match=r"course data get numbers$"):
        download.find("numbers")
    assert get() == download.find("numbers") == numbers
    assert (numbers / "numbers.bin").read_bytes() == CONTENT
    assert server.asked == [None]


def test_a_second_get_asks_nothing_and_fetches_nothing(server, numbers):
    get()
    assert download.get("numbers", never) == numbers
    assert len(server.asked) == 1


def test_a_cut_download_is_kept_and_resumed(server, numbers):
    server.behaviour["cut"] = 100_000
    with pytest.raises(DownloadError, match=r"cut after 100,000 of 512,000 bytes .* course data get numbers$"):
        get()
    assert (numbers / "numbers.bin.part").read_bytes() == CONTENT[:100_000]
    server.behaviour.clear()
    get()
    assert server.asked == [None, "bytes=100000-"]
    assert (numbers / "numbers.bin").read_bytes() == CONTENT
    assert not list(numbers.glob("*.part"))


def test_a_server_that_cannot_resume_sends_all_again(server, numbers):
    numbers.mkdir(parents=True)
    (numbers / "numbers.bin.part").write_bytes(b"x" * 1000)
    server.behaviour["ranges"] = False
    get()
    assert (numbers / "numbers.bin").read_bytes() == CONTENT


def test_a_whole_part_is_checked_without_asking_again(server, numbers):
    numbers.mkdir(parents=True)
    (numbers / "numbers.bin.part").write_bytes(CONTENT)
    get()
    assert server.asked == []


def test_a_part_that_is_too_long_begins_anew(server, numbers):
    numbers.mkdir(parents=True)
    (numbers / "numbers.bin.part").write_bytes(CONTENT + b"more")
    get()
    assert server.asked == [None]


def test_a_file_that_shrank_on_the_server_begins_anew(server, numbers):
    numbers.mkdir(parents=True)
    (numbers / "numbers.bin.part").write_bytes(CONTENT[:1000])
    server.behaviour["content"] = CONTENT[:500]
    with pytest.raises(DownloadError, match="cut after 500 of"):
        get()
    assert (numbers / "numbers.bin.part").read_bytes() == CONTENT[:500]


@pytest.mark.parametrize("content", [b"?" * len(CONTENT), CONTENT + b"more"])
def test_a_wrong_sum_removes_the_file(server, numbers, content):
    server.behaviour["content"] = content
    with pytest.raises(DownloadError, match="sha256, so it was removed; try again"):
        get()
    assert [path.name for path in numbers.iterdir()] == [".lock"]


def test_an_endless_file_is_not_kept_on_being_read(server, numbers, monkeypatch):
    write, sizes = download._write, []
    monkeypatch.setattr(download, "_write", lambda handle, chunk: sizes.append(len(chunk)) or write(handle, chunk))
    server.behaviour["content"] = CONTENT * 50
    with pytest.raises(DownloadError, match="removed"):
        get()
    assert sum(sizes) <= len(CONTENT) + download.CHUNK


@pytest.mark.parametrize(("status", "cure"), [(404, "may have moved"), (503, "try again later")])
def test_an_answer_that_is_an_error_says_what_to_do(server, numbers, status, cure):
    server.behaviour["status"] = status
    with pytest.raises(DownloadError, match=f"answers {status} .*: .*{cure}"):
        get()
    assert not list(numbers.glob("*.bin*"))


def test_a_refused_connection_is_one_sentence(monkeypatch):
    folder = offer(monkeypatch, "http://127.0.0.1:1/numbers.bin")
    with pytest.raises(DownloadError, match=r"cannot be reached \(.*refused.*\): check the network and HTTPS_PROXY"):
        get()
    assert not list(folder.glob("*.bin*"))


@pytest.mark.parametrize("code", download.FULL)
def test_a_full_disk_removes_the_part(numbers, monkeypatch, code):
    def write(handle, chunk):
        handle.write(chunk[:10])
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(download, "_write", write)
    with pytest.raises(DownloadError, match=r"is full, .*COURSE_CACHE.*course data get numbers$"):
        get()
    assert not list(numbers.glob("*.bin*"))


def test_a_folder_that_cannot_be_written_to_is_named(server, numbers, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(download.Path, "mkdir", refuse)
    with pytest.raises(DownloadError, match=r"numbers cannot be written to \(Permission denied\); .*COURSE_CACHE"):
        get()


def test_a_file_in_the_folder_s_place_is_named(server, numbers, cache):
    cache.write_text("in the way")
    with pytest.raises(DownloadError, match="cannot be written to"):
        get()


def test_ctrl_c_keeps_what_came(numbers, monkeypatch):
    write = download._write

    def interrupted(handle, chunk):
        write(handle, chunk)
        raise KeyboardInterrupt

    monkeypatch.setattr(download, "_write", interrupted)
    with pytest.raises(KeyboardInterrupt, match="go on with: course data get numbers"):
        get()
    assert (numbers / "numbers.bin.part").stat().st_size > 0


def test_one_file_of_two_is_not_fetched_again(server, monkeypatch):
    address = f"http://127.0.0.1:{server.server_port}"
    folder = offer(monkeypatch, f"{address}/one.bin", f"{address}/two.bin")
    get()
    (folder / "two.bin").unlink()
    with pytest.raises(DataMissing):
        download.find("numbers")
    get()
    assert len(server.asked) == 3


def test_a_file_that_was_cut_after_its_check_is_missing(numbers):
    get()
    (numbers / "numbers.bin").write_bytes(CONTENT[:-1])
    with pytest.raises(DataMissing):
        download.find("numbers")
    get()
    assert (numbers / "numbers.bin").read_bytes() == CONTENT


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such locks")
def test_two_gets_at_once_fetch_once(server, numbers):
    server.behaviour["delay"] = 0.2
    found = []
    threads = [threading.Thread(target=lambda: found.append(get())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [numbers, numbers]
    assert len(server.asked) == 1


def test_the_answer_no_downloads_nothing(server, numbers):
    with pytest.raises(DownloadError, match=r"nothing was downloaded; .*--yes"):
        download.get("numbers", lambda offer: False)
    assert server.asked == []
    assert not numbers.exists()


def test_the_offer_names_size_licence_address_and_folder(server, numbers):
    heard = []
    with pytest.raises(DownloadError):
        download.get("numbers", heard.append)
    assert all(each in heard[0] for each in ("0.5 MB", "public domain", "http://127.0.0.1", str(numbers)))


def test_a_folder_of_one_s_own_comes_first(numbers, tmp_path, monkeypatch):
    get()
    (tmp_path / "mine" / "numbers").mkdir(parents=True)
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "mine"))
    assert download.find("numbers") == numbers  # an empty folder holds no data
    (tmp_path / "mine" / "numbers" / "one.txt").touch()
    assert download.find("numbers") == tmp_path / "mine" / "numbers"
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    assert download.find("numbers") == numbers


@pytest.mark.parametrize("call", [download.find, lambda name: download.get(name, never)])
def test_an_unknown_name_is_answered_with_the_list(call):
    with pytest.raises(ValueError, match="known: jsb_chorales, nottingham, cmudict_g2p_split, fsdd"):
        call("jsb")


@pytest.mark.parametrize(
    ("platform", "variable", "folder"),
    [("linux", "XDG_CACHE_HOME", ".cache"), ("darwin", None, "Library/Caches"), ("win32", "LOCALAPPDATA", "AppData")],
)
def test_the_cache_is_where_the_system_keeps_caches(monkeypatch, tmp_path, platform, variable, folder):
    for name in ("COURSE_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert download.cache_folder().is_relative_to(tmp_path / folder)
    if variable:
        monkeypatch.setenv(variable, str(tmp_path / "elsewhere"))
        assert download.cache_folder() == tmp_path / "elsewhere" / "course-lib"
