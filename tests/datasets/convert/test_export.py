"""Exports in the published layout, read back the way the original training code reads them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.spatial.transform import Rotation

from tests.support.published import VIEWS, lists, tree
from turntable.datasets import (
    Dataset,
    ObjectRecord,
    export_folder,
    import_folder,
    load_recipe,
    open_dataset,
    verify_dataset,
)
from turntable.datasets.convert import ImportSettings
from turntable.datasets.convert.folder_layout import make_object_path
from turntable.datasets.files import decode_jpeg
from turntable.errors import InvalidInputError
from turntable.testing.datasets import make_synthetic_objects, write_synthetic_dataset


@pytest.mark.parametrize("split", ["train", "val"])
def test_the_original_code_reads_an_export(dataset: Dataset, exported: Path, split: str) -> None:
    samples = np.load(exported / f"{split}_images.npy")  # without pickle, as numpy loads by default
    labels = np.load(exported / f"{split}_labels.npy")
    assert samples.dtype.kind == "U"
    assert labels.dtype == np.int64
    assert labels.shape == samples.shape
    with dataset.open_split(split) as part:
        ours = dict(zip((record.id for record in part.objects), part.labels, strict=True))
        files = {
            record.id: [part.read_jpeg(row, v) for v in range(VIEWS)]
            for row, record in enumerate(part.objects)
        }
    assert sorted(samples) == sorted(f"/{name}" for name in ours)
    synsets = sorted({path.name for path in exported.iterdir() if path.is_dir()})
    for sample, label in zip(samples, labels, strict=True):
        assert label == synsets.index(sample.split("/")[1])
        images, latents = [], []
        for view in (0, 2):
            path = exported / sample[1:] / f"image_{view}.jpg"
            images.append(np.asarray(Image.open(path).convert("RGB")))
            latents.append(np.load(exported / sample[1:] / f"latent_{view}.npy"))
            assert path.read_bytes() == files[sample[1:]][view]
        assert images[0].shape == (32, 32, 3)
        assert latents[0].dtype == np.float64
        assert latents[0].shape == (7,)
        first, second = (Rotation.from_euler("xyz", latent[:3]) for latent in latents)
        relative = (first.inv() * second).as_matrix()
        matrices = [dataset.schema.compute_rotations(ours[sample[1:]][view]) for view in (0, 2)]
        np.testing.assert_allclose(relative, matrices[0].T @ matrices[1], atol=1e-12)
        np.testing.assert_array_equal(np.stack(latents), ours[sample[1:]][[0, 2]].astype(np.float64))


def test_an_export_imported_is_the_same_data_set(dataset: Dataset, exported: Path, tmp_path: Path) -> None:
    origin = ImportSettings(channel_order="rgb", source="folder", license="CC0-1.0", name="back")
    manifest = import_folder(
        exported, tmp_path / "back", settings=origin, split_lists=lists(exported), num_threads=2
    )
    report = verify_dataset(tmp_path / "back", deep=True)
    assert report.problems == ()
    assert "labels were imported" in report.notes[0]
    assert manifest.jpeg_quality == dataset.manifest.jpeg_quality
    assert manifest.jpeg_subsampling == dataset.manifest.jpeg_subsampling
    back = open_dataset(tmp_path / "back")
    assert (back.splits, back.categories) == (dataset.splits, dataset.categories)
    for name in dataset.splits:
        with dataset.open_split(name) as a, back.open_split(name) as b:
            rows = {record.id: row for row, record in enumerate(b.objects)}
            assert sorted(rows) == sorted(record.id for record in a.objects)
            for row, record in enumerate(a.objects):
                assert a.labels[row].tobytes() == b.labels[rows[record.id]].tobytes()
                for view in range(VIEWS):
                    assert a.read_jpeg(row, view) == b.read_jpeg(rows[record.id], view)


def test_translations_and_other_columns(tmp_path: Path) -> None:
    recipe = load_recipe("3diebench-t").replace(views=2, image_size_px=16, objects_per_shard=4)
    write_synthetic_dataset(tmp_path / "t", recipe, make_synthetic_objects(recipe, 5, 2))
    export_folder(tmp_path / "t", tmp_path / "out")
    latent = np.load(tmp_path / "out" / "class00" / "0000" / "latent_1.npy")
    assert latent.shape == (10,)
    (tmp_path / "out" / "export.json").unlink()  # as a published folder has none
    manifest = import_folder(tmp_path / "out", tmp_path / "back", split_lists=lists(tmp_path / "out"))
    assert manifest.schema.names == recipe.schema.names
    assert (manifest.name, manifest.channel_order) == ("3diebench-t-imported", "bgr")
    assert verify_dataset(tmp_path / "back", deep=True).ok


@pytest.mark.parametrize(
    ("factors", "told"),
    [
        ({"translation_x": {"low": 0, "high": 0.1}}, "they lack translation_y, translation_z;"),
        ({"camera_distance": {"low": 2, "high": 3}}, "they have camera_distance, which it has no place for;"),
    ],
)
def test_labels_of_other_factors_are_refused(tmp_path: Path, factors: dict, told: str) -> None:
    table = load_recipe("3diebench").to_dict()
    table |= {"factors": {**table["factors"], **factors}, "views": 2, "image_size_px": 16}
    recipe = type(load_recipe("zoo")).from_dict(table)
    write_synthetic_dataset(tmp_path / "set", recipe, make_synthetic_objects(recipe, 3, 1))
    with pytest.raises(InvalidInputError, match=told):
        export_folder(tmp_path / "set", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_red_and_blue_are_exchanged_on_request(dataset: Dataset, tmp_path: Path) -> None:
    export_folder(dataset.path, tmp_path / "bgr", channel_order="bgr")
    with dataset.open_split("val") as part:
        record = part.objects[0]
        ours = decode_jpeg(part.read_jpeg(0, 1)).astype(int)
    theirs = decode_jpeg((tmp_path / "bgr" / record.id / "image_1.jpg").read_bytes()).astype(int)
    assert np.abs(theirs[..., ::-1] - ours).mean() < 5  # encoded twice, its colors at half the size
    assert np.abs(theirs - ours).mean() > 10
    with pytest.raises(
        InvalidInputError, match="an export of another data set, or one with another --channel-order"
    ):
        export_folder(dataset.path, tmp_path / "bgr")


def test_an_export_that_was_killed_goes_on(dataset: Dataset, exported: Path, tmp_path: Path) -> None:
    calls: list[int] = []

    def stop(done: int, total: int) -> None:
        calls.append(total)
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_folder(dataset.path, tmp_path / "out", num_threads=1, progress=stop)
    assert not (tmp_path / "out" / "train_images.npy").exists()
    whole = next(path for path in sorted(tmp_path.glob("out/*/*")) if path.is_dir())
    (whole / "image_1.jpg").write_bytes(b"")  # as after a power cut
    leftover = whole.parent / ".0099.tmp"
    leftover.mkdir()
    result = export_folder(dataset.path, tmp_path / "out")
    assert 4 <= result.num_resumed < result.num_objects == 11
    leftover.rmdir()
    assert tree(tmp_path / "out") == tree(exported)


def test_ids_of_any_form_get_two_levels() -> None:
    ids = ["a/b", "a-b", "a/b/c", "Ä/b", "../x", "a/..", "b", ".hidden/x", "a/b--c", "A/B"]
    paths = [make_object_path(ObjectRecord(name, "a", "train", "folder", "")) for name in ids]
    assert paths[0] == "a/b"
    assert paths[-1] == "A/B"
    assert len(set(paths)) == len(ids)
    for path in paths:
        first, second = path.split("/")
        assert all(part and part[0] != "." and part.isascii() for part in (first, second))
