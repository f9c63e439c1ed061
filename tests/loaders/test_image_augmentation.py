"""Augmentation of batches of images, compared with Pillow, colorsys and scipy image by image."""

import colorsys
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance, ImageOps
from scipy.ndimage import gaussian_filter
from torch import Tensor

from turntable import geometry
from turntable.errors import InvalidInputError
from turntable.loaders import Augmentation
from turntable.loaders.augment import augment, get_parameters
from turntable.loaders.augment.color_operations import (
    adjust_brightness,
    adjust_contrast,
    adjust_hue,
    adjust_saturation,
    remove_color,
    solarize,
)
from turntable.loaders.augment.resampling import blur, crop_and_flip
from turntable.loaders.augment.warping import shift_circularly, warp
from turntable.loaders.draws import PARAMETERS
from turntable.renderer.scene import Camera

IDENTITY = {
    "crop": [0.0, 0.0, 1.0, 1.0],
    "flip": 0.0,
    "affine": [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
    "shift_px": [0, 0],
    "brightness": 1.0,
    "contrast": 1.0,
    "saturation": 1.0,
    "hue_shift": 0.0,
    "grey": 0.0,
    "blur_sigma_px": 0.0,
    "solarize": 0.0,
}


def make_images(count: int = 6, side: int = 40) -> Tensor:
    """Make images of noise over a gradient, uint8 [B, 3, side, side] in channels-last memory."""
    rng = np.random.default_rng(0)
    ramp = np.linspace(0, 160, side)[:, None, None]
    made = (ramp + rng.integers(0, 96, (count, side, side, 3))).astype(np.uint8)
    return torch.from_numpy(made).permute(0, 3, 1, 2)


def to_pillow(picture: Tensor) -> Image.Image:
    return Image.fromarray(picture.permute(1, 2, 0).contiguous().numpy())


def to_channels_last(picture: Tensor) -> np.ndarray:
    return picture.permute(1, 2, 0).double().numpy()


def draw_view_parameters(count: int, augmentation: Augmentation | None = None) -> dict[str, Tensor]:
    """Draw parameters of views, each [B, ...]."""
    found = (augmentation or Augmentation.simclr()).draw_parameters(0, 0, np.arange(count), 1)
    return {name: torch.from_numpy(values[:, 0]) for name, values in found.items()}


def compute_max_difference(result: Tensor, oracle: Image.Image | np.ndarray) -> float:
    """Return the largest difference between two images, in levels."""
    return float(np.abs(to_channels_last(result) - np.asarray(oracle, dtype=np.float64)).max())


@pytest.mark.parametrize("name", IDENTITY)
def test_parameters_that_say_nothing_change_nothing(name: str) -> None:
    images = make_images()
    value = torch.tensor(IDENTITY[name]).expand(len(images), *np.shape(IDENTITY[name]))
    assert torch.equal(augment(images, {name: value}), images)
    assert torch.allclose(augment(images, {name: value}, dtype=torch.float32), images.float(), atol=1e-4)


def test_all_together_say_nothing_too() -> None:
    images = make_images()
    everything = {name: torch.tensor(value).expand(6, *np.shape(value)) for name, value in IDENTITY.items()}
    assert list(everything) == [row.name for row in PARAMETERS]
    assert torch.equal(augment(images, everything), images)
    assert torch.equal(augment(images, {}), images)


@pytest.mark.parametrize("size", [11, 24, 40, 61])
def test_crops_are_pillows_resize_of_a_box(size: int) -> None:
    images = make_images()
    crop = draw_view_parameters(6)["crop"]
    result = augment(images, {"crop": crop}, size)
    assert result.shape == (6, 3, size, size)
    for picture, out, (top, left, height, width) in zip(images, result, (crop * 40).tolist(), strict=True):
        box = (left, top, min(left + width, 40.0), min(top + height, 40.0))
        oracle = to_pillow(picture).resize((size, size), Image.Resampling.BILINEAR, box)
        # Pillow rounds once more, between rows and columns, and its weights are of 22 bits.
        assert compute_max_difference(out, oracle) <= 1.0


def test_a_size_alone_is_pillows_resize() -> None:
    images = make_images(2)
    for picture, out in zip(images, augment(images, {}, 16), strict=True):
        assert (
            compute_max_difference(out, to_pillow(picture).resize((16, 16), Image.Resampling.BILINEAR)) <= 1.0
        )


def test_a_crop_of_whole_pixels_is_those_pixels() -> None:
    images = make_images(1)
    crop = torch.tensor([[0.25, 0.5, 0.5, 0.5]])
    assert torch.equal(augment(images, {"crop": crop}, 20), images[..., 10:30, 20:40])


def test_flips_mirror_after_the_crop() -> None:
    images, crop, flip = make_images(), draw_view_parameters(6)["crop"], torch.tensor([0.0, 1, 0, 1, 1, 0])
    chosen = flip.bool()
    for parameters, size in (({}, None), ({"crop": crop}, 24), ({}, 24)):
        plain = augment(images, parameters, size)
        mirrored = augment(images, {**parameters, "flip": flip}, size)
        assert torch.equal(mirrored[~chosen], plain[~chosen])
        assert (mirrored[chosen].int() - plain[chosen].flip(-1).int()).abs().max() <= 1
        assert not torch.equal(mirrored[chosen], plain[chosen])


def test_a_flip_shows_the_mirrored_object_in_a_mirrored_pose() -> None:
    rng, mirror = np.random.default_rng(0), np.diag([-1.0, 1, 1])
    points, shift = rng.uniform(-0.3, 0.3, (20, 3)), rng.uniform(-0.3, 0.3, 3)
    rotation = geometry.euler_to_matrix(rng.uniform(-2, 2, 3))
    camera = Camera(distance=3.0, polar_rad=1.0)  # any that a label can set
    seen = camera.project((points + shift) @ rotation.T, 40)
    mirrored = (points @ mirror + mirror @ shift) @ (mirror @ rotation @ mirror).T
    assert np.allclose(camera.project(mirrored, 40), [40, 0] + [-1, 1] * seen)


@pytest.mark.parametrize(
    ("name", "oracle"),
    [
        ("brightness", ImageEnhance.Brightness),
        ("contrast", ImageEnhance.Contrast),
        ("saturation", ImageEnhance.Color),
    ],
)
def test_enhancements_are_pillows(name: str, oracle: Callable[[Image.Image], ImageEnhance._Enhance]) -> None:
    images = make_images()
    factors = torch.tensor([0.0, 0.3, 0.9, 1.1, 1.7, 2.5])
    result = augment(images, {name: factors})
    for picture, out, factor in zip(images, result, factors.tolist(), strict=True):
        # Pillow rounds the grey before it is mixed, and cuts what is mixed to whole numbers.
        assert compute_max_difference(out, oracle(to_pillow(picture)).enhance(factor)) <= 2.0
    assert compute_max_difference(result[0], to_pillow(images[0])) > 10


@pytest.mark.parametrize("shift", [-0.5, -0.2, -1 / 3, 0.05, 0.25, 0.5])
def test_hues_move_by_the_shift(shift: float) -> None:
    images = make_images(1, 12)
    images[0, :, 0, :3] = torch.tensor([[128, 255, 0], [128, 0, 0], [128, 0, 255]])  # grey, red, magenta
    result = augment(images, {"hue_shift": torch.tensor([shift])}, dtype=torch.float32)
    before, after = to_channels_last(images[0]).reshape(-1, 3), to_channels_last(result[0]).reshape(-1, 3)
    for old, new in zip(before, after, strict=True):
        hue, saturation, value = colorsys.rgb_to_hsv(*(old / 255))
        assert new == pytest.approx(
            255 * np.array(colorsys.hsv_to_rgb((hue + shift) % 1, saturation, value)), abs=2e-3
        )
        found = colorsys.rgb_to_hsv(*(new / 255))
        assert found[1:] == pytest.approx((saturation, value), abs=1e-4)
        if saturation > 0.05:
            assert np.cos(2 * np.pi * (found[0] - hue - shift)) == pytest.approx(1, abs=1e-6)


def test_a_picture_of_known_hue_has_the_hue_of_the_sum() -> None:
    hues, shifts = np.linspace(0, 0.9, 10), np.linspace(-0.4, 0.5, 10)
    colours = np.array([colorsys.hsv_to_rgb(hue, 0.6, 0.6) for hue in hues])
    images = torch.from_numpy((colours * 255).round().astype(np.uint8))[:, :, None, None].expand(10, 3, 4, 4)
    result = augment(images, {"hue_shift": torch.from_numpy(shifts)})
    for hue, shift, out in zip(hues, shifts, result, strict=True):
        found = colorsys.rgb_to_hsv(*(to_channels_last(out)[2, 2] / 255))[0]
        # A level of 92 between the smallest and the largest channel is 0.002 turns.
        assert (found - hue - shift + 0.5) % 1 - 0.5 == pytest.approx(0, abs=0.003)


def test_grey_and_solarize_are_pillows() -> None:
    images, chosen = make_images(), torch.tensor([1.0, 0, 1, 0, 0, 1])
    grey, solarized = augment(images, {"grey": chosen}), augment(images, {"solarize": chosen})
    for at, picture in enumerate(images):
        expected = (
            to_pillow(picture).convert("L").convert("RGB"),
            ImageOps.solarize(to_pillow(picture), 128),
        )
        oracles = expected if chosen[at] else (to_pillow(picture), to_pillow(picture))
        assert compute_max_difference(grey[at], oracles[0]) <= (1.0 if chosen[at] else 0.0)
        assert compute_max_difference(solarized[at], oracles[1]) == 0.0


def test_blurs_are_gaussian() -> None:
    images = make_images()
    sigmas = torch.tensor([0.0, 0.1, 0.5, 1.0, 2.0, 3.5])
    result = augment(images, {"blur_sigma_px": sigmas}, dtype=torch.float32)
    for picture, out, sigma in zip(images, result, sigmas.tolist(), strict=True):
        array = to_channels_last(picture)
        if not sigma:
            assert np.array_equal(to_channels_last(out), array)
            continue
        # Beyond the edges nothing has weight: the blur of the picture over the blur of ones.
        arguments = {"sigma": (sigma, sigma, 0), "mode": "constant", "truncate": 12.0}
        oracle = gaussian_filter(array, **arguments) / gaussian_filter(np.ones_like(array), **arguments)
        assert compute_max_difference(out, oracle) < 1e-2


def test_parts_come_in_the_order_of_the_table() -> None:
    images = make_images()
    # Strong enough to reach 0 and 255, so that no two of them could change places unseen.
    strong = replace(
        Augmentation.simclr(),
        **dict.fromkeys(("brightness", "contrast", "saturation"), 1.5),
        **dict.fromkeys(("jitter_probability", "blur_probability", "solarize_probability"), 1.0),
        affine_rotation_rad=0.3,
        circular_shift_px=5,
    )
    by_name = draw_view_parameters(6, strong)
    assert list(by_name) == [row.name for row in PARAMETERS]
    expected = crop_and_flip(images, by_name["crop"], by_name["flip"], 40)
    for name, change in (
        ("affine", lambda images, affine: warp(images, affine, None)),
        ("shift_px", shift_circularly),
        ("brightness", adjust_brightness),
        ("contrast", adjust_contrast),
        ("saturation", adjust_saturation),
        ("hue_shift", adjust_hue),
        ("grey", remove_color),
        ("blur_sigma_px", blur),
        ("solarize", solarize),
    ):
        expected = change(expected, by_name[name])
    for parameters in (by_name, dict(reversed(by_name.items()))):
        assert torch.equal(augment(images, parameters, dtype=torch.float32), expected)


def test_a_batch_is_its_pictures_one_by_one() -> None:
    images, parameters = make_images(16), draw_view_parameters(16)
    result = augment(images, parameters, 32, torch.float32)
    for at in range(16):
        alone = {name: values[at : at + 1] for name, values in parameters.items()}
        one = augment(images[at : at + 1], alone, 32, torch.float32)[0]
        assert torch.allclose(one, result[at], atol=2e-3)
        # Without an axis of a batch, too.
        single = {name: values[at] for name, values in parameters.items()}
        assert torch.equal(augment(images[at], single, 32, torch.float32), one)


def test_samples_of_several_views_keep_their_axes() -> None:
    images, parameters = make_images(6), draw_view_parameters(6)
    folded = {name: values.reshape(2, 3, *values.shape[1:]) for name, values in parameters.items()}
    result = augment(images.reshape(2, 3, 3, 40, 40), folded, 20)
    assert result.shape == (2, 3, 3, 20, 20)
    assert torch.equal(result.reshape(6, 3, 20, 20), augment(images, parameters, 20))


def test_memory_formats_and_types() -> None:
    images, parameters = make_images(), draw_view_parameters(6)
    result = augment(images, parameters)
    assert result.dtype == torch.uint8
    assert result.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(augment(images.contiguous(), parameters), result)
    exact = augment(images, parameters, dtype=torch.float32)
    assert torch.equal(exact.round().clamp(0, 255).to(torch.uint8), result)
    assert exact.min() >= -1e-2
    assert exact.max() <= 255.01
    half = augment(images, parameters, dtype=torch.bfloat16)
    assert half.dtype == torch.bfloat16
    assert torch.equal(half, exact.to(torch.bfloat16))
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(augment(images, parameters), result)


def test_what_the_caller_has_stays_as_it_was() -> None:
    images, parameters = make_images(), draw_view_parameters(6)
    before = images.clone(), {name: values.clone() for name, values in parameters.items()}
    augment(images, parameters, 20)
    assert torch.equal(images, before[0])
    assert all(torch.equal(parameters[name], before[1][name]) for name in parameters)


def test_parameters_come_out_of_batches() -> None:
    found = Augmentation.simclr().draw_parameters(0, 0, np.arange(6), 2)
    batch = {
        f"{name}_{view + 1}": torch.from_numpy(values[:, view])
        for name, values in found.items()
        for view in (0, 1)
    } | {"view_1": make_images()}
    taken = get_parameters(batch, "_2")
    assert list(taken) == list(found)
    assert torch.equal(taken["crop"], batch["crop_2"])
    assert augment(batch["view_1"], get_parameters(batch, "_1")).shape == (6, 3, 40, 40)
    with pytest.raises(InvalidInputError, match="use the suffix '_1' or '_2' for pairs"):
        get_parameters(batch)


@pytest.mark.parametrize(
    ("images", "parameters", "size", "message"),
    [
        (make_images().float(), {}, None, "augment needs uint8"),
        (make_images()[:, :2], {}, None, "augment needs uint8"),
        (make_images(), {"blur": torch.zeros(6)}, None, "no parameter 'blur'; the parameters are crop"),
        (make_images(), {"flip": torch.zeros(5)}, None, r"flip has the shape \[5\]; .*it must be \[6\]"),
        (make_images(), {"crop": torch.zeros(6)}, None, r"it must be \[6, 4\]"),
        (make_images(), {}, 0, "size 0"),
        (
            make_images()[..., :20],
            {"crop": torch.zeros(6, 4)},
            None,
            "40 x 20 pixels are not square: give the size",
        ),
    ],
)
def test_what_cannot_be_right_is_refused(
    images: Tensor, parameters: dict[str, Tensor], size: int | None, message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        augment(images, parameters, size)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
@pytest.mark.parametrize("size", [None, 11])
def test_defaults_of_torch_change_nothing(dtype: torch.dtype, size: int | None) -> None:
    images = torch.randint(256, (3, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    drawn = Augmentation.simclr().draw_parameters(0, 0, np.arange(3), 1)
    parameters = {name: torch.from_numpy(values[:, 0]) for name, values in drawn.items()}
    resized, expected = augment(images, {}, size), augment(images, parameters, size)
    try:
        torch.set_default_dtype(dtype)
        torch.set_default_device("meta")
        assert torch.equal(augment(images, parameters, size), expected)
        assert torch.equal(augment(images, {}, size), resized)
    finally:
        torch.set_default_dtype(torch.float32)
        torch.set_default_device(None)
