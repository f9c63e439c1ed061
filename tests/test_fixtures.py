"""Fixtures that earlier code made are opened, continued and made again (tests/fixtures/README.md)."""

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
import pytest
import torch

from tests.support import fixture_checkpoints, fixture_results, fixture_runs, fixture_sets
from tests.support.fixture_compare import (
    PIXELS,
    VERSION,
    array_differences,
    differences,
    gained,
    picture_differences,
)
from tests.support.fixture_table import FIXTURES as FIXTURES_BY_NAME
from tests.support.tiny_backbone import tiny_backbone
from turntable.datasets import Manifest, open_dataset, verify_dataset
from turntable.evaluation.old_names import rename_results
from turntable.training import load_method, open_run, read_records

FIXTURES = Path(__file__).parent / "fixtures"
WHOLE = tuple(name for name in fixture_sets.SETS if name != "subset")
RENDERED = ("pairs", "sequences", "outputs", "points")
KINDS = ("sets", "batches", "runs", "checkpoints", "results")
PICTURES = ("view", "view_1", "view_2", "views")
OF_BYTES = ("shard", "shard_index", "offset", "size", "crc32")
"""Columns of labels.parquet that depend on the pixels' bytes."""


@pytest.fixture(scope="module", autouse=True)
def one_thread_and_the_tiny_backbone():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with tiny_backbone():
        yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """The folder of a stored set."""
    folders = {}

    def folder(name):
        if name not in folders:
            folders[name] = fixture_sets.whole_folder(name, FIXTURES, tmp_path_factory.mktemp("stored"))
        return folders[name]

    return folder


@pytest.fixture(scope="module")
def again(tmp_path_factory):
    """The folder of a set that this code has made."""
    folders = {}

    def folder(name):
        if name not in folders:
            work = tmp_path_factory.mktemp("again")
            fixture_sets.make_set(name, FIXTURES, work, work / name)
            folders[name] = work / name
        return folders[name]

    return folder


def manifest_of(folder):
    return json.loads((folder / "manifest.json").read_text())


def rows_of(folder):
    table = parquet.read_table(folder / "labels.parquet")
    return table.to_pydict()


def test_every_folder_is_made_and_tested():
    there = {f"{kind}/{folder.name}" for kind in KINDS for folder in (FIXTURES / kind).iterdir()}
    assert there == set(FIXTURES_BY_NAME)
    tested = {
        *(f"{kind}/{name}" for kind in ("sets", "batches") for name in fixture_sets.SETS),
        *(f"{kind}/{name}" for kind in ("runs", "results") for name in fixture_runs.COMMANDS),
        *(f"checkpoints/{kind}" for kind in fixture_checkpoints.KINDS),
    }
    assert there == tested
    inputs = {"recipes", "lists", "meshes", "layouts", "make.py", "README.md", "mesh-cases.tar.xz"}
    beside = {path.name for path in FIXTURES.iterdir()} - {"__pycache__"}
    assert beside == inputs | set(KINDS)


@pytest.mark.parametrize("name", fixture_sets.SETS)
def test_a_stored_manifest_is_read_and_loses_nothing(name, stored):
    before = manifest_of(stored(name))
    after = json.loads(open_dataset(stored(name)).manifest.to_json())
    assert differences(before, after, gains=True) == []


@pytest.mark.parametrize("name", WHOLE)
def test_verification_finds_nothing_in_a_stored_set(name, stored):
    report = verify_dataset(stored(name), deep=True)
    assert report.problems == ()
    assert report.num_images == open_dataset(stored(name)).manifest.totals.images


@pytest.mark.parametrize("name", WHOLE)
def test_the_loader_gives_the_labels_of_the_table(name, stored):
    rows = rows_of(stored(name))
    manifest = manifest_of(stored(name))
    factors = [factor["name"] for factor in manifest["factors"]]
    seen = 0
    for split in manifest["splits"]:
        batch = fixture_sets.views_in_order(stored(name), split)
        places = [place for place, value in enumerate(rows["split"]) if value == split]
        table = np.array([[rows[factor][place] for factor in factors] for place in places], np.float32)
        assert np.array_equal(batch["factors"], table)
        assert batch["view_index"].tolist() == [rows["view"][place] for place in places]
        categories = [manifest["categories"].index(rows["category"][place]) for place in places]
        assert batch["category"].tolist() == categories
        seen += len(places)
    assert seen == len(rows["view"]) == manifest["totals"]["images"]


