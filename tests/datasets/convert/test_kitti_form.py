"""The export form "kitti", read back by numpy alone."""

import numpy as np
import pytest

from tests.support.scans import OBJECTS, STREET, make_set
from turntable.datasets import open_dataset
from turntable.datasets.convert import export_form
from turntable.errors import InvalidInputError
from turntable.testing.datasets import make_synthetic_dataset


def read_classes(folder):
    lines = (folder / "classes.txt").read_text().splitlines()
    return {name: int(number) for number, name in (line.split(maxsplit=1) for line in lines)}


def read_sequence(folder):
    frames = []
    for path in sorted((folder / "velodyne").iterdir()):
        points = np.fromfile(path, "<f4").reshape(-1, 4)
        label = np.fromfile(folder / "labels" / f"{path.stem}.label", "<u4")
        flow = folder / "flow" / path.name
        boxes = [line.split() for line in (folder / "boxes" / f"{path.stem}.txt").read_text().splitlines()]
        frames.append(
            (points, label, np.fromfile(flow, "<f4").reshape(-1, 3) if flow.exists() else None, boxes)
        )
    poses = np.loadtxt(folder / "poses.txt").reshape(-1, 3, 4)
    return frames, np.concatenate([poses, np.tile([[[0, 0, 0, 1]]], (len(poses), 1, 1))], axis=1)


def test_streets_are_read_back(tmp_path):
    folder = make_set(tmp_path / "set", STREET, 3)
    assert export_form(folder, tmp_path / "kitti", "kitti") == 3
    root = tmp_path / "kitti" / "train"
    names = [line.split() for line in (root / "sequences.txt").read_text().splitlines()]
    classes = read_classes(root)
    assert (classes["car"], classes["bus"], classes["(ground)"], classes["(clutter)"]) == (10, 13, 40, 52)
    assert "wall" not in classes
    assert len(names) == 6  # two pairs of frames of each street
    with open_dataset(folder).open_split("train") as split:
        for name, object_id, first in names:
            row = list(split.object_ids).index(object_id)
            parts, ego = split.read_parts(row), split.read_array(row, "ego_pose").astype(np.float64)
            frames, poses = read_sequence(root / "sequences" / name)
            assert len(frames) == len(poses) == 2
            for frame, (points, label, flow, boxes) in enumerate(frames):
                view = int(first) + frame
                stored = split.read_output(row, view, "scan")
                assert np.array_equal(points, stored[:, :4])
                assert (flow is None) == (frame == 1)
                if flow is not None:
                    assert np.array_equal(flow, stored[:, 5:])
                instance = stored[:, 4].astype(int)
                assert np.array_equal(label >> 16, np.maximum(instance + 1, 0))
                kinds = {-1: 40, -2: 52} | {n: classes.get(part.category) for n, part in enumerate(parts)}
                assert (label & 0xFFFF).tolist() == [kinds[number] for number in instance.tolist()]
                values = np.array([box[:7] for box in boxes], np.float64)
                assert np.abs(values - split.read_array(row, "boxes")[view]).max() < 1e-5
                assert [box[7] for box in boxes] == [part.category for part in parts[: len(boxes)]]
            assert np.allclose(poses[0], np.eye(4), atol=1e-6)
            assert np.allclose(ego[int(first)] @ poses[1], ego[int(first) + 1], atol=1e-4)
            tr = (root / "sequences" / name / "calib.txt").read_text().splitlines()[-1].split()
            assert tr[0] == "Tr:"
            assert np.array_equal(np.array(tr[1:], float).reshape(3, 4), np.eye(4)[:3])


def test_single_objects_have_classes_of_their_own(tmp_path):
    folder = make_set(tmp_path / "set", OBJECTS.replace(val_fraction=0.0, views=1), 3)
    export_form(folder, tmp_path / "kitti", "kitti")
    root = tmp_path / "kitti" / "train"
    classes = read_classes(root)
    with open_dataset(folder).open_split("train") as split:
        for row, record in enumerate(split.objects):
            ((_, label, flow, boxes),), _ = read_sequence(root / "sequences" / f"{row:06d}")
            assert flow is None
            assert len(boxes) == 1
            assert set((label & 0xFFFF).tolist()) <= {40, classes[record.category]}
            assert classes[record.category] >= 300


def test_sets_without_scans_are_refused_by_name(tmp_path):
    make_synthetic_dataset(tmp_path / "set", num_objects=2, num_views=2)
    with pytest.raises(InvalidInputError, match=r"this data set has no scans, .* 'street' or 'scan-objects'"):
        export_form(tmp_path / "set", tmp_path / "kitti", "kitti")
    assert not (tmp_path / "kitti").exists()
