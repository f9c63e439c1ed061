"""Checks of scans, boxes and sensors' poses: what is right passes, and each fault is named."""

import re

import numpy as np
import pytest

from tests.support.scans import STREET, make_set
from turntable.datasets import open_dataset, verify_dataset
from turntable.datasets.verification.scan_arrays import find_scan_fault, find_sensor_fault


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    folder = make_set(tmp_path_factory.mktemp("checks") / "set", STREET.replace(views=2), 1)
    assert verify_dataset(folder, deep=True).ok
    with open_dataset(folder).open_split("train") as split:
        arrays = (split.read_array(0, name) for name in ("boxes", "ego_pose"))
        return split.objects[0], split.read_output(0, 0, "scan"), *arrays


def change(array, index, value):
    changed = array.copy()
    changed[index] = value
    return changed


def test_what_is_stored_is_right(stored):
    record, scan, boxes, ego_pose = stored
    assert find_scan_fault(record, scan) == ""
    assert find_scan_fault(record, scan[:0]) == ""
    assert find_sensor_fault(boxes, ego_pose) == ""
    assert find_sensor_fault(None, None) == ""


@pytest.mark.parametrize(
    ("column", "value", "fault"),
    [
        (0, np.nan, "a return is NaN or infinite"),
        (6, np.inf, "a return is NaN or infinite"),
        (3, 1.01, r"an intensity leaves \[0, 1\]"),
        (3, -0.1, r"an intensity leaves \[0, 1\]"),
        (4, 63, "a return is of instance 63, and the object has"),
        (4, 0.5, "a return is of instance 0.5"),
        (4, -3, "a return is of instance -3"),
    ],
)
def test_a_wrong_return_is_named(stored, column, value, fault):
    record, scan, *_ = stored
    assert re.match(fault, find_scan_fault(record, change(scan, (7, column), value)))


def test_wrong_boxes_and_poses_are_named(stored):
    *_, boxes, ego_pose = stored
    negative = "a box is NaN or infinite, or has a negative size"
    assert find_sensor_fault(change(boxes, (0, 1, 3), -1), ego_pose) == negative
    assert find_sensor_fault(change(boxes, (0, 0, 0), np.nan), None) == negative
    assert (
        find_sensor_fault(boxes, change(ego_pose, (1, 0, 0), 2))
        == "a pose of the sensor is not a rigid motion"
    )
