from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from engine import DataError, load_instance
from instances.published import PublishedFile, cache_dir, locate

CONTENT = b"1 0\n"
FILE = PublishedFile("some/file.csv", "https://example.org/file.csv", hashlib.sha256(CONTENT).hexdigest())


@pytest.fixture(autouse=True)
def _nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ENGINE_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(sys, "platform", "linux")


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
        HTTPDownloader=lambda **_: None,
        get_logger=lambda: SimpleNamespace(setLevel=lambda _: None),
    )
    monkeypatch.setitem(sys.modules, "pooch", fake)
    monkeypatch.setenv("ENGINE_OFFLINE", "0")
    with pytest.raises(DataError, match="OSError: no route to host"):
        locate(FILE)


def test_a_download_lands_in_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    def retrieve(url: str, known_hash: str, fname: str, path: Path, downloader: object) -> str:
        assert (url, known_hash, downloader) == (FILE.url, f"sha256:{FILE.sha256}", 5.0)
        path.mkdir(parents=True)
        (path / fname).write_bytes(CONTENT)
        return str(path / fname)

    fake = ModuleType("pooch")
    fake.__dict__.update(
        retrieve=retrieve,
        HTTPDownloader=lambda timeout: timeout,
        get_logger=lambda: SimpleNamespace(setLevel=lambda _: None),
    )
    monkeypatch.setitem(sys.modules, "pooch", fake)
    monkeypatch.setenv("ENGINE_OFFLINE", "")
    assert locate(FILE).read_bytes() == CONTENT


@pytest.mark.parametrize("name", ["mimic27", "ettm1", "taskonomy5", "standley1"])
def test_a_published_instance_without_its_data_is_a_data_error(name: str) -> None:
    with pytest.raises(DataError, match="is missing"):
        load_instance(name).gains()
