"""Parts and joints as fields of batches: padded, of every view of a sample, and missed by name."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from tests.support.assemblies import DRAWER, LID
from tests.support.assembly_sets import RECIPE, write_assemblies
from turntable.datasets import load_recipe, open_dataset
from turntable.errors import InvalidInputError
from turntable.loaders import BatchConfig, Loader, Pairs, Sequences, Tuples, Views
from turntable.loaders.fields import DataDescription, explain_missing_fields, resolve_fields
from turntable.testing.datasets import make_synthetic_dataset

VIEW_FIELDS = ("part_pose", "joint_values")
OBJECT_FIELDS = (
    "part_count",
    "part_category",
    "joint_count",
    "joint_axis",
    "joint_origin",
    "joint_range",
    "joint_part",
    "joint_parent",
)
REALS = ("joint_axis", "joint_origin", "joint_range")
FIELDS = (*VIEW_FIELDS, *OBJECT_FIELDS)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("parts") / "set"
    recipe = load_recipe("sequences").replace(
        source="folder", views=6, image_size_px=16, objects_per_shard=4, val_fraction=0.0,
        sequence={"length": 3, "motion": "constant", "speed_rad": {"low": 0.1, "high": 0.2}},
    )  # fmt: skip
    return folder, write_assemblies(folder, num_objects=7, recipe=recipe)


def list_batches(folder, sampler, **changes):
    config = BatchConfig(
        sampler=sampler, batch_size=3, fields=[*FIELDS, "pose"], last_batch="short", output="numpy", **changes
    )
    loader = Loader(folder, config)
    yield from loader
    loader.close()


def expected_of_object(stored, categories):
    """The fields of an object, by hand: padded to four parts and two joints."""
    parts = stored.record.parts
    joints = [LID, DRAWER][: len(parts) // 2]
    names = [part.category for part in parts] or [stored.record.category]
    missing = 2 - len(joints)
    return {
        "part_count": max(1, len(parts)),
        "part_category": [*map(categories.index, names), *[-1] * (4 - len(names))],
        "joint_count": len(joints),
        "joint_axis": [*(joint.axis for joint in joints), *[(0, 0, 0)] * missing],
        "joint_origin": [*(joint.origin for joint in joints), *[(0, 0, 0)] * missing],
        "joint_range": [*((joint.low, joint.high) for joint in joints), *[(0, 0)] * missing],
        "joint_part": [*range(1, 1 + len(joints)), *[-1] * missing],
        "joint_parent": [*[0] * len(joints), *[-1] * missing],
    }


def expected_of_view(stored, view, pose):
    poses, values = np.tile(np.eye(4, dtype=np.float32), (4, 1, 1)), np.zeros(2, np.float32)
    if stored.record.parts:
        poses[: len(stored.record.parts)] = stored.arrays["part_pose"][view]
        values[: len(stored.arrays["joint_values"][view])] = stored.arrays["joint_values"][view]
    else:
        poses[0] = pose
    return {"part_pose": poses, "joint_values": values}


def iter_views(batch, row, naming):
    """Number and fields of each view of a sample."""
    names = (*VIEW_FIELDS, "pose")
    if naming == "single":
        yield batch["view_index"][row], {name: batch[name][row] for name in names}
    elif naming == "pair":
        for end in "12":
            yield batch[f"view_index_{end}"][row], {name: batch[f"{name}_{end}"][row] for name in names}
    else:
        for at, view in enumerate(batch["view_index"][row]):
            yield view, {name: batch[name][row, at] for name in names}


@pytest.mark.parametrize(
    ("sampler", "workers"), [(Views(), 0), (Pairs(), 2), (Tuples(3), 0), (Sequences(3), 0)], ids=repr
)
def test_fields_are_those_that_were_stored(written, sampler, workers):
    folder, stored = written
    dataset = open_dataset(folder)
    categories = list(dataset.manifest.part_categories)
    ids = [item.id for item in dataset.open_split("train").objects]
    seen = set()
    for batch in list_batches(folder, sampler, num_workers=workers):
        for row, place in enumerate(batch["object_index"].tolist()):
            item = stored[ids[place]]
            for name, value in expected_of_object(item, categories).items():
                expected = np.array(value, np.float32 if name in REALS else np.int64)
                assert batch[name].dtype == expected.dtype, name
                assert np.array_equal(batch[name][row], expected), name
            for view, fields in iter_views(batch, row, sampler.naming):
                for name, value in expected_of_view(item, int(view), fields["pose"]).items():
                    assert fields[name].dtype == np.float32
                    assert np.array_equal(fields[name], value), name
            seen.add(place)
    assert seen == set(range(7))


def test_fields_can_be_sent_to_workers(written):
    data = DataDescription.from_manifest(open_dataset(written[0]).manifest)
    fields = resolve_fields(FIELDS, data, 2)
    assert [item.name for item in pickle.loads(pickle.dumps(fields))] == list(FIELDS)
    assert {item.name: item.shape for item in fields} == {
        "part_pose": (4, 4, 4), "joint_values": (2,), "part_count": (), "part_category": (4,),
        "joint_count": (), "joint_axis": (2, 3), "joint_origin": (2, 3), "joint_range": (2, 2),
        "joint_part": (2,), "joint_parent": (2,),
    }  # fmt: skip


def test_a_set_without_joints_has_the_fields_of_parts_alone(tmp_path):
    def fix(number, stored):
        stored.arrays.pop("joint_values", None)
        parts = tuple(replace(part, joint=None) for part in stored.record.parts)
        stored.record = replace(stored.record, parts=parts)

    write_assemblies(tmp_path / "set", change=fix)
    data = DataDescription.from_manifest(open_dataset(tmp_path / "set").manifest)
    (told,) = explain_missing_fields(FIELDS, data, 2)
    assert told.startswith("no joint_values and no joint_count and")
    assert told.endswith("no object of this data set has joints; render a data set with 'articulated'")


def test_what_lacks_parts_names_the_recipes(tmp_path):
    make_synthetic_dataset(tmp_path / "set")
    with pytest.raises(
        InvalidInputError, match=r"no part_pose: no object .* has parts; .*'articulated' or 'scenes'"
    ):
        Loader(tmp_path / "set", BatchConfig(fields=["part_pose"]))
    online = DataDescription.from_recipe(RECIPE)
    (told,) = explain_missing_fields(["joint_values"], online, 2)
    assert "rendered during training have no poses of parts; render a data set with 'articulated'" in told
