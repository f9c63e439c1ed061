import dataclasses
import json
from pathlib import Path

import pytest

from turntable.datasets import Manifest
from turntable.datasets.files import FolderFiles
from turntable.datasets.manifest import read_manifest
from turntable.errors import IntegrityError
from turntable.testing.datasets import make_synthetic_dataset


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return make_synthetic_dataset(
        tmp_path_factory.mktemp("set"), num_objects=9, num_views=3, image_size=16
    ).manifest


def test_a_manifest_comes_back_from_json(manifest: Manifest) -> None:
    assert Manifest.from_json(manifest.to_json()) == manifest
    bare = dataclasses.replace(manifest, pixel_mean=None, pixel_std=None)
    assert Manifest.from_json(bare.to_json()) == bare


def test_it_says_everything_a_reader_needs(manifest: Manifest) -> None:
    table = json.loads(manifest.to_json())
    assert table["format_version"] == 1
    assert table["categories"] == ["class00", "class01", "class02"]
    assert table["totals"] == {"objects": 9, "images": 27, "bytes": sum(s["bytes"] for s in table["shards"])}
    assert {(s["split"], s["objects"]) for s in table["shards"]} == {("train", 4), ("train", 3), ("val", 2)}
    assert [factor["name"] for factor in table["factors"]] == list(manifest.recipe["factors"])
    assert table["conventions"]["quaternion_order"] == "xyzw"
    assert table["device"] == {"backend": "synthetic"}
    assert table["source"]["licence"] == "CC0-1.0"
    assert all(0.1 < value < 0.9 for value in table["pixel_mean"])
    assert all(0.05 < value < 0.5 for value in table["pixel_std"])
    assert manifest.schema.names[3] == "floor_hue"


def test_another_format_is_refused_with_advice(manifest: Manifest) -> None:
    text = manifest.to_json().replace('"format_version": 1', '"format_version": 2')
    with pytest.raises(
        IntegrityError,
        match=r"m\.json: the format is 2, but this version of turntable reads format 1; install",
    ):
        Manifest.from_json(text, "m.json")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "3", "{}", '{"format_version": "x"}', '{"format_version": 1}']
)
def test_what_is_no_manifest_is_refused(text: str) -> None:
    with pytest.raises(IntegrityError, match=r"manifest\.json: not a manifest"):
        Manifest.from_json(text)


def test_a_folder_without_manifest_is_not_finished(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="not a finished data set; run `turntable render`"):
        read_manifest(FolderFiles(tmp_path))
    (tmp_path / "manifest.json").write_bytes(b"\xff\xfe")
    with pytest.raises(IntegrityError, match="not a manifest"):
        read_manifest(FolderFiles(tmp_path))
