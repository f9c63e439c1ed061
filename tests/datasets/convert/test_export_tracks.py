"""The export form npz: read back by numpy without pickle, equal to what the set holds."""

import zipfile

import numpy as np
import pytest

from tests.support.quick_run import InProcess
from tests.support.track_sets import WORLDS, write_boxes, write_worlds
from turntable.datasets import open_dataset
from turntable.datasets.convert import export_form
from turntable.errors import InvalidInputError
from turntable.renderer import generate, open_recipe_source
from turntable.testing.datasets import make_synthetic_dataset


def read(path):
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    write_worlds(folder / "set")
    assert export_form(folder / "set", folder / "npz", "npz") == 20
    return open_dataset(folder / "set"), folder / "npz"


def test_numpy_reads_what_the_set_holds(exported):
    dataset, folder = exported
    assert {path.name for path in folder.iterdir()} == {"train.npz", "val.npz"}
    for name in dataset.manifest.splits:
        arrays = read(folder / f"{name}.npz")
        with dataset.open_split(name) as split:
            count = split.num_objects
            assert arrays["positions"].shape == arrays["velocities"].shape == (2 * count, 5, 4, 3)
            assert arrays["positions"].dtype == np.float32
            for row in range(count):
                for sequence in (0, 1):
                    at, views = 2 * row + sequence, slice(4 * sequence, 4 * sequence + 4)
                    assert arrays["object_id"][at] == split.get_object_id(row)
                    assert (arrays["category"][at], arrays["sequence"][at]) == ("charged", sequence)
                    for stored, exported_as in (("tracks", "positions"), ("velocities", "velocities")):
                        expected = split.read_array(row, stored)[views].swapaxes(0, 1)
                        assert (arrays[exported_as][at] == expected).all()
                    for same in ("charge", "interaction", "track_part"):
                        assert (arrays[same][at] == split.read_array(row, same)).all()
                    assert (arrays["center"][at] == split.read_array(row, "track_center")[sequence]).all()
        assert arrays["agent_mask"].all()
        assert "branch" not in arrays


def test_units_are_those_of_the_particles_world(exported):
    dataset, folder = exported
    arrays = read(folder / "train.npz")
    assert (arrays["scale"], arrays["frame_time"]) == (1.0, 0.1)
    speed = np.linalg.norm(arrays["velocities"][:, :, 0] / (arrays["scale"] * arrays["frame_time"]), axis=-1)
    assert np.abs(speed - 0.5).max() < 1e-6
    assert dataset.manifest.recipe["dynamics"]["stride"] == 100


def test_the_same_set_gives_the_same_bytes(exported, tmp_path):
    dataset, folder = exported
    export_form(dataset.path_or_url, tmp_path / "again", "npz")
    assert (tmp_path / "again" / "train.npz").read_bytes() == (folder / "train.npz").read_bytes()
    with zipfile.ZipFile(folder / "train.npz") as archive:
        assert archive.testzip() is None


def test_branches_and_keypoints(tmp_path):
    branching = WORLDS.replace(
        mirrored=False,
        dynamics={"law": "branching", "branch_at": 2, "bodies": 3},
        sequence={"length": 4, "motion": "still"},
    )
    generate(branching, open_recipe_source(branching, None, 4), tmp_path / "set", engine=InProcess())
    export_form(tmp_path / "set", tmp_path / "npz", "npz")
    arrays = read(tmp_path / "npz" / "train.npz")
    with open_dataset(tmp_path / "set").open_split("train") as split:
        column = split.manifest.schema.names.index("branch")
        assert (arrays["branch"] == split.labels[:, ::4, column].ravel()).all()
    write_boxes(tmp_path / "boxes")
    export_form(tmp_path / "boxes", tmp_path / "keypoints", "npz")
    arrays = read(tmp_path / "keypoints" / "train.npz")
    assert not {"charge", "interaction", "center", "scale", "branch"} & set(arrays)
    assert arrays["positions"].shape == (8, 8, 3, 3)
    assert arrays["track_part"].max() == 3


def test_sets_without_tracks_are_refused(tmp_path):
    make_synthetic_dataset(tmp_path / "plain", num_objects=4)
    with pytest.raises(
        InvalidInputError, match=r"it has no tracks; render a set with 'nbody' or 'keypoints'"
    ):
        export_form(tmp_path / "plain", tmp_path / "npz", "npz")
    assert not (tmp_path / "npz").exists()
