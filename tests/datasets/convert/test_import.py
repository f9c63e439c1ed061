"""Imports of the published layout: whole, damaged, planted by strangers, and killed."""

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest

from tests.support.published import VIEWS, tree, write_list
from turntable.datasets import export_folder, import_folder, open_dataset, verify_dataset
from turntable.datasets.convert import ImportSettings
from turntable.datasets.files import encode_jpeg
from turntable.datasets.objects import read_quarantine
from turntable.errors import InvalidInputError, TurntableError
from turntable.testing.datasets import make_synthetic_dataset


def test_a_published_folder_is_imported(published: Path, tmp_path: Path) -> None:
    held_out = ("00691156/u0abc-0", "02691156/u2abc-2")
    calls: list[tuple[int, int]] = []
    manifest = import_folder(
        published,
        tmp_path / "out",
        split_lists=[write_list(tmp_path / "val_images.npy", *held_out)],
        describe_camera=lambda size: {"size": size},
        progress=lambda done, total: calls.append((done, total)),
    )
    assert calls[-1] == (9, 9)
    assert manifest.totals.objects == 9
    assert (manifest.views, manifest.image_size_px, manifest.jpeg_quality) == (VIEWS, 32, 90)
    assert (manifest.channel_order, manifest.camera) == ("bgr", {"size": 32})
    assert verify_dataset(tmp_path / "out", deep=True).problems == ()
    with open_dataset(tmp_path / "out").open_split("val") as val:
        assert {record.id for record in val.objects} == set(held_out)
        row = [record.id for record in val.objects].index("02691156/u2abc-2")
        assert val.read_jpeg(row, 1) == (published / "02691156/u2abc-2/image_1.jpg").read_bytes()
        latent = np.load(published / "02691156/u2abc-2/latent_1.npy")
        np.testing.assert_array_equal(val.labels[row, 1], latent.astype(np.float32))
    card = (tmp_path / "out" / "README.md").read_text()
    assert "Converted by turntable" in card
    assert "red and blue are exchanged" in card


def damage(folder: Path, kind: str) -> None:
    image, latent = folder / "image_1.jpg", folder / "latent_1.npy"
    match kind:
        case "views missing":
            image.unlink()
        case "views too many":
            (folder / "image_7.jpg").write_bytes(image.read_bytes())
        case "image damaged":
            image.write_bytes(image.read_bytes()[:-200])
        case "image of another size":
            image.write_bytes(encode_jpeg(np.zeros((16, 32, 3), np.uint8)))
        case "label damaged":
            np.save(latent, np.array([{"a": 1}] * 7, dtype=object), allow_pickle=True)
        case _:
            np.save(latent, np.full(7, np.nan))


@pytest.mark.parametrize(
    "kind",
    ["views missing", "views too many", "image damaged", "image of another size", "label damaged", "nan"],
)
def test_a_damaged_object_is_left_out_and_no_other(published: Path, tmp_path: Path, kind: str) -> None:
    damage(published / "01691156" / "u4abc-4", kind)
    manifest = import_folder(published, tmp_path / "out")
    (record,) = read_quarantine(tmp_path / "out" / "quarantine.jsonl")
    assert record.object == "01691156/u4abc-4"
    assert record.reason == ("label damaged" if kind == "nan" else kind)
    assert str(published / "01691156" / "u4abc-4") in record.detail
    assert (manifest.totals.objects, manifest.quarantined) == (8, 1)
    assert verify_dataset(tmp_path / "out", deep=True).ok


def plant(folder: Path, kind: str, elsewhere: Path) -> None:
    """Put what a stranger may put among the files of an object."""
    image, latent = folder / "image_1.jpg", folder / "latent_1.npy"
    match kind:
        case "label linked":
            (elsewhere / "key.npy").write_bytes(latent.read_bytes())
            latent.unlink()
            latent.symlink_to(elsewhere / "key.npy")
        case "image linked":
            (elsewhere / "key.jpg").write_bytes(image.read_bytes())
            image.unlink()
            image.symlink_to(elsewhere / "key.jpg")
        case "folder linked":
            folder.rename(elsewhere / "object")
            folder.symlink_to(elsewhere / "object")
        case "image is a pipe":
            image.unlink()
            os.mkfifo(image)
        case "label is a device":
            latent.unlink()
            latent.symlink_to("/dev/zero")
        case "label claims gigabytes":
            latent.write_bytes(latent.read_bytes().replace(b"(7,), }", b"(9999999999,), }"))
        case "label is sparse":
            os.truncate(latent, 1 << 40)
        case "image is sparse":
            os.truncate(image, 1 << 40)
        case "image claims gigapixels":
            data = image.read_bytes()
            at = data.index(b"\xff\xc0") + 5
            image.write_bytes(data[:at] + b"\xff\xdc" * 2 + data[at + 4 :])


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("label linked", r"latent_1\.npy: a link that leads out.*--links-under"),
        ("image linked", r"image_1\.jpg: a link that leads out.*--links-under"),
        ("folder linked", r"image_0\.jpg: a link that leads out.*--links-under"),
        ("image is a pipe", r"image_1\.jpg: no ordinary file"),
        ("label is a device", r"latent_1\.npy: a link that leads out"),
        ("label claims gigabytes", r"latent_1\.npy: not a plain array of the length"),
        ("label is sparse", r"latent_1\.npy: more than 0 MiB"),
        ("image is sparse", r"image_1\.jpg: more than 1 MiB"),
        ("image claims gigapixels", r"image_1\.jpg: .*65500"),
    ],
)
def test_what_a_stranger_planted_leaves_its_object_out(
    published: Path, tmp_path: Path, kind: str, told: str
) -> None:
    (tmp_path / "elsewhere").mkdir()
    plant(published / "01691156" / "u4abc-4", kind, tmp_path / "elsewhere")
    manifest = import_folder(published, tmp_path / "out")
    (record,) = read_quarantine(tmp_path / "out" / "quarantine.jsonl")
    assert re.search(told, record.detail)
    assert record.object == "01691156/u4abc-4"
    assert record.reason == ("label damaged" if kind.startswith("label") else "image damaged")
    assert (manifest.totals.objects, manifest.quarantined) == (8, 1)
    assert verify_dataset(tmp_path / "out", deep=True).ok
    if "linked" in kind:
        again = import_folder(published, tmp_path / "allowed", links_under=[tmp_path / "elsewhere"])
        assert (again.totals.objects, again.quarantined) == (9, 0)


