import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from turntable.datasets import Dataset, Recipe, draw_factors, open_dataset
from turntable.errors import IntegrityError, InvalidInputError
from turntable.testing.datasets import make_synthetic_dataset


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return make_synthetic_dataset(tmp_path_factory.mktemp("set"), num_objects=14, num_views=4, image_size=16)


def test_a_split_joins_its_shards(dataset: Dataset) -> None:
    recipe = Recipe.from_dict(dataset.manifest.recipe)
    with dataset.open_split("train") as split:
        assert (split.num_objects, split.num_views) == (10, 4)
        assert split.labels.shape == (10, 4, 7)
        for row, item in enumerate(split.objects):
            assert item.split == "train"
            assert dataset.categories[split.category_indices[row]] == item.category
            assert split.labels[row].tobytes() == draw_factors(recipe, item.id, range(4)).tobytes()


def test_the_splits_share_no_object(dataset: Dataset) -> None:
    with dataset.open_split("train") as train, dataset.open_split("val") as val:
        ids = [item.id for item in (*train.objects, *val.objects)]
    assert len(set(ids)) == len(ids) == 14
    assert {item.category for item in val.objects} == set(dataset.categories)


def test_labels_at_reads_any_views(dataset: Dataset) -> None:
    rng = np.random.default_rng(0)
    rows, views = rng.integers(0, 10, 100), rng.integers(0, 4, 100)
    with dataset.open_split("train") as split:
        assert (split.get_labels(rows, views) == split.labels[rows, views]).all()
        assert split.get_labels(rows[:0], views[:0]).shape == (0, 7)


def test_every_view_is_another_file(dataset: Dataset) -> None:
    with dataset.open_split("val") as split:
        jpegs = {split.read_jpeg(row, view) for row in range(split.num_objects) for view in range(4)}
        assert len(jpegs) == split.num_objects * 4


@pytest.mark.parametrize(("row", "view"), [(10, 0), (0, 4), (-1, 0), (0, -1)])
def test_views_that_are_not_there_are_refused(dataset: Dataset, row: int, view: int) -> None:
    told = pytest.raises(InvalidInputError, match=r"no view .* in train: it has 10 objects of 4 views")
    with dataset.open_split("train") as split, told:
        split.read_jpeg(row, view)


def test_a_manifest_of_another_data_set_is_noticed(dataset: Dataset, tmp_path: Path) -> None:
    other = make_synthetic_dataset(tmp_path, num_objects=14, num_views=5, image_size=16)
    mixed = Dataset(dataset.location, other.manifest)
    with pytest.raises(IntegrityError, match=r"shard-000000\.tar: 33792 bytes, manifest\.json says 39936"):
        mixed.open_split("train")


def test_opening_needs_a_manifest(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="not a finished data set"):
        open_dataset(str(tmp_path))


def test_reading_needs_numpy_alone() -> None:
    code = (
        "import sys, turntable.datasets.dataset as d\n"
        "heavy = {'torch', 'pyarrow', 'pydantic', 'simplejpeg', 'PIL', 'scipy', 'rich'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_generation_needs_no_torch_nor_pyarrow_to_import() -> None:
    code = (
        "import sys, turntable.datasets.writing.finishing, turntable.datasets.verification.dataset\n"
        "heavy = {'torch', 'pyarrow', 'simplejpeg', 'PIL', 'scipy'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
