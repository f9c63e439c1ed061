"""Fixtures: a small data set, and a web server that has a copy of it."""

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
