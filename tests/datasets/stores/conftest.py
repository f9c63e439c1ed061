import os
import resource
import signal
import socket
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.support.planting import DATA
from tests.support.readers import WORD
from turntable.datasets.stores import LocalStore
from turntable.datasets.stores.cache import ShardCache


@pytest.fixture(autouse=True)
def _home_of_caches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr("turntable.datasets.stores.retries.FIRST_PAUSE_S", 0.001)
    monkeypatch.delenv("TURNTABLE_TOKEN", raising=False)
    monkeypatch.delenv("TURNTABLE_TOKEN_HOST", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "www").mkdir()
    (tmp_path / "www/x").write_bytes(b"data")
    return tmp_path / "www"


@pytest.fixture
def guarded(http_server, folder: Path):
    return http_server(folder, token=WORD)


@pytest.fixture
def named_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names under .example are this machine, and not known to be."""
    real = socket.getaddrinfo

    def resolved(host, *more, **named):
        return real("127.0.0.1" if str(host).rstrip(".").endswith(".example") else host, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolved)


@pytest.fixture
def source(tmp_path: Path) -> LocalStore:
    store = LocalStore(tmp_path / "source")
    store.write("a", DATA)
    return store


@pytest.fixture
def cache(tmp_path: Path) -> ShardCache:
    return ShardCache(tmp_path / "cache", 1_000_000)


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """A file that nothing may happen to, alone in its folder."""
    path = tmp_path / "precious" / "victim"
    path.parent.mkdir()
    path.write_bytes(b"precious")
    os.utime(path, (1_000_000_000, 1_000_000_000))
    return path


@pytest.fixture
def bounded() -> Generator[None, None, None]:
    """Ends a test that waits for what never comes, or takes all memory."""

    def stop(*_: object) -> None:
        raise TimeoutError("waited for what never comes")

    before, limits = signal.signal(signal.SIGALRM, stop), resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (1 << 30), limits[1]))
    signal.alarm(20)
    yield
    signal.alarm(0)
    resource.setrlimit(resource.RLIMIT_AS, limits)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Pauses and patience of a moment, and a cache of its own."""
    monkeypatch.setattr("turntable.datasets.stores.retries.FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr("turntable.datasets.stores.web.store._READ_S", 1.0)
    monkeypatch.setenv("TURNTABLE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def impatient(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Short limits for slow responses, for tests of servers that send a byte at a time."""
    if "drip" in request.node.name:
        monkeypatch.setattr("turntable.datasets.stores.web.responses.WINDOW_S", 0.15)


@pytest.fixture
def server(http_server, tmp_path: Path):
    """A server of one file of ten bytes, that can be told to fail."""
    (tmp_path / "www").mkdir()
    (tmp_path / "www/x").write_bytes(b"0123456789")
    return http_server(tmp_path / "www")
