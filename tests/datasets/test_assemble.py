from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet

from turntable.datasets import Dataset, Recipe, draw_factors, verify_dataset
from turntable.datasets.describing import compute_pixel_statistics
from turntable.datasets.files import FolderFiles, decode_jpeg
from turntable.datasets.fingerprint import compute_fingerprint
from turntable.datasets.manifest import read_manifest
from turntable.datasets.objects import QuarantineRecord, WarningRecord, read_quarantine
from turntable.datasets.shards import ShardReader, ShardRecord, make_folder_opener
from turntable.datasets.writing import finish_dataset
from turntable.errors import IntegrityError, InvalidInputError
from turntable.testing.datasets import make_synthetic_dataset, make_synthetic_objects, write_synthetic_dataset


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return make_synthetic_dataset(tmp_path_factory.mktemp("set"), num_objects=14, num_views=4, image_size=16)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_making_it_again_changes_no_byte(dataset: Dataset, tmp_path: Path) -> None:
    recipe = Recipe.from_dict(dataset.manifest.recipe)
    records = make_synthetic_objects(recipe, 14, 3)
    write_synthetic_dataset(tmp_path, recipe, records[::-1])
    assert files(tmp_path) == files(dataset.path)


def test_the_fingerprint_knows_objects_and_labels_but_no_pixels(dataset: Dataset, tmp_path: Path) -> None:
    recipe = Recipe.from_dict(dataset.manifest.recipe)
    write_synthetic_dataset(tmp_path / "fewer", recipe, make_synthetic_objects(recipe, 13, 3))
    other_seed = make_synthetic_dataset(tmp_path / "seed", num_objects=14, num_views=4, image_size=16, seed=1)
    fewer = read_manifest(FolderFiles(tmp_path / "fewer"))
    assert len({mark.fingerprint for mark in (dataset.manifest, other_seed.manifest, fewer)}) == 3
    objects, labels = [], []
    for name in dataset.splits:
        with dataset.open_split(name) as split:
            objects += split.objects
            labels += list(split.labels)  # other pieces, the same labels
    assert compute_fingerprint(recipe.digest, objects, labels) == dataset.manifest.fingerprint


