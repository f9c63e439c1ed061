import shutil
from pathlib import Path

import pytest

from turntable.datasets import Dataset
from turntable.testing.datasets import make_synthetic_dataset


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """A small data set that nobody changes."""
    return make_synthetic_dataset(tmp_path_factory.mktemp("made"), num_objects=17, num_views=6, image_size=16)


@pytest.fixture
def server(http_server, made: Dataset, tmp_path: Path):
    """A web server with a copy of it, under ``set``."""
    shutil.copytree(made.path, tmp_path / "www" / "set")
    return http_server(tmp_path / "www")


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("turntable.datasets.stores.retries.FIRST_PAUSE_S", 0.001)
    monkeypatch.setenv("TURNTABLE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
