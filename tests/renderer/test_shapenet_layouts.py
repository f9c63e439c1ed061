"""Tests of ShapeNetCore folders as users have them: two versions, two layouts, and ways to be incomplete."""

import re

import numpy as np
import pytest

from tests.support.meshes import write_glb, write_shapenet_object, write_v1_object
from turntable.datasets.objects import EMPTY_CARS
from turntable.errors import InvalidInputError
from turntable.renderer import open_source
from turntable.renderer.meshes.sources.detection import detect_source
from turntable.renderer.meshes.sources.shapenet import ShapeNetSource
from turntable.renderer.meshes.sources.shapenet_facts import (
    find_synset,
    get_known_faults,
    get_synset_names,
    list_synsets,
)

LONG, SHORT = "u5c1fc5f5-1f9b-4b36-9a32-5c1fc5f51f9b", "10155655850468db78d106ce0a280f87"[:28]
PLANE, CAR, PHONE = "02691156", "02958343", "02992529"


def ids(source):
    return [item.id for item in source.list_objects()]


def extent(mesh):
    return np.linalg.norm(np.ptp(mesh.positions, axis=0))


def test_the_table_of_synsets():
    assert len(list_synsets("v2")) == 55
    assert list_synsets("v1") - list_synsets("v2") == {"02834778", "02858304"}
    assert find_synset("Cell Phone") == find_synset("cellphone") == find_synset("cellular_telephone") == PHONE
    assert find_synset("bike") is find_synset("phone") is find_synset("nothing") is None
    assert get_synset_names(PLANE)[0] == "airplane"
    for synset in list_synsets("v1"):
        assert {find_synset(name) for name in get_synset_names(synset)} == {synset}
    assert len(get_known_faults()) == 108 + 3  # Kubric's list, with the empty cars, and ours
    assert all(re.fullmatch(r"\d{8}/[0-9a-f]{28,32}", name) for name in get_known_faults())
    assert {name.split("/")[0] for name in get_known_faults()} <= list_synsets("v2")


def test_v1_is_refused_by_name_and_read_on_request(tmp_path):
    write_v1_object(tmp_path, f"{PLANE}/a")
    with pytest.raises(InvalidInputError, match=r"is ShapeNetCore v1 .*--source shapenet-v1") as caught:
        ids(ShapeNetSource(tmp_path))
    assert "differ from those of v2 in scale, pose and materials" in str(caught.value)
    source = open_source("shapenet-v1", tmp_path)
    assert (source.name, ids(source)) == ("shapenet-v1", [f"{PLANE}/a"])
    mesh = source.load(f"{PLANE}/a")
    assert extent(mesh) == pytest.approx(1, abs=1e-5)
    assert mesh.materials[1].base_color == (1, 0, 0)
    assert source.describe()["version"] == "v1"
    assert detect_source(tmp_path) == "shapenet-v1"


def test_v2_is_not_taken_for_v1(tmp_path):
    write_shapenet_object(tmp_path, f"{PLANE}/a")
    with pytest.raises(InvalidInputError, match="is ShapeNetCore v2, not v1"):
        ids(open_source("shapenet-v1", tmp_path))


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("second", ["a", "b"])
def test_both_versions_in_one_folder_are_refused(tmp_path, version, second):
    """Beside one another, and unpacked over one another."""
    write_v1_object(tmp_path, f"{PLANE}/a")
    write_shapenet_object(tmp_path / "other", f"{PLANE}/{second}")
    target = tmp_path / PLANE / second
    target.mkdir(exist_ok=True)
    for name in ("models", "images"):
        (tmp_path / "other" / PLANE / second / name).rename(target / name)
    for name in (f"other/{PLANE}/{second}", f"other/{PLANE}", "other"):
        (tmp_path / name).rmdir()
    with pytest.raises(InvalidInputError, match=r"mixes ShapeNetCore v1 .* and v2"):
        ids(ShapeNetSource(tmp_path, version))


