from pathlib import Path

import numpy as np
import pytest

from tests.support.published import VIEWS
from turntable.datasets import Dataset, export_folder
from turntable.datasets.files import encode_jpeg
from turntable.testing.datasets import make_synthetic_dataset


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return make_synthetic_dataset(
        tmp_path_factory.mktemp("set"), num_objects=11, num_views=VIEWS, image_size=32
    )


@pytest.fixture(scope="session")
def exported(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    export_folder(dataset.path, folder)
    return folder


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A folder as the original generators leave it: float64 labels, JPEGs with red and blue exchanged."""
    rng = np.random.default_rng(0)
    high = np.array([np.pi / 2] * 3 + [1, np.pi / 4, 2 * np.pi, 1])
    low = np.array([-np.pi / 2] * 3 + [0] * 4)
    for number in range(9):
        folder = tmp_path / "3DIEBench" / f"0{number % 3}691156" / f"u{number:x}abc-{number}"
        folder.mkdir(parents=True)
        for view in range(VIEWS):
            image = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
            (folder / f"image_{view}.jpg").write_bytes(encode_jpeg(image, 90))
            np.save(folder / f"latent_{view}.npy", rng.uniform(low, high))
    return tmp_path / "3DIEBench"
