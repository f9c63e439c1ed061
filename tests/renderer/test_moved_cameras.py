"""Cameras that roll and shift, from the recipe to the batch: every label lands on its pixels."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from turntable.datasets import Dataset, Split, load_recipe, open_dataset, verify_dataset
from turntable.errors import InvalidInputError
from turntable.loaders import BatchConfig, Loader, Pairs, Views
from turntable.renderer import generate, open_source
from turntable.renderer.meshes.sources import ZooSource
from turntable.renderer.replay import rerender
from turntable.service import build_catalog
from turntable.service.overlays import compute_overlay
from turntable.service.rendering.jobs import make_render_job

pytestmark = [pytest.mark.gl, pytest.mark.slow]

SIZE = 48
FIELDS = (
    "camera_rotation",
    "allocentric_rotation",
    "camera_elevation_rad",
    "camera_roll_rad",
    "principal_point_dx_px",
    "principal_point_dy_px",
    "position",
    "rotation",
    "mask",
    "depth",
    "coordinates",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("cameras") / "set"
    table = load_recipe("cameras").to_dict()
    table["factors"] |= {f"translation_{axis}": {"low": -0.3, "high": 0.3} for axis in "xyz"}
    table["factors"] |= {"camera_elevation_rad": {"low": 0.1, "high": 1.2}}
    outputs = ["rgb", "mask", "depth", "coordinates"]
    recipe = load_recipe("cameras").replace(
        factors=table["factors"], views=4, image_size_px=SIZE, outputs=outputs, val_fraction=0, quality="fast"
    )
    generate(recipe, open_source("zoo", None, 2), folder, num_objects=2)
    return folder


def compute_cameras(dataset: Dataset, batch) -> tuple[np.ndarray, np.ndarray]:
    """K [B, 3, 3] and world_to_camera [B, 4, 4] of a batch's views, as the manifest's rule says."""
    camera = dataset.manifest.camera
    assert camera["moved_by"] == [
        "camera_elevation_rad",
        "camera_roll_rad",
        "principal_point_dx_px",
        "principal_point_dy_px",
    ]
    e, a = (batch[name].numpy().astype(float) for name in ("camera_elevation_rad", "camera_roll_rad"))
    zero = np.zeros_like(e)
    right, down = np.stack([zero - 1, zero, zero]), np.stack([zero, np.sin(e), -np.cos(e)])
    forward = np.stack([zero, -np.cos(e), -np.sin(e)])
    rows = [np.cos(a) * right - np.sin(a) * down, np.sin(a) * right + np.cos(a) * down, forward]
    matrix = np.tile(np.eye(4), (len(e), 1, 1))
    matrix[:, :3, :3] = np.moveaxis(np.stack(rows), -1, 0)
    matrix[:, 2, 3] = camera["where_labels_are_silent"]["camera_distance"]
    intrinsics = np.tile(np.array(camera["K"]), (len(e), 1, 1))
    for row, axis in enumerate("xy"):
        intrinsics[:, row, 2] += batch[f"principal_point_d{axis}_px"].numpy()
    return intrinsics, matrix


def test_labels_land_on_the_pixels_of_the_object(folder):
    """Each pixel, back through K and ``camera_rotation`` to its place in the object's own frame."""
    dataset = open_dataset(folder)
    assert not verify_dataset(folder).problems
    config = BatchConfig(sampler=Views(shuffled=False), batch_size=6, fields=FIELDS, last_batch="short")
    grid = np.stack(np.meshgrid(np.arange(SIZE) + 0.5, np.arange(SIZE) + 0.5), axis=-1)
    homogeneous, pixels = np.concatenate([grid, np.ones((SIZE, SIZE, 1))], axis=-1), 0
    for batch in Loader(folder, config):
        intrinsics, matrix = compute_cameras(dataset, batch)
        center = (matrix[:, :3, :3] @ batch["position"].numpy()[..., None])[..., 0] + matrix[:, :3, 3]
        seen_from = batch["camera_rotation"].numpy()
        np.testing.assert_allclose(seen_from, matrix[:, :3, :3] @ batch["rotation"].numpy(), atol=1e-6)
        for row, rotation in enumerate(seen_from):
            seen = batch["mask"][row, 0].numpy() > 0
            rays = homogeneous[seen] @ np.linalg.inv(intrinsics[row]).T
            own = (rays * batch["depth"][row, 0].numpy()[seen][:, None] - center[row]) @ rotation
            there = batch["coordinates"][row].numpy().transpose(1, 2, 0)[seen]
            assert np.abs(own - there).max(initial=0) < 4e-4
            pixels += len(own)
            # Turned about the camera until the center lies straight ahead, it is the allocentric rotation.
            turn = rotation @ batch["allocentric_rotation"][row].numpy().T
            ahead = center[row] @ turn
            assert np.abs(ahead[:2]).max() < 1e-5
            assert ahead[2] > 0
            angle = np.arccos(center[row, 2] / np.linalg.norm(center[row]))
            assert Rotation.from_matrix(turn).magnitude() == pytest.approx(angle, abs=1e-3)
    assert pixels > 500


