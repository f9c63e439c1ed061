"""Tracks as fields of batches: padded, in the order of a sample's views, with noise, and missed by name."""

import pickle

import numpy as np
import pytest
import torch

from tests.support.track_sets import write_boxes, write_worlds
from turntable.datasets import load_recipe, open_dataset
from turntable.errors import InvalidInputError
from turntable.loaders import BatchConfig, Fixed, Loader, Pairs, Samples, Sequences, Tuples, Views
from turntable.loaders.fields import DataDescription, SampledViews, explain_missing_fields, resolve_fields
from turntable.loaders.fields.tracks import TRACKS
from turntable.testing.datasets import make_synthetic_dataset

MOTION = ("tracks", "velocities")
KEYPOINT_FIELDS = (*MOTION, "agent_mask", "agent_count", "track_part")
FIELDS = (*KEYPOINT_FIELDS, "charge", "interaction")


@pytest.fixture(scope="module")
def worlds(tmp_path_factory):
    return write_worlds(tmp_path_factory.mktemp("worlds") / "set")


@pytest.fixture(scope="module")
def boxes(tmp_path_factory):
    return write_boxes(tmp_path_factory.mktemp("boxes") / "set")


def list_batches(folder, sampler, fields=FIELDS, **changes):
    settings = {"batch_size": 4, "last_batch": "short", "output": "numpy"} | changes
    loader = Loader(folder, BatchConfig(sampler=sampler, fields=fields, **settings))
    yield from loader
    loader.close()


def get_views(batch, row):
    """Numbers of the views of a sample."""
    if "view_index_1" in batch:
        return [batch["view_index_1"][row], batch["view_index_2"][row]]
    return np.atleast_1d(batch["view_index"][row])


@pytest.mark.parametrize(
    ("sampler", "workers"),
    [(Sequences(4), 0), (Sequences(3), 2), (Pairs(), 0), (Tuples(5), 0), (Views(), 0)],
    ids=repr,
)
def test_fields_are_those_that_were_stored(worlds, sampler, workers):
    seen = 0
    with open_dataset(worlds).open_split("train") as split:
        for batch in list_batches(worlds, sampler, num_workers=workers):
            assert "view" not in batch
            assert "views" not in batch
            for row, place in enumerate(batch["object_index"].tolist()):
                views = get_views(batch, row)
                for name in MOTION:
                    expected = split.read_array(place, name)[views]
                    assert batch[name].dtype == np.float32
                    assert batch[name].shape[1:] == (5, sampler.views, 3)
                    for agent in range(5):
                        assert (batch[name][row, agent] == expected[:, agent]).all()
                for name in ("charge", "interaction", "track_part"):
                    assert (batch[name][row] == split.read_array(place, name)).all()
                seen += 1
    assert seen >= 10
    assert {name: str(batch[name].dtype) for name in FIELDS[2:]} == {
        "agent_mask": "bool", "agent_count": "int64", "track_part": "int64",
        "charge": "int8", "interaction": "int8",
    }  # fmt: skip
    assert batch["agent_mask"].all()
    assert (batch["agent_count"] == 5).all()


def test_fewer_agents_are_padded(boxes):
    """Sets whose objects have different numbers of agents are rare: here an object's arrays are cut."""
    data = DataDescription.from_manifest(open_dataset(boxes).manifest)
    fields = {item.name: item for item in TRACKS.iter_fields(data, "product")}
    with open_dataset(boxes).open_split("train") as split:
        objects, views = np.array([0, 1, 2]), np.array([[0, 1], [4, 5], [2, 0]])
        labels = split.labels[objects[:, None], views]
        sampled = SampledViews(split.manifest.schema, labels, objects, split, views)
        whole = {name: item.compute(sampled) for name, item in fields.items()}
        read, counts = sampled.read_arrays, {0: 8, 1: 5, 2: None}

        def read_fewer(name):
            axis = 1 if name in MOTION else 0
            return [
                None if counts[row] is None else array.take(range(counts[row]), axis)
                for row, array in enumerate(read(name))
            ]

        sampled.read_arrays = read_fewer
        cut = {name: item.compute(sampled) for name, item in fields.items()}
    assert cut["agent_count"].tolist() == [8, 5, 0]
    assert cut["agent_mask"].sum(axis=1).tolist() == [8, 5, 0]
    for name in MOTION:
        assert (cut[name][0] == whole[name][0]).all()
        assert (cut[name][1, :5] == whole[name][1, :5]).all()
        assert not cut[name][1, 5:].any()
        assert not cut[name][2].any()
    assert (cut["track_part"][1, 5:] == -1).all()
    assert (cut["track_part"][2] == -1).all()


def test_batches_of_torch_have_the_same_numbers(worlds):
    (one, *_), (two, *_) = (
        list(list_batches(worlds, Sequences(4), output=output)) for output in ("numpy", "torch")
    )
    for name in FIELDS:
        assert torch.equal(torch.from_numpy(one[name].copy()), two[name])


