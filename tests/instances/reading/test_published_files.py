from __future__ import annotations

import hashlib
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import ClassVar

import pytest

from engine import INSTANCES, DataError
from instances.reading import published_files
from instances.reading.published_files import PublishedFile, UnobtainableError, cache_dir, locate
from tests.waiting import HANGING

CONTENT = b"1 0\n"
FILE = PublishedFile("some/file.csv", "https://example.org/file.csv", hashlib.sha256(CONTENT).hexdigest())


@pytest.fixture(autouse=True)
def _nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ENGINE_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(sys, "platform", "linux")
    for limit in ("TIMEOUT", "DEADLINE"):
        monkeypatch.setattr(published_files, limit, HANGING)


def put(folder: Path, content: bytes = CONTENT) -> Path:
    path = folder / FILE.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_the_folder_given_comes_first_then_the_environment_then_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = put(cache_dir())
    assert locate(FILE) == cached
    monkeypatch.setenv("ENGINE_DATA", str(tmp_path / "environment"))
    assert locate(FILE) == cached
    environment = put(tmp_path / "environment")
    assert locate(FILE) == environment
    given = put(tmp_path / "given")
    assert locate(FILE, tmp_path / "given") == given


def test_nothing_found_names_all_three_ways(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        locate(FILE, tmp_path)
    message = str(caught.value)
    for word in ("--data-dir", "ENGINE_DATA", str(cache_dir() / FILE.path), FILE.url, "ENGINE_OFFLINE"):
        assert word in message
    assert "\n" not in message


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    path = put(tmp_path, b"changed")
    with pytest.raises(DataError, match="not the published file") as caught:
        locate(FILE, tmp_path)
    assert str(path) in str(caught.value)


def test_a_changed_file_in_the_cache_is_not_used() -> None:
    put(cache_dir(), b"changed")
    with pytest.raises(DataError, match="is missing"):
        locate(FILE)


def test_a_failed_download_says_why_and_names_all_three_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("no route\nto host")

    fake = ModuleType("pooch")
    fake.__dict__.update(
        retrieve=fail,
        get_logger=lambda: SimpleNamespace(setLevel=lambda _: None),
    )
    monkeypatch.setitem(sys.modules, "pooch", fake)
    monkeypatch.setenv("ENGINE_OFFLINE", "0")
    with pytest.raises(DataError, match="OSError: no route to host"):
        locate(FILE)


def test_a_download_lands_in_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    served = serve(monkeypatch, Whole)
    with served as url:
        path = locate(replace(FILE, url=url))
    assert path == cache_dir() / FILE.path
    assert path.read_bytes() == CONTENT
    assert [one.name for one in path.parent.iterdir()] == [path.name]


class Whole(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(CONTENT)

    def log_message(self, format: str, *args: object) -> None:
        pass


class Other(Whole):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"something else")


class Absent(Whole):
    def do_GET(self) -> None:
        self.send_error(404)


class Trickle(Whole):
    """Sends a byte now and then, soon enough for every timeout of a socket, as long as anybody listens."""

    before: ClassVar[bytes] = b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n"
    over: ClassVar[threading.Event]

    def do_GET(self) -> None:
        with suppress(OSError):
            self.wfile.write(self.before)
            while not self.over.wait(0.05):
                self.wfile.write(b"x")


class TrickleOfHeaders(Trickle):
    before = b"HTTP/1.1 200 OK\r\nX-Header: "


@contextmanager
def serve(monkeypatch: pytest.MonkeyPatch, handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Serve on this machine, with downloads switched on, and give the address of a file."""
    monkeypatch.setenv("ENGINE_OFFLINE", "0")
    monkeypatch.setenv("NO_PROXY", "*")
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/file.csv"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("handler", [Trickle, TrickleOfHeaders])
def test_a_server_that_trickles_is_given_up(
    monkeypatch: pytest.MonkeyPatch, handler: type[BaseHTTPRequestHandler]
) -> None:
    monkeypatch.setattr(published_files, "DEADLINE", 0.3)
    monkeypatch.setattr(Trickle, "over", threading.Event(), raising=False)
    with serve(monkeypatch, handler) as url:
        try:
            with pytest.raises(DataError, match=r"TimeoutError: the download took more than 0\.3 s"):
                locate(replace(FILE, url=url))
        finally:
            Trickle.over.set()
    assert not any(path.is_file() for path in cache_dir().rglob("*"))


@pytest.mark.parametrize(("handler", "reason"), [(Absent, "404"), (Other, "does not match the known hash")])
def test_what_is_not_the_file_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, handler: type[BaseHTTPRequestHandler], reason: str
) -> None:
    with serve(monkeypatch, handler) as url, pytest.raises(DataError, match=reason) as caught:
        locate(replace(FILE, url=url))
    assert isinstance(caught.value, UnobtainableError) == (handler is Absent)
    assert str(caught.value).count(url) == 1
    assert not any(path.is_file() for path in cache_dir().rglob("*"))


def test_a_refused_connection_is_told_by_its_innermost_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(monkeypatch, Whole) as url:
        pass
    with pytest.raises(DataError, match=r"\(which failed: ConnectionRefusedError: .*Connection refused\)"):
        locate(replace(FILE, url=url))


@pytest.mark.parametrize("name", ["mimic27", "ettm1", "taskonomy5", "standley1"])
def test_a_published_instance_without_its_data_is_a_data_error(name: str) -> None:
    with pytest.raises(DataError, match="is missing"):
        INSTANCES.load(name)(name).gains()


def test_a_network_that_swallows_everything_is_given_up_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_OFFLINE", "0")
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(published_files, "TIMEOUT", 0.3)
    released = threading.Event()

    def resolve(*_: object, **__: object) -> list[object]:
        released.wait()
        raise OSError("no such name")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    try:
        with pytest.raises(UnobtainableError, match=r"TimeoutError: there was no answer within 0\.3 seconds"):
            locate(FILE)
    finally:
        released.set()