def test_pairs_have_both_views_camera_rotations(folder):
    fields = ("camera_rotation", "allocentric_rotation", "camera_roll_rad_difference_circular")
    batch = next(iter(Loader(folder, BatchConfig(sampler=Pairs(), batch_size=2, fields=fields))))
    for name in (
        "camera_rotation_1",
        "camera_rotation_2",
        "allocentric_rotation_1",
        "allocentric_rotation_2",
    ):
        rotation = batch[name].numpy()
        assert rotation.shape == (2, 3, 3)
        np.testing.assert_allclose(
            rotation @ rotation.transpose(0, 2, 1), np.tile(np.eye(3), (2, 1, 1)), atol=1e-6
        )
        np.testing.assert_allclose(np.linalg.det(rotation), 1, atol=1e-6)
    assert np.abs(batch["camera_roll_rad_difference_circular"].numpy()).max() <= np.pi


def test_views_rendered_again_are_the_same(folder, gl_backend):
    report = rerender(folder, ZooSource(2), gl_backend, num_views=3)
    assert report.problems == ()


@pytest.mark.parametrize(("name", "step"), [("camera_roll_rad", 0.02), ("principal_point_dx_px", -1.0)])
def test_a_wrong_camera_is_found(folder, gl_backend, name, step, monkeypatch):
    column, read = open_dataset(folder).schema.get_column(name), Split.get_labels

    def get_wrong_labels(self, *arguments):
        labels = read(self, *arguments)
        labels[..., column] += step
        return labels

    monkeypatch.setattr(Split, "get_labels", get_wrong_labels)
    report = rerender(folder, ZooSource(2), gl_backend, num_views=1)
    assert any(f"nearer to a label with another {name}" in problem for problem in report.problems)


def test_the_overlay_follows_the_camera(folder):
    """The object's axes in the gallery agree with the coordinates of its pixels."""
    (entry,) = build_catalog([folder]).list_entries()
    split, checked = entry.splits["train"], 0
    for row, view in np.ndindex(split.num_objects, 4):
        lines = compute_overlay(entry.dataset.manifest, split.labels[row, view])
        assert lines is not None
        center = np.array(lines["x"][0])
        axes = [np.array(lines[name][1]) - center for name in "xyz"]
        coordinates = split.read_output(row, view, "coordinates")
        there = np.argwhere(np.abs(coordinates).max(axis=-1) > 1e-3)
        for y, x in there[np.linalg.norm(coordinates[tuple(there.T)], axis=1) < 0.12]:
            seen = center + sum(part / 0.5 * axis for part, axis in zip(coordinates[y, x], axes, strict=True))
            # Near the center perspective is nearly linear.
            assert np.linalg.norm(seen * SIZE - (x + 0.5, y + 0.5)) < 1.5
            checked += 1
    assert checked > 20


def test_a_picture_of_another_size_shows_the_same(folder):
    (entry,) = build_catalog([folder]).list_entries()
    column = entry.dataset.schema.get_column("principal_point_dx_px")

    def ask(factors, size):
        return make_render_job(entry, ("train", 0), 1, factors, size, None).label[column]

    assert ask({}, 2 * SIZE) == 2 * ask({}, None) != 0
    assert ask({"principal_point_dx_px": 6.0}, 2 * SIZE) == 12
    with pytest.raises(InvalidInputError, match="principal_point_dx_px 25: must be from -24 to 24"):
        ask({"principal_point_dx_px": 25.0}, 2 * SIZE)


def test_the_manifest_is_plain_json(folder):
    camera = json.loads((folder / "manifest.json").read_text())["camera"]
    assert "a = camera_roll_rad" in camera["rule"]
    assert "principal_point_dx_px added" in camera["rule"]
