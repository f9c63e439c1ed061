"""Sets of tracks alone: made by any way to the same bytes, verified, described, and told where wrong."""

import json
import re

import numpy as np
import pytest

from tests.support.assemblies import BACKEND, HingedBoxes
from tests.support.quick_run import InProcess, contents
from tests.support.track_sets import BOXES, WORLDS, get_worlds, write_boxes, write_worlds
from turntable.datasets import open_dataset, verify_dataset
from turntable.datasets.draws import WorldKeys
from turntable.datasets.verification.track_arrays import find_track_faults
from turntable.datasets.writing import Job
from turntable.errors import StoppedError
from turntable.renderer import generate, generate_share, merge, open_recipe_source
from turntable.renderer.dynamics import forget_motions, simulate
from turntable.renderer.replay import rerender
from turntable.renderer.runs import ObjectSelection, RunListener


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return write_worlds(tmp_path_factory.mktemp("worlds") / "set")


@pytest.fixture(scope="module")
def boxes(tmp_path_factory):
    return write_boxes(tmp_path_factory.mktemp("boxes") / "set")


def test_a_set_of_tracks_alone_is_sound_and_has_no_pictures(whole):
    report = verify_dataset(whole, deep=True)
    assert (report.problems, report.num_images) == ((), 0)
    manifest = open_dataset(whole).manifest
    assert manifest.arrays == (
        "charge", "interaction", "track_center", "track_part", "tracks", "velocities",
    )  # fmt: skip
    assert manifest.array_sizes == {"agents": 5, "sequences": 2}
    assert not list(whole.rglob("*.jpg"))
    again = rerender(whole, get_worlds(), None, num_views=6)
    assert (again.problems, again.num_views) == ((), 6)


def test_every_array_is_described(whole):
    manifest = open_dataset(whole).manifest
    croissant = json.loads((whole / "croissant.json").read_text())
    sets = {node["@id"]: node["includes"] for node in croissant["distribution"] if "includes" in node}
    card = (whole / "README.md").read_text()
    for name in manifest.arrays:
        assert f"KEY.{name}.npy" in manifest.conventions[name]
        assert sets[name] == f"*.{name}.npy"
        assert f"`<key>.{name}.npy`" in card


def test_stored_tracks_are_those_of_the_simulator(whole):
    with open_dataset(whole).open_split("train") as split:
        for row, name in enumerate(split.object_ids[:6]):
            world = simulate(
                WORLDS.dynamics,
                WorldKeys.from_recipe(WORLDS, name.removesuffix("~mirrored")),
                np.arange(2),
                4,
            )
            start = split.read_array(row, "velocities").reshape(2, 4, 5, 3)[:, 0] / WORLDS.dynamics.frame_time
            assert np.abs(np.abs(start) - np.abs(world.velocities[:, 0])).max() < 1e-6
            assert (split.read_array(row, "tracks") == split.read_part_pose(row)[..., :3, 3]).all()


@pytest.mark.slow
def test_workers_give_the_same_bytes(whole, tmp_path):
    generate(WORLDS, get_worlds(), tmp_path / "set", num_workers=2)
    assert contents(tmp_path / "set") == contents(whole)


def test_a_run_that_is_resumed_gives_the_same_bytes(whole, tmp_path):
    stops = iter([False] * 3 + [True] * 99)
    listener = RunListener(should_stop=lambda: next(stops))
    with pytest.raises(StoppedError):
        generate(WORLDS, get_worlds(), tmp_path / "set", engine=InProcess(), listener=listener)
    forget_motions()
    generate(WORLDS, get_worlds(), tmp_path / "set", engine=InProcess())
    assert contents(tmp_path / "set") == contents(whole)


def test_jobs_give_the_same_bytes(whole, tmp_path, monkeypatch):
    monkeypatch.setitem(generate_share.__globals__, "ProcessEngine", lambda workers: InProcess())
    for number in (1, 2):
        generate_share(Job(number, 2), WORLDS, get_worlds(), tmp_path / "set", selection=ObjectSelection())
    merge(tmp_path / "set")
    made = {name: digest for name, digest in contents(tmp_path / "set").items() if "journal-" not in name}
    assert made == contents(whole)


