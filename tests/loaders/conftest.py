import pytest

from turntable.datasets import Dataset
from turntable.testing.datasets import make_synthetic_dataset


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """A small data set, which no test may change."""
    return make_synthetic_dataset(
        tmp_path_factory.mktemp("set"), num_objects=17, num_categories=4, num_views=6, image_size=16
    )
