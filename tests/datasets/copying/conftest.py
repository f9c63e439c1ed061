from pathlib import Path

import pytest

from tests.support.served_set import made, server  # noqa: F401


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("turntable.datasets.stores.retries.FIRST_PAUSE_S", 0.001)
    monkeypatch.setenv("TURNTABLE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