@pytest.mark.parametrize("kind", ["pickled", "pipe", "claim"])
def test_a_list_of_a_split_is_read_as_warily(published: Path, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "val_images.npy"
    match kind:
        case "pickled":
            np.save(path, np.array(["/a/b", {"a": 1}], dtype=object), allow_pickle=True)
        case "pipe":
            os.mkfifo(path)
        case _:
            write_list(path, "00691156/u0abc-0")
            path.write_bytes(path.read_bytes().replace(b"(1,), }", b"(9999999999,), }"))
    with pytest.raises(InvalidInputError, match=r"val_images\.npy is not an \.npy file of texts"):
        import_folder(published, tmp_path / "out", split_lists=[path])


def test_objects_the_lists_do_not_name_or_that_are_absent(published: Path, tmp_path: Path) -> None:
    given = [
        write_list(tmp_path / "val_images.npy", "00691156/u0abc-0"),
        write_list(tmp_path / "train_images.npy", "02691156/u2abc-2", "02691156/gone"),
    ]
    manifest = import_folder(published, tmp_path / "out", split_lists=given)
    records = read_quarantine(tmp_path / "out" / "quarantine.jsonl")
    assert manifest.totals.objects == 2
    assert manifest.quarantined == len(records) == 8
    assert {r.reason for r in records if r.object == "02691156/gone"} == {"folder missing"}
    assert sum(record.reason == "in no split" for record in records) == 7


def test_a_label_outside_the_declared_range_names_its_file(published: Path, tmp_path: Path) -> None:
    path = published / "01691156" / "u4abc-4" / "latent_2.npy"
    latent = np.load(path)
    latent[1] = 2.0
    np.save(path, latent)
    with pytest.raises(InvalidInputError, match=r"latent_2\.npy: rotation_y_rad is 2, outside \[-1\.5708"):
        import_folder(published, tmp_path / "out")
    latent[1] = 0.5
    np.save(path, latent)
    assert import_folder(published, tmp_path / "out").totals.objects == 9  # the same call goes on


def test_an_import_that_was_killed_ends_in_the_same_bytes(published: Path, tmp_path: Path) -> None:
    import_folder(published, tmp_path / "whole", num_threads=1)

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_folder(published, tmp_path / "out", num_threads=1, progress=stop)
    assert not (tmp_path / "out" / "manifest.json").exists()
    first = json.loads((tmp_path / "out" / "journal.jsonl").read_text().splitlines()[0])
    made = tmp_path / "out" / first["split"] / f"{first['name']}.tar"
    before = made.stat().st_mtime_ns
    import_folder(published, tmp_path / "out", num_threads=3)
    assert made.stat().st_mtime_ns == before
    differ = {"journal.jsonl"}  # its lines are in the order in which shards were made
    whole, again = (
        {name: data for name, data in tree(tmp_path / part).items() if name not in differ}
        for part in ("whole", "out")
    )
    assert whole == again
    with pytest.raises(InvalidInputError, match="an import of other objects, or one with other arguments"):
        import_folder(published, tmp_path / "out", settings=ImportSettings(channel_order="rgb"))


def test_folders_of_another_kind_are_refused(published: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="is not a folder"):
        import_folder(tmp_path / "none", tmp_path / "out")
    with pytest.raises(InvalidInputError, match=r"give the folder that holds the synsets' folders"):
        import_folder(published / "00691156", tmp_path / "out")  # one level too deep
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("x")
    for work in (import_folder, export_folder):
        source = published if work is import_folder else make_synthetic_dataset(tmp_path / "s", 3, 1, 2).path
        with pytest.raises(TurntableError, match="is not empty and does not hold"):
            work(source, tmp_path / "full")
    np.save(published / "00691156" / "u0abc-0" / "latent_0.npy", np.zeros(9))
    with pytest.raises(
        InvalidInputError, match="the label has 9 numbers, but 3DIEBench's have 7 and 3DIEBench-T's 10"
    ):
        import_folder(published, tmp_path / "out")


def test_the_published_set_out_of_distribution_is_declared(published: Path, tmp_path: Path) -> None:
    for path in published.glob("*/*/latent_*.npy"):
        latent = np.load(path)
        latent[:3] = np.sign(latent[:3]) * (np.pi - np.abs(latent[:3]))
        np.save(path, latent)
    with pytest.raises(
        InvalidInputError,
        match=r"rotation_x_rad is .* the range of recipe 3diebench-imported; give the recipe .* with --like",
    ):
        import_folder(published, tmp_path / "wrong")
    origin = ImportSettings(like="3diebench-ood-legacy")
    manifest = import_folder(published, tmp_path / "out", settings=origin)
    assert (manifest.splits, manifest.totals.objects) == (("val",), 9)
    assert verify_dataset(tmp_path / "out", deep=True).problems == ()