@pytest.mark.parametrize("name", fixture_sets.SETS)
def test_an_epoch_is_the_stored_one(name, stored):
    before = dict(np.load(FIXTURES / "batches" / name / "batches.npz"))
    after = fixture_sets.batches(name, stored(name))
    means = {field for field in before if field.split("/")[-1] in PICTURES}
    assert means
    for fields, near in ((means, 0.1), (before.keys() - means, 1e-6)):  # decoders may round otherwise
        one, two = ({name: arrays[name] for name in fields} for arrays in (before, after))
        assert array_differences(one, two, absolute=near, relative=1e-6) == []
    assert after.keys() == before.keys()


@pytest.mark.gl
@pytest.mark.parametrize("name", RENDERED)
def test_a_set_drawn_again_is_the_same_but_for_its_pixels(name, stored, again):
    before, after = manifest_of(stored(name)), manifest_of(again(name))
    assert differences(before, after, gains=True, free=(*PIXELS, *VERSION)) == []
    for statistic in ("pixel_mean", "pixel_std"):
        assert np.allclose(before[statistic], after[statistic], atol=0.01)
    ones, twos = rows_of(stored(name)), rows_of(again(name))
    for column in set(ones) - set(OF_BYTES):
        assert twos[column] == ones[column], column
    for split in before["splits"]:
        check_pictures(stored(name), again(name), split, before)


def check_pictures(one, two, split, manifest):
    """Pictures, outputs and point clouds, as near as two drivers draw one scene."""
    beside = fixture_sets.beside_pictures(open_dataset(one).manifest)
    before, after = (fixture_sets.views_in_order(folder, split, beside) for folder in (one, two))
    assert picture_differences(before["view"], after["view"]) == []
    if "mask" in before:
        same = before["mask"] == after["mask"]
        assert same.mean() > 0.995
        for output, near in {"depth": 0.02, "normals": 0.1, "coordinates": 0.05}.items():
            apart = np.abs(before[output] - after[output])[np.broadcast_to(same, before[output].shape)]
            assert (apart < near).mean() > 0.99, output
    if "object_points" in before:
        assert np.allclose(before["object_points"], after["object_points"], atol=1e-5)


def test_an_import_is_the_same_to_the_byte(stored, again):
    """Nothing in it is drawn: pictures are copied."""
    before, after = manifest_of(stored("imported")), manifest_of(again("imported"))
    assert differences(before, after, gains=True, free=VERSION) == []
    assert rows_of(again("imported")) == rows_of(stored("imported"))


def test_a_subset_is_the_same(again):
    before, after = manifest_of(FIXTURES / "sets" / "subset"), manifest_of(again("subset"))
    assert differences(before, after, gains=True) == []
    assert before["subset"]["of"] == manifest_of(FIXTURES / "sets" / "pairs")["fingerprint"]
    assert 0 < Manifest.from_json(json.dumps(before)).subset.images < before["totals"]["images"]


@pytest.mark.parametrize("name", fixture_runs.COMMANDS)
def test_a_finished_run_answers_as_it_did(name):
    folder = FIXTURES / "runs" / name
    method = load_method(open_run(folder / "finished"))
    before = dict(np.load(folder / "features.npz"))
    assert array_differences(before, fixture_runs.answers(method), absolute=1e-5, relative=1e-5) == []


