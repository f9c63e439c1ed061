from pathlib import Path

import pytest
import torch
from synthetic import make_synthetic_dataset

from turntable.datasets.dataset import Dataset
from turntable.datasets.pixels import decode_jpeg
from turntable.errors import IntegrityError, InvalidInputError
from turntable.loaders import ViewLoader


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return make_synthetic_dataset(tmp_path_factory.mktemp("set"), objects=9, views=3, image_size=16)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("batch_size", [1, 4, 100])
def test_every_view_comes_once_in_order(dataset: Dataset, batch_size: int, workers: int) -> None:
    loader = ViewLoader(dataset.path, "train", batch_size, num_workers=workers)
    batches = list(loader)
    assert len(batches) == len(loader)
    batch = {name: torch.cat([item[name] for item in batches]) for name in batches[0]}
    assert set(batch) == {"view", "factors", "category", "object_index", "view_index"}
    with dataset.split("train") as split:
        rows, views = loader.num_objects, loader.num_views
        assert (rows, views) == (split.num_objects, 3)
        assert batch["object_index"].tolist() == [row for row in range(rows) for _ in range(views)]
        assert batch["view_index"].tolist() == list(range(views)) * rows
        assert (batch["factors"].numpy().reshape(split.labels.shape) == split.labels).all()
        assert batch["category"][::views].tolist() == split.categories.tolist()
        for i in range(0, rows * views, 5):
            image = decode_jpeg(split.read_jpeg(*divmod(i, views)))
            assert (batch["view"][i].permute(1, 2, 0).numpy() == image).all()


def test_images_are_resized_on_demand(dataset: Dataset) -> None:
    assert next(iter(ViewLoader(dataset.path, "val", 2, image_size=24)))["view"].shape == (2, 3, 24, 24)


def test_impossible_arguments_are_refused(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="batch_size 0"):
        ViewLoader(dataset.path, "val", 0)
    with pytest.raises(InvalidInputError, match="no split 'test'"):
        ViewLoader(dataset.path, "test")
    with pytest.raises(IntegrityError, match="not a finished data set"):
        ViewLoader(tmp_path, "val")


def test_a_damaged_image_names_object_and_view(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_synthetic_dataset(tmp_path, objects=2, views=1, image_size=16, val_fraction=0.0)
    # Right checksum, wrong content: written so.
    monkeypatch.setattr("turntable.datasets.dataset.Split.read_jpeg", lambda *_: b"\xff\xd8 no image")
    with pytest.raises(
        IntegrityError, match=r"train object class0\d/000\d, view 0: a JPEG does not decode.*verify"
    ):
        next(iter(ViewLoader(tmp_path, "train", 1)))
