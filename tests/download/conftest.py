"""A server of our own, an empty cache, and a data set of one file."""

import contextlib
import http.server
import threading
import time

import pytest

from tests.download.offers import CONTENT, offer


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