def test_more_worlds_begin_with_the_same_ones(whole, tmp_path):
    generate(WORLDS, open_recipe_source(WORLDS, None, 3), tmp_path / "few", engine=InProcess())
    stored = [
        {
            split.get_object_id(row): split.read_array(row, "tracks").tobytes()
            for name in ("train", "val")
            for split in [open_dataset(folder).open_split(name)]
            for row in range(split.num_objects)
        }
        for folder in (whole, tmp_path / "few")
    ]
    assert stored[1].items() <= stored[0].items()


def test_pictures_are_the_same_beside_tracks(tmp_path):
    plain = BOXES.replace(tracks=None, outputs=["rgb"], image_size_px=16, quality="fast")
    for name, recipe in {"plain": plain, "tracked": plain.replace(tracks={"keypoints": 5})}.items():
        generate(recipe, HingedBoxes(3), tmp_path / name, backend=BACKEND, engine=InProcess())
    with (
        open_dataset(tmp_path / "plain").open_split("train") as one,
        open_dataset(tmp_path / "tracked").open_split("train") as two,
    ):
        assert two.read_array(0, "tracks").shape == (6, 5, 3)
        for view in range(6):
            assert one.read_jpeg(0, view) == two.read_jpeg(0, view)
        assert (one.labels == two.labels).all()
    assert verify_dataset(tmp_path / "tracked", deep=True).problems == ()


def test_keypoints_have_no_charges(tmp_path):
    manifest = open_dataset(write_boxes(tmp_path / "set")).manifest
    assert manifest.arrays == ("track_part", "tracks", "velocities")
    assert manifest.array_sizes == {"agents": 8}
    assert verify_dataset(tmp_path / "set", deep=True).problems == ()


def move(arrays):
    arrays["tracks"] = (
        arrays["tracks"] + np.float32(0.01) * (np.arange(len(arrays["tracks"])) == 1)[:, None, None]
    )


def speed_up(arrays):
    arrays["velocities"] = arrays["velocities"] * np.array([2, 1, 1], np.float32)


def exchange(arrays):
    arrays["track_part"] = arrays["track_part"][::-1]


def name_part(arrays):
    arrays["track_part"] = arrays["track_part"] + np.uint8(9)


def forget(arrays):
    del arrays["velocities"]


def charge_again(arrays):
    arrays["charge"] = -arrays["charge"] * np.array([1, 1, 1, 1, -1], np.int8)


def lean(arrays):
    arrays["interaction"] = np.triu(arrays["interaction"])


def uncenter(arrays):
    del arrays["track_center"]


@pytest.mark.parametrize(
    ("kind", "spoil", "told"),
    [
        ("boxes", move, "its keypoints are not fixed to their parts"),
        ("boxes", exchange, "its keypoints are not fixed to their parts"),
        ("boxes", speed_up, "the velocities of its keypoints on part . are those of no rigid motion"),
        ("boxes", name_part, r"its tracks name part 1\d, and it has \d"),
        ("boxes", forget, "it has tracks and no velocities"),
        ("worlds", move, "its tracks are not where its particles are"),
        ("worlds", charge_again, "its interaction is not the product of its charges"),
        ("worlds", lean, "its interaction is not symmetric"),
        ("worlds", uncenter, "it has tracks and no track_center"),
    ],
    ids=lambda item: getattr(item, "__name__", None),
)
def test_wrong_tracks_are_told(whole, boxes, kind, spoil, told):
    dataset = open_dataset({"boxes": boxes, "worlds": whole}[kind])
    with dataset.open_split("train") as split:
        row = max(range(split.num_objects), key=lambda row: len(split.objects[row].parts))
        names = (*dataset.manifest.arrays, "part_pose")
        arrays = {name: split.read_array(row, name) for name in names}
        labels = split.labels[row]
    assert list(find_track_faults(dataset.manifest, labels, arrays)) == []
    spoil(arrays)
    faults = list(find_track_faults(dataset.manifest, labels, arrays))
    assert any(re.search(told, fault) for fault in faults), faults
