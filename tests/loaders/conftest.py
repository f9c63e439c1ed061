import pytest

from turntable.datasets import Dataset
from turntable.testing.sets import make_synthetic_dataset


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """A small data set that nobody changes."""
    return make_synthetic_dataset(
        tmp_path_factory.mktemp("set"), objects=17, categories=4, views=6, image_size=16
    )
