"""Downloads against a server of our own: whole, resumed, refused, cut, corrupt, full disk, two at once."""

import contextlib
import errno
import hashlib
import http.server
import os
import threading
import time

import pytest

from course_lib import cli
from course_lib.data import catalogue, download
from course_lib.data.catalogue import File, Source
from course_lib.data.download import DataMissing, DownloadError

OWN = os.environ.get("COURSE_DATA", "")
CONTENT = bytes(range(256)) * 2000


class Server(http.server.BaseHTTPRequestHandler):
    """Sends CONTENT as its class attributes say, and writes down what was asked for."""

    def do_GET(self):
        self.server.asked.append(self.headers.get("Range"))
        behaviour = self.server.behaviour
        if behaviour.get("status"):
            return self.send_error(behaviour["status"])
        start = int(self.headers["Range"][6:-1]) if self.headers.get("Range") and behaviour.get("ranges", True) else 0
        body = behaviour.get("content", CONTENT)
        if start >= len(body):
            return self.send_error(416)
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        time.sleep(behaviour.get("delay", 0))
        with contextlib.suppress(ConnectionError):  # a reader that has enough hangs up
            self.wfile.write(body[start : behaviour.get("cut")])
        return None

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    served = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    served.asked, served.behaviour = [], {}
    thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield served
    served.shutdown()
    served.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.delenv("COURSE_DATA", raising=False)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def numbers(server, monkeypatch):
    """A data set of one file on the server; returns the folder it goes to."""
    return offer(monkeypatch, f"http://127.0.0.1:{server.server_port}/numbers.bin")


def offer(monkeypatch, *urls):
    files = [File(url.rpartition("/")[2], url, len(CONTENT), hashlib.sha256(CONTENT).hexdigest()) for url in urls]
    monkeypatch.setattr(download, "SOURCES", (Source("numbers", tuple(files), "public domain", "bytes in a row"),))
    return download.cache_folder() / "numbers"


def never(offer):
    pytest.fail("nothing was to be asked")


def get():
    return download.get("numbers", lambda offer: True)


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
    monkeypatch.setattr(download.sys, "platform", platform)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert download.cache_folder().is_relative_to(tmp_path / folder)
    if variable:
        monkeypatch.setenv(variable, str(tmp_path / "elsewhere"))
        assert download.cache_folder() == tmp_path / "elsewhere" / "course-lib"


def test_the_catalogue_is_complete():
    for source in catalogue.SOURCES:
        assert source.licence
        assert source.purpose
        for file in source.files:
            assert file.url.startswith("https://")
            assert len(bytes.fromhex(file.sha256)) == 32
            assert file.size > 10_000


@pytest.mark.parametrize("source", catalogue.SOURCES, ids=lambda source: source.name)
def test_the_catalogue_agrees_with_the_files_that_are_here(source, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", OWN)
    try:
        folder = download.find(source.name)
    except DataMissing:
        pytest.skip("not here")
    for file in source.files:
        if (folder / file.name).is_file():
            assert download._is_whole(folder, file)
            assert download._sum(folder / file.name) == file.sha256


# the command


def test_the_list_says_what_is_here(numbers, capsys):
    assert cli.main(["data", "list"]) == 0
    get()
    assert cli.main(["data", "list"]) == 0
    before, after = (line.split() for line in capsys.readouterr().out.splitlines())
    assert (before[:4], after[:4]) == (["numbers", "0.5", "MB", "-"], ["numbers", "0.5", "MB", "here"])


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("yes", 0), ("n", 1), ("", 1), (EOFError, 1)])
def test_the_command_asks_first(numbers, monkeypatch, capsys, answer, code):
    def ask(prompt):
        if answer is EOFError:
            raise EOFError
        return answer

    monkeypatch.setattr("builtins.input", ask)
    assert cli.main(["data", "get", "numbers"]) == code
    assert (numbers / "numbers.bin").exists() == (code == 0)
    output = capsys.readouterr()
    assert "public domain" in output.out
    assert ("nothing was downloaded" in output.err) == (code == 1)


def test_yes_asks_nothing(numbers, monkeypatch, capsys):
    monkeypatch.setattr("builtins.input", None)
    assert cli.main(["data", "get", "numbers", "--yes"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(numbers)


@pytest.mark.parametrize("words", [["get"], ["get", "nothing"]])
def test_a_wrong_name_is_misunderstood(words, capsys):
    assert cli.main(["data", *words]) == 2
    assert "known: jsb_chorales" in capsys.readouterr().err


def test_a_failure_is_one_sentence(server, numbers, capsys):
    server.behaviour["status"] = 404
    assert cli.main(["data", "get", "numbers", "--yes"]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_ctrl_c_is_one_sentence(numbers, monkeypatch, capsys):
    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(download, "_write", interrupted)
    assert cli.main(["data", "get", "numbers", "--yes"]) == 130
    assert "go on with: course data get numbers" in capsys.readouterr().err
