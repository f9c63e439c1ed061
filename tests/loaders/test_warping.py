"""Affine maps and circular shifts, compared with points, scipy and numpy; outputs that follow pictures."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.ndimage import map_coordinates
from torch import Tensor

from turntable.errors import InvalidInputError
from turntable.loaders import AUGMENTATIONS, Augmentation
from turntable.loaders.augment import augment, augment_batch

SIDE = 40


def draw(augmentation: Augmentation, count: int) -> dict[str, Tensor]:
    drawn = augmentation.draw_parameters(0, 0, np.arange(count), 1)
    return {name: torch.from_numpy(values[:, 0]) for name, values in drawn.items()}


def make_blob(center: np.ndarray, side: int = SIDE) -> Tensor:
    """Draw a small Gaussian at a point in half sides from the center, right and down."""
    ticks = (np.arange(side) + 0.5) / side * 2 - 1
    squared = (ticks - center[0]) ** 2 + (ticks[:, None] - center[1]) ** 2
    levels = np.round(255 * np.exp(-squared / 0.02)).astype(np.uint8)
    return torch.from_numpy(levels).expand(3, side, side).clone()


def find_centroid(image: Tensor) -> np.ndarray:
    """Find the mean place of brightness in half sides from the center, right and down."""
    weights, ticks = image[0].double().numpy(), (np.arange(image.shape[-1]) + 0.5) / image.shape[-1] * 2 - 1
    return np.array([weights.sum(0) @ ticks, weights.sum(1) @ ticks]) / weights.sum()


@pytest.mark.parametrize("augmentation", [Augmentation.warp_only(), Augmentation(affine_rotation_rad=1.0)])
def test_points_moved_by_the_label_land_on_the_warped_pixels(augmentation: Augmentation) -> None:
    points = np.random.default_rng(0).uniform(-0.4, 0.4, (24, 2))
    images = torch.stack([make_blob(point) for point in points])
    parameters = draw(augmentation, len(images))
    warped = augment(images, parameters, dtype=torch.float32, fill=(0, 0, 0))
    for point, image, affine in zip(points, warped, parameters["affine"].double().numpy(), strict=True):
        expected = affine[:, :2] @ point + affine[:, 2]
        assert np.abs(find_centroid(image) - expected).max() < 0.005  # a tenth of a pixel
    moved = [np.abs(find_centroid(a) - b).max() for a, b in zip(warped, points, strict=True)]
    assert np.median(moved) > 0.05


@pytest.mark.parametrize(("fill", "mode"), [(None, "reflect"), ((30.0, 200.0, 0.0), "grid-constant")])
def test_warps_are_scipys(fill: tuple[float, float, float] | None, mode: str) -> None:
    images = torch.randint(256, (4, 3, SIDE, SIDE), dtype=torch.uint8, generator=torch.manual_seed(0))
    strong = Augmentation(
        affine_rotation_rad=math.pi, affine_shear=0.5, affine_scale=(0.4, 1.6), affine_shift=0.5
    )
    parameters = draw(strong, 4)
    result = augment(images, parameters, dtype=torch.float32, fill=fill).double().numpy()
    ticks = (np.arange(SIDE) + 0.5) / SIDE * 2 - 1
    there = np.stack(np.meshgrid(ticks, ticks))  # x, y of each pixel
    for image, out, affine in zip(
        images.double().numpy(), result, parameters["affine"].double().numpy(), strict=True
    ):
        x, y = np.einsum("ij,jhw->ihw", np.linalg.inv(affine[:, :2]), there - affine[:, 2, None, None])
        places = [((y + 1) * SIDE - 1) / 2, ((x + 1) * SIDE - 1) / 2]
        for channel, (source, level) in enumerate(zip(out, fill or (0, 0, 0), strict=True)):
            oracle = map_coordinates(image[channel], places, order=1, mode=mode, cval=level)
            assert np.abs(source - oracle).max() < 0.05


def test_maps_are_scaled_sheared_and_rotated_within_their_ranges() -> None:
    found = draw(AUGMENTATIONS["affine"], 4000)["affine"].double().numpy()
    angle = np.arctan2(found[:, 1, 0], found[:, 0, 0])  # the first column is a turned and scaled x axis
    across = np.hypot(found[:, 0, 0], found[:, 1, 0])
    turned = np.stack([np.cos(angle), np.sin(angle), -np.sin(angle), np.cos(angle)], -1).reshape(-1, 2, 2)
    upright = turned @ found[:, :, :2]  # R^T A = [sx, k sy; 0, sy]
    assert np.abs(upright[:, 1, 0]).max() < 1e-6
    down = upright[:, 1, 1]
    ranges = {
        "angle": (angle, -math.radians(20), math.radians(20)),
        "shear": (upright[:, 0, 1] / down, -0.2, 0.2),
        "across": (across, 0.8, 1.2),
        "down": (down, 0.8, 1.2),
        "right": (found[:, 0, 2], -0.1, 0.1),
        "below": (found[:, 1, 2], -0.1, 0.1),
    }
    for name, (values, low, high) in ranges.items():
        assert stats.kstest(values, stats.uniform(low, high - low).cdf).pvalue > 1e-3, name
    assert np.abs(np.corrcoef([values for values, _, _ in ranges.values()]) - np.eye(6)).max() < 0.06


def test_maps_that_keep_the_area_have_determinant_one() -> None:
    kept = Augmentation(
        affine_rotation_rad=1, affine_shear=0.4, affine_scale=(0.6, 1.4), affine_keeps_area=True
    )
    matrices = draw(kept, 500)["affine"][..., :2].double()
    assert (torch.linalg.det(matrices) - 1).abs().max() < 1e-6
    assert matrices[:, 0, 0].std() > 0.1


def test_circular_shifts_are_rolls() -> None:
    images = torch.randint(256, (32, 3, 12, 20), dtype=torch.uint8, generator=torch.manual_seed(0))
    shifts = draw(Augmentation(circular_shift_px=15), 32)["shift_px"]
    assert shifts.dtype == torch.int64
    many = draw(Augmentation(circular_shift_px=15), 800)["shift_px"]
    assert set(many.flatten().tolist()) == {*range(-15, 16)}
    assert torch.equal(many[:32], shifts)
    result = augment(images, {"shift_px": shifts})
    for image, out, (right, down) in zip(images, result, shifts.tolist(), strict=True):
        assert torch.equal(out, torch.roll(image, (down, right), dims=(1, 2)))
        assert np.array_equal(out.numpy(), np.roll(image.numpy(), (down, right), axis=(1, 2)))


def test_shifts_keep_to_the_grid_or_off_it() -> None:
    on = draw(Augmentation(circular_shift_px=16, circular_shift_grid_px=8), 400)["shift_px"]
    assert set(on.flatten().tolist()) == {-16, -8, 0, 8, 16}
    aside = Augmentation(circular_shift_px=9, circular_shift_grid_px=8, circular_shift_on_grid=False)
    off = draw(aside, 2000)["shift_px"]
    assert set(off.flatten().tolist()) == {*range(-9, 10)} - {-8, 0, 8}


MOVED = Augmentation(
    crop_scale=(0.3, 0.9),
    flip_probability=0.5,
    affine_rotation_rad=0.4,
    affine_scale=(0.8, 1.2),
    circular_shift_px=9,
)


def test_outputs_follow_the_picture_through_all_that_moves_it() -> None:
    """A picture of ramps says where each of its pixels came from, and so does an output of the same ramps."""
    ramp = torch.arange(SIDE, dtype=torch.float32)
    source = torch.stack([ramp.expand(SIDE, SIDE), ramp[:, None].expand(SIDE, SIDE), torch.zeros(SIDE, SIDE)])
    images = (5 * source).to(torch.uint8).expand(24, 3, SIDE, SIDE)
    parameters = draw(MOVED, 24)
    parameters.pop("crop")  # with it, pictures are averaged where they shrink; below
    outputs = {"coordinates": source.expand(24, 3, SIDE, SIDE)}
    for crop in ({}, {"crop": torch.tensor([0.25, 0.125, 0.5, 0.75]).expand(24, 4)}):
        moved = augment_batch({"view": images, **outputs, **parameters, **crop})
        differences = (moved["view"].float() / 5 - moved["coordinates"]).abs()
        assert differences.max() <= 0.5 + 0.25  # half a pixel, and the rounding of levels and edges
        assert moved["coordinates"].std() > 5


def test_several_views_are_moved_one_by_one() -> None:
    images = torch.randint(256, (6, 3, 16, 16), dtype=torch.uint8, generator=torch.manual_seed(0))
    batch = {"view": images, "mask": images[:, :1] // 128, **draw(MOVED, 6)}
    folded = {name: value.reshape(2, 3, *value.shape[1:]) for name, value in batch.items()}
    folded["views"] = folded.pop("view")
    one, several = augment_batch(batch), augment_batch(folded)
    assert torch.equal(several["views"].flatten(0, 1), one["view"])
    assert torch.equal(several["mask"].flatten(0, 1), one["mask"])
    pair = {f"{name}_2": value for name, value in batch.items()}
    assert torch.equal(augment_batch(pair)["mask_2"], one["mask"])
    assert not torch.equal(one["mask"], batch["mask"])


def test_what_a_warp_brings_in_has_the_values_of_nothing() -> None:
    far = torch.tensor([[1.0, 0, 0.5], [0, 1, 0]]).expand(2, 2, 3)
    ones = torch.ones(2, 1, 8, 8)
    batch = {
        "view": torch.full((2, 3, 8, 8), 9, dtype=torch.uint8),
        "affine": far,
        "mask": ones.byte(),
        "parts": 3 * ones.byte(),
        "depth": ones,
    }
    moved = augment_batch(batch, fill=(255, 0, 0))
    assert (moved["view"][:, 0, :, :2] == 255).all()
    for name, outside in (("mask", 0), ("parts", 255), ("depth", 65535 / 8192)):
        assert (moved[name][..., :2] == outside).all(), name
        assert torch.equal(moved[name][..., 2:], batch[name][..., 2:]), name
        assert moved[name].dtype == batch[name].dtype
    assert torch.equal(augment_batch(batch)["mask"], batch["mask"])  # reflected


def test_outputs_whose_values_would_be_wrong_are_refused() -> None:
    images = torch.zeros(2, 3, 8, 8, dtype=torch.uint8)
    still, shift = torch.eye(2, 3).expand(2, 2, 3), torch.ones(2, 2, dtype=torch.int64)
    normals = torch.randn(2, 3, 8, 8)
    with pytest.raises(InvalidInputError, match=r"normals cannot follow affine: .*leave normals out"):
        augment_batch({"view_1": images, "normals_1": normals, "affine_1": still})
    with pytest.raises(InvalidInputError, match="flow_state cannot follow shift_px"):
        augment_batch({"view": images, "flow_state": images[:, :1], "shift_px": shift})
    shifted = augment_batch({"view": images, "normals": normals, "shift_px": shift})["normals"]
    assert torch.equal(shifted, torch.roll(normals, (1, 1), dims=(2, 3)))
    colored = augment_batch({"view": images, "flow": normals[:, :2], "brightness": torch.ones(2)})
    assert torch.equal(colored["flow"], normals[:, :2])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"affine_rotation_rad": 4.0}, "affine_rotation_rad 4.0: must be from 0 to 3.14159"),
        ({"affine_shear": math.inf}, "affine_shear inf: must be from 0 to 10"),
        ({"affine_scale": (0.0, 1.0)}, "affine_scale .*above 0"),
        ({"affine_shift": -0.1}, "affine_shift -0.1"),
        ({"affine_fill": (0, 0, 256)}, "affine_fill .*three numbers from 0 to 255"),
        ({"affine_keeps_area": 1}, "affine_keeps_area 1: must be True or False"),
        ({"circular_shift_px": 2.5}, "circular_shift_px 2.5: must be a whole number"),
        (
            {"circular_shift_px": 7, "circular_shift_grid_px": 8},
            "circular_shift_px 7: there is no multiple of circular_shift_grid_px 8",
        ),
        ({"circular_shift_px": 7, "circular_shift_on_grid": False}, "no shift beside the multiples"),
    ],
)
def test_what_cannot_be_right_is_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        Augmentation(**arguments)  # type: ignore[arg-type]


def test_maps_without_an_inverse_are_refused() -> None:
    images = torch.zeros(1, 3, 8, 8, dtype=torch.uint8)
    with pytest.raises(InvalidInputError, match="matrix of determinant 0"):
        augment(images, {"affine": torch.zeros(1, 2, 3)})
    with pytest.raises(InvalidInputError, match=r"fill \(0, 0\): give three numbers"):
        augment(images, {}, fill=(0, 0))  # type: ignore[arg-type]
