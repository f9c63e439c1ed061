from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _home_of_caches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