@pytest.mark.parametrize("name", fixture_runs.COMMANDS)
def test_a_finished_run_is_left_as_it_is(name, tmp_path):
    folder = fixture_runs.copied_run(name, "finished", FIXTURES, tmp_path)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    fixture_runs.continue_run(name, FIXTURES, folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("name", fixture_runs.COMMANDS)
def test_a_half_finished_run_ends_as_the_whole_one(name, tmp_path):
    folder = fixture_runs.copied_run(name, "half", FIXTURES, tmp_path)
    assert not (folder / "weights.pt").exists()
    fixture_runs.continue_run(name, FIXTURES, folder)
    whole = FIXTURES / "runs" / name / "finished"
    before, after = (read_records(run / "records.jsonl") for run in (whole, folder))
    assert len(before) > len(read_records(FIXTURES / "runs" / name / "half" / "records.jsonl"))
    assert differences(before, after, relative=1e-3, absolute=1e-4) == []
    load_method(open_run(folder))


@pytest.mark.parametrize("kind", fixture_checkpoints.KINDS)
def test_a_published_checkpoint_answers_as_it_did(kind, tmp_path):
    before = dict(np.load(FIXTURES / "checkpoints" / kind / "features.npz"))
    after = fixture_checkpoints.imported_answers(kind, FIXTURES, tmp_path)
    largest = max(float(np.abs(values).max()) for values in before.values())
    assert array_differences(before, after, absolute=1e-5 * largest, relative=1e-4) == []


@pytest.mark.parametrize("run", fixture_runs.COMMANDS)
def test_an_evaluation_gives_the_stored_results(run, tmp_path):
    fixture_results.make_results(run, FIXTURES, tmp_path)
    stored_files = sorted(path.name for path in (FIXTURES / "results" / run).iterdir())
    assert stored_files == sorted(f"{protocol}.json" for protocol in fixture_results.PROTOCOLS[run])
    for name in stored_files:
        before, after = (
            rename_results(json.loads((folder / name).read_text()))
            for folder in (FIXTURES / "results" / run, tmp_path)
        )
        for results in (before, after):  # later code may tell a protocol in other words
            results["protocol"] = {key: results["protocol"][key] for key in ("name", "val_pairs")}
        # Later code may word sentences differently, and tell more.
        free = ("notes.*", "elsewhere.*.notes.*", "format_version")
        assert differences(before, after, gains=True, free=free, absolute=1e-3, relative=1e-3) == [], name
        assert set(gained(before, after)) <= {"split", "path_or_url", "training", "weights"}


def test_nothing_stored_tells_of_the_machine_that_made_it():
    for path in FIXTURES.rglob("*"):
        if path.is_file() and path.suffix not in (".py", ".pyc"):
            content = path.read_bytes()
            assert not [place for place in (b"/tmp", b"/home", b"/root", b"/work") if place in content], path


def test_a_value_may_be_gained_but_none_may_change_or_go():
    before = {"a": 1, "shards": [{"bytes": 5, "objects": 2}], "mean": 0.5}
    assert differences(before, {**before, "new": 3}, gains=True) == []
    assert gained(before, {**before, "new": 3}) == ["new"]
    assert differences(before, {**before, "new": 3}) == ["new: gained"]
    assert differences(before, {**before, "a": 2}, gains=True) == ["a: was 1, now 2"]
    assert differences(before, {**before, "a": 1.0}, gains=True) == ["a: was 1, now 1.0"]
    assert differences(before, {"a": 1, "mean": 0.5}, gains=True) == ["shards: gone"]
    assert len(differences(before, {**before, "shards": []}, gains=True)) == 1
    changed = {**before, "shards": [{"bytes": 6, "objects": 3}]}
    assert differences(before, changed, free=("shards.*.bytes",)) == ["shards.0.objects: was 2, now 3"]
    assert differences(before, {**before, "shards": [{"objects": 2}]}, free=("shards.*.bytes",)) == [
        "shards.0.bytes: gone"
    ]
    assert differences(before, {**before, "mean": 0.5004}, absolute=1e-3) == []
    assert differences(before, {**before, "mean": 0.502}, absolute=1e-3) == ["mean: was 0.5, now 0.502"]
    assert gained({"a": [{}]}, {"a": [{"b": 1}]}) == ["a.0.b"]


def test_arrays_and_pictures_that_differ_are_told():
    before = {"index": np.arange(3), "value": np.zeros(2, np.float32)}
    assert array_differences(before, before, 0) == []
    assert array_differences(before, {**before, "index": np.array([0, 1, 3])}, 1) == ["index: other values"]
    assert array_differences(before, {**before, "value": np.array([0, 2], np.float32)}, 1) == [
        "value: differs by up to 2"
    ]
    assert array_differences(before, {"index": before["index"]}, 0) == ["value: gone"]
    assert len(array_differences(before, {**before, "value": np.full(2, np.nan, np.float32)}, 1)) == 1
    picture = np.full((4, 32, 32, 3), 100, np.uint8)
    assert picture_differences(picture, picture + 1) == []
    assert len(picture_differences(picture, picture + 2)) == 1
    spot = picture.copy()
    spot[0, :4, :4] = 200
    assert picture_differences(picture, spot) == ["0.39% of the values differ by more than 32"]


def test_a_damaged_stored_set_is_found(tmp_path):
    folder = tmp_path / "points"
    shutil.copytree(FIXTURES / "sets" / "points", folder)
    shard = next(folder.glob("*/*.tar"))
    content = bytearray(shard.read_bytes())
    content[2000] ^= 1
    shard.write_bytes(content)
    assert verify_dataset(folder, deep=True).problems