def test_the_table_has_one_row_a_view(dataset: Dataset) -> None:
    table = parquet.read_table(dataset.path / "labels.parquet")
    assert table.num_rows == 14 * 4
    assert table.column_names[:6] == ["object", "key", "category", "category_index", "split", "view"]
    assert table.column_names[6:13] == list(dataset.schema.names)
    recipe = Recipe.from_dict(dataset.manifest.recipe)
    rows = table.to_pylist()
    for row in rows[:: len(rows) // 7]:
        labels = draw_factors(recipe, row["object"], row["view"])[0]
        assert [np.float32(row[name]) for name in dataset.schema.names] == labels.tolist()
        with (dataset.path / row["shard"]).open("rb") as shard:
            shard.seek(row["offset"])
            assert decode_jpeg(shard.read(row["size"])).shape == (16, 16, 3)
        assert row["category"] == dataset.categories[row["category_index"]]
        assert row["shard"].startswith(row["split"] + "/")


def test_objects_with_their_own_licenses(dataset: Dataset, tmp_path: Path) -> None:
    recipe = Recipe.from_dict(dataset.manifest.recipe)
    first, *others = make_synthetic_objects(recipe, 6, 3)
    write_synthetic_dataset(tmp_path, recipe, [replace(first, licence="CC-BY-4.0"), *others])
    table = parquet.read_table(tmp_path / "labels.parquet", columns=["object", "licence", "source_sha256"])
    facts = {(row["object"], row["licence"], row["source_sha256"]) for row in table.to_pylist()}
    assert facts == {
        (item.id, "CC-BY-4.0" if item is first else "CC0-1.0", item.source_sha256)
        for item in (first, *others)
    }
    card = (tmp_path / "README.md").read_text()
    assert "| CC0-1.0 | 5 |\n| CC-BY-4.0 | 1 |" in card
    assert verify_dataset(tmp_path, deep=True).ok


def test_warnings_are_summed_by_kind_in_the_card(dataset: Dataset, tmp_path: Path) -> None:
    recipe = Recipe.from_dict(dataset.manifest.recipe)
    write_synthetic_dataset(tmp_path, recipe, make_synthetic_objects(recipe, 14, 3))
    kinds = (("a", "image-cut"), ("a", "image-cut"), ("b", "image-cut"), ("b", "<b>|"), ("", "folder"))
    finish_dataset(
        tmp_path,
        recipe,
        dataset.manifest.shards,
        warnings=[WarningRecord(name, kind, "x.obj", "wrong", "right") for name, kind in kinds],
        kind_meanings={"image-cut": "an image is cut off"},
        camera={},
        device={},
        source={},
    )
    card = (tmp_path / "README.md").read_text()
    assert "Objects shown otherwise than their files say: 2 (`warnings.jsonl` says how)." in card
    table = """| warning | warnings | objects | meaning |
|---|---|---|---|
| image-cut | 3 | 2 | an image is cut off |
| &lt;b>\\| | 1 | 1 |  |
| folder | 1 | 0 |  |

| split |"""
    assert table in card


def test_shards_may_lie_elsewhere(dataset: Dataset, tmp_path: Path) -> None:
    manifest, opened = dataset.manifest, []

    def open_shard(shard: ShardRecord) -> ShardReader:
        opened.append(shard)
        return make_folder_opener(dataset.path)(shard)

    finish_dataset(
        tmp_path,
        Recipe.from_dict(manifest.recipe),
        manifest.shards,
        camera=manifest.camera,
        device=manifest.device,
        source=manifest.source,
        open_shard=open_shard,
    )
    assert set(opened) == set(manifest.shards)
    beside = {name: data for name, data in files(dataset.path).items() if "/" not in name}
    assert files(tmp_path) == beside


def test_the_card_is_true(dataset: Dataset) -> None:
    card = (dataset.path / "README.md").read_text()
    assert "56 views of 14 objects of 3 categories" in card
    assert "| train | 10 | 40 | 3 |" in card
    assert dataset.manifest.fingerprint in card
    assert "exchanged" not in card


def test_an_exchange_of_channels_is_stated(tmp_path: Path) -> None:
    make_synthetic_dataset(tmp_path, num_objects=4, num_views=2, image_size=16, channel_order="bgr")
    assert "red and blue are exchanged in the files" in (tmp_path / "README.md").read_text()


def test_statistics_are_those_of_the_training_pixels(dataset: Dataset) -> None:
    with dataset.open_split("train") as split:
        images = [
            decode_jpeg(split.read_jpeg(row, view)) for row in range(split.num_objects) for view in range(4)
        ]
        pixels = np.stack(images).reshape(-1, 3) / 255
        assert np.allclose(dataset.manifest.pixel_mean, pixels.mean(axis=0), atol=1e-6)  # type: ignore[arg-type]
        assert np.allclose(dataset.manifest.pixel_std, pixels.std(axis=0), atol=1e-6)  # type: ignore[arg-type]
        few, _ = compute_pixel_statistics(split, max_views=10)
        assert few != dataset.manifest.pixel_mean
        assert np.allclose(few, dataset.manifest.pixel_mean, atol=0.1)  # type: ignore[arg-type]


def test_quarantine_is_sorted_and_counted(dataset: Dataset, tmp_path: Path) -> None:
    recipe = Recipe.from_dict(dataset.manifest.recipe)
    write_synthetic_dataset(tmp_path, recipe, make_synthetic_objects(recipe, 14, 3))
    left_out = [
        QuarantineRecord("z/1", "no triangles", "z.obj: empty"),
        QuarantineRecord("a/1", "ünreadable"),
    ]
    manifest = finish_dataset(
        tmp_path, recipe, dataset.manifest.shards, left_out, camera={}, device={}, source={}
    )
    assert manifest.quarantined == 2
    assert read_quarantine(tmp_path / "quarantine.jsonl") == (left_out[1], left_out[0])
    assert "Objects left out: 2" in (tmp_path / "README.md").read_text()


def test_a_quarantine_line_that_is_none_is_named(tmp_path: Path) -> None:
    path = tmp_path / "quarantine.jsonl"
    assert read_quarantine(path) == ()
    path.write_text('{"object":"a","reason":"b","detail":""}\n{"object":"a"}\n')
    with pytest.raises(IntegrityError, match=r"quarantine\.jsonl, line 2: not a quarantine record"):
        read_quarantine(path)


def test_nothing_rendered_is_an_error_and_no_manifest(tmp_path: Path, dataset: Dataset) -> None:
    recipe = Recipe.from_dict(dataset.manifest.recipe)
    with pytest.raises(InvalidInputError, match="no shard was written, since every object was left out"):
        finish_dataset(tmp_path, recipe, [], camera={}, device={}, source={})
    assert list(tmp_path.iterdir()) == []


def test_a_data_set_may_have_one_split(tmp_path: Path) -> None:
    dataset = make_synthetic_dataset(
        tmp_path / "train", num_objects=3, num_views=2, image_size=16, val_fraction=0.0
    )
    assert dataset.splits == ("train",)
    with pytest.raises(InvalidInputError, match="has no split 'val'; it has train"):
        dataset.open_split("val")