@pytest.mark.parametrize("inner", ["{id}.glb", "{id}/model.glb", "{id}/models/model_normalized.glb"])
def test_glb_files_by_category_name_have_the_same_ids(tmp_path, inner):
    obj, glb = tmp_path / "obj", tmp_path / "glb"
    write_shapenet_object(obj, f"{PLANE}/{LONG}")
    write_shapenet_object(obj, f"{PHONE}/{SHORT}")
    write_glb(glb / "airplane" / inner.format(id=LONG))
    write_glb(glb / "cell phone" / inner.format(id=SHORT))
    ours, theirs = ShapeNetSource(glb), ShapeNetSource(obj)
    assert ours.list_objects() == theirs.list_objects()
    for name in ids(ours):
        mesh = ours.load(name)
        assert extent(mesh) == pytest.approx(1, abs=1e-5)
        assert mesh.materials[0].texture is not None
        assert len(ours.compute_digest(name, mesh)) == 64
    assert ours.describe()["layout"] == "v2-glb"
    assert detect_source(glb) == ("shapenet")
    write_glb(glb / "teacups" / "x.glb")
    with pytest.raises(InvalidInputError, match="no category named teacups"):
        ids(ours)


def test_one_level_too_deep_or_too_shallow(tmp_path):
    root = tmp_path / "ShapeNetCore.v2"
    write_shapenet_object(root, f"{PLANE}/a")
    with pytest.raises(InvalidInputError, match=rf"one level too deep.*give the folder above, {root}$"):
        ids(ShapeNetSource(root / PLANE))
    with pytest.raises(InvalidInputError, match=rf"one object's folder; give {root}$"):
        ids(ShapeNetSource(root / PLANE / "a"))
    with pytest.raises(
        InvalidInputError, match=rf"one level too shallow: the synsets lie in {root}; give that"
    ):
        ids(ShapeNetSource(tmp_path))
    assert detect_source(root / PLANE) == detect_source(tmp_path) == "shapenet"


def test_still_zipped(tmp_path):
    for name in (PLANE, CAR):
        (tmp_path / f"{name}.zip").write_bytes(b"PK")
    with pytest.raises(InvalidInputError, match="is still zipped"):
        ids(ShapeNetSource(tmp_path))
    assert detect_source(tmp_path) == "shapenet"
    write_shapenet_object(tmp_path, f"{PLANE}/a")
    assert ShapeNetSource(tmp_path).describe()["still_zipped"] == [f"{CAR}.zip"]


def test_half_downloaded(tmp_path):
    write_shapenet_object(tmp_path, f"{PLANE}/good")
    for number in range(10):
        (tmp_path / PLANE / f"{number}").mkdir()
    facts = ShapeNetSource(tmp_path).describe()
    assert (facts["objects"], facts["models_missing"]) == (1, 10)
    (tmp_path / CAR / "one-more").mkdir(parents=True)
    with pytest.raises(InvalidInputError, match=rf"half downloaded: 11 of 12 .*10 in {PLANE}, 1 in {CAR}"):
        ids(ShapeNetSource(tmp_path))


def test_nothing_but_empty_synsets(tmp_path):
    (tmp_path / PLANE).mkdir()
    with pytest.raises(InvalidInputError, match="holds no models in its 1 synsets"):
        ids(ShapeNetSource(tmp_path))


def test_the_nineteen_empty_cars_are_no_half_download(tmp_path):
    write_shapenet_object(tmp_path, f"{CAR}/good")
    for name in EMPTY_CARS:
        (tmp_path / name).mkdir()
    source = ShapeNetSource(tmp_path)
    assert ids(source) == [f"{CAR}/good"]
    facts = source.describe()
    assert (facts["known_empty"], facts["models_missing"]) == (19, 0)
    assert len(facts["synsets_missing"]) == 54
