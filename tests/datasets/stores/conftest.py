import socket
from pathlib import Path

import pytest
from readers import WORD


@pytest.fixture(autouse=True)
def _home_of_caches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr("turntable.datasets.stores.patience.FIRST_PAUSE_S", 0.001)
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