def test_noise_is_normal_beside_the_clean_tracks_and_the_same_in_every_epoch(worlds):
    fields = ["tracks", "noisy_tracks"]

    def collect(seed):
        noise = {"positions_noise": 0.1, "seed": seed, "output": "numpy"}
        loader = Loader(
            worlds, BatchConfig(sampler=Sequences(4, visits=2), batch_size=4, fields=fields, **noise)
        )
        found = {}
        for _ in range(2):
            for batch in loader:
                noise = batch["noisy_tracks"] - batch["tracks"]
                for row, place in enumerate(batch["object_index"].tolist()):
                    key = (place, *batch["view_index"][row].tolist())
                    assert np.abs(found.setdefault(key, noise[row].copy()) - noise[row]).max() < 1e-6
        loader.close()
        return found

    first, other = collect(0), collect(1)
    values = np.concatenate([item.ravel() for item in first.values()])
    assert abs(values.std() - 0.1) < 0.01
    assert abs(values.mean()) < 0.01
    assert abs((np.abs(values) < 0.1).mean() - 0.683) < 0.05
    assert len(np.unique(values.round(6))) > 0.99 * len(values)
    for key in first:
        assert np.abs(first[key] - other[key]).max() > 0.05


def test_fields_can_be_sent_to_workers(worlds):
    data = DataDescription.from_manifest(open_dataset(worlds).manifest)
    fields = resolve_fields(FIELDS, data, 4)
    assert [item.name for item in pickle.loads(pickle.dumps(fields))] == list(FIELDS)
    assert {item.name: item.get_shape(4) for item in fields} == {
        "tracks": (5, 4, 3), "velocities": (5, 4, 3), "agent_mask": (5,), "agent_count": (),
        "track_part": (5,), "charge": (5,), "interaction": (5, 5),
    }  # fmt: skip


def test_what_is_missing_is_said_by_name(worlds, boxes, tmp_path):
    plain = make_synthetic_dataset(tmp_path / "plain", num_objects=4)
    with pytest.raises(
        InvalidInputError, match="no tracks: this data set has no tracks; render one with 'nbody'"
    ):
        Loader(tmp_path / "plain", BatchConfig(fields=["tracks"]))
    data = DataDescription.from_manifest(open_dataset(boxes).manifest)
    (message,) = explain_missing_fields(["charge", "interaction"], data, 2)
    assert message == (
        "no charge and no interaction: the agents of this data set are no particles; render one with 'nbody'"
    )
    (message,) = explain_missing_fields(["charge", "noisy_tracks"], data, 2)
    assert "no noisy_tracks: give positions_noise" in message
    assert "no charge: the agents of this data set are no particles" in message
    online = DataDescription.from_recipe(load_recipe("sequences"))
    (message,) = explain_missing_fields(["velocities"], online, 2)
    assert "rendered during training have no tracks" in message
    with pytest.raises(InvalidInputError, match="no field 'track'; did you mean tracks"):
        Loader(worlds, BatchConfig(fields=["track"], batch_size=2))
    assert plain.manifest.arrays == ()


@pytest.mark.parametrize(
    ("noise", "fields", "told"),
    [
        (-1, ["noisy_tracks"], "positions_noise -1: must be a number from 0"),
        (float("nan"), ["noisy_tracks"], "positions_noise nan: must be a number from 0"),
        ("much", ["noisy_tracks"], "positions_noise 'much': must be a number from 0"),
        (0.1, ["tracks"], "positions_noise is that of the field noisy_tracks; name it"),
        (0.1, None, "positions_noise is that of the field noisy_tracks; name it"),
    ],
)
def test_wrong_noise_is_refused(noise, fields, told):
    with pytest.raises(InvalidInputError, match=told):
        BatchConfig(positions_noise=noise, fields=fields)


def test_sequences_of_a_set_without_any_are_refused(tmp_path):
    make_synthetic_dataset(tmp_path / "plain", num_objects=4)
    with pytest.raises(InvalidInputError, match="has no sequences"):
        next(iter(Loader(tmp_path / "plain", BatchConfig(sampler=Sequences(3), batch_size=1))))


def test_samples_of_several_objects_have_no_tracks(worlds, tmp_path):
    with open_dataset(worlds).open_split("train") as split:
        objects = np.array([[0, 1], [1, 0]])
        assert split.num_objects >= 2
    sampler = Fixed(Samples(objects, np.array([[0, 1], [1, 2]])))
    with pytest.raises(InvalidInputError, match="tracks: they belong to one object, and these samples show"):
        Loader(worlds, BatchConfig(sampler=sampler, fields=["tracks"], batch_size=2))
    config = BatchConfig(sampler=sampler, fields=["charge"], batch_size=2, output="numpy")
    batch = next(iter(Loader(worlds, config)))
    assert batch["charge_1"].shape == batch["charge_2"].shape == (2, 5)
