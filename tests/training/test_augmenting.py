"""Augmentation in training: what reaches the loss, what is refused, and what the command line says."""

from dataclasses import replace

import pytest
import torch

from turntable.errors import InvalidInputError
from turntable.loaders import AUGMENTATIONS, Augmentation, BatchConfig, Loader, Pairs
from turntable.loaders.augment import augment, get_parameters
from turntable.training import TrainConfig, make_demo_config, parse_augmentation, train
from turntable.training.steps import check_augmentation


def test_the_loss_sees_augmented_pictures(toy_config, toys, dataset, tmp_path):
    """Those that ``augment`` makes of the loader's pictures and parameters."""
    augmentation = Augmentation.simclr()
    config = toy_config(augmentation=augmentation, epochs=1)
    train(config, tmp_path / "run")
    seen = toys[-1].batches[0]
    settings = {"fields": (), "seed": config.seed, "augmentation": augmentation}
    plain = next(iter(Loader(dataset, BatchConfig(sampler=Pairs(2), batch_size=4, **settings))))
    for name, suffix in (("view_1", "_1"), ("view_2", "_2")):
        assert torch.equal(seen[name], augment(plain[name], get_parameters(plain, suffix)))
        assert not torch.equal(seen[name], plain[name])


def test_a_method_reads_the_parameters_of_the_augmentation(toy_config, toys, dataset, tmp_path):
    """Such as the affine map of each view, which the pictures were warped by."""
    reads = ("view_1", "view_2", "affine_1", "affine_2", "shift_px_2")
    augmentation = replace(AUGMENTATIONS["affine"], circular_shift_px=2, affine_fill=(0.0, 0.0, 0.0))
    method_config = replace(toy_config().method_config, fields=reads)
    config = toy_config(augmentation=augmentation, epochs=1, method_config=method_config)
    train(config, tmp_path / "run")
    seen = toys[-1].batches[0]
    settings = {"fields": (), "seed": config.seed, "augmentation": augmentation}
    plain = next(iter(Loader(dataset, BatchConfig(sampler=Pairs(2), batch_size=4, **settings))))
    assert torch.equal(seen["affine_2"], plain["affine_2"])
    warped = augment(plain["view_2"], get_parameters(plain, "_2"), fill=(0, 0, 0))
    assert torch.equal(seen["view_2"], warped)
    with pytest.raises(
        InvalidInputError, match=r"reads affine, shift_px, which an augmentation draws; .*--augment"
    ):
        train(toy_config(epochs=1, method_config=method_config), tmp_path / "other")


def test_without_an_augmentation_pictures_are_as_they_are(toy_config, toys, tmp_path):
    train(toy_config(epochs=1), tmp_path / "run")
    assert set(toys[-1].batches[0]) == {"view_1", "view_2"}


def test_an_augmentation_survives_json(dataset):
    config = make_demo_config("sie", dataset, augmentation=Augmentation.simclr(0.5))
    values = config.to_dict()
    values["augmentation"]["crop_scale"] = list(values["augmentation"]["crop_scale"])
    assert TrainConfig.from_dict(values) == config
    with pytest.raises(InvalidInputError, match="an augmentation has no zoom"):
        TrainConfig.from_dict({**values, "augmentation": {"zoom": 1}})
    with pytest.raises(InvalidInputError, match="augmentation is 'simclr'; it must be an Augmentation"):
        make_demo_config("sie", dataset, augmentation="simclr")


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ((), None),
        (("simclr",), Augmentation.simclr()),
        (("crop", "color"), AUGMENTATIONS["color"]),
        (("color", "hue=0"), replace(AUGMENTATIONS["color"], hue=0.0)),
        (("crop_scale=0.5,1", "brightness=0.2"), Augmentation(crop_scale=(0.5, 1.0), brightness=0.2)),
        (("affine", "affine_fill=0,0,9"), replace(AUGMENTATIONS["affine"], affine_fill=(0.0, 0.0, 9.0))),
        (
            ("circular_shift_px=8", "circular_shift_grid_px=4", "circular_shift_on_grid=false"),
            Augmentation(circular_shift_px=8, circular_shift_grid_px=4, circular_shift_on_grid=False),
        ),
        (("blur_sigma_px=none", "simclr"), replace(AUGMENTATIONS["simclr"], blur_sigma_px=None)),
    ],
)
def test_texts_of_the_command_line(texts, expected):
    assert parse_augmentation(texts) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("zoom", "unknown augmentation 'zoom'; choose one of: simclr, simclr-unmirrored, crop, color"),
        ("zoom=3", "there is no such part; there are crop_scale"),
        ("hue=much", "--augment hue=much: give a number"),
        ("hue=3", r"hue 3\.0: must be from 0 to 0\.5"),
    ],
)
def test_texts_that_cannot_be_right(text, words):
    with pytest.raises(InvalidInputError, match=words):
        parse_augmentation([text])


def test_what_contradicts_the_fields_of_a_method_is_said():
    pair = ("view_1", "view_2")
    (flips,) = check_augmentation(Augmentation.simclr(), (*pair, "relative_quaternion"))
    assert "mirrors images, which contradicts relative_quaternion: give --augment simclr-unmirrored" in flips
    (hues,) = check_augmentation(AUGMENTATIONS["color"], (*pair, "floor_hue_difference"))
    assert "shifts hues, which contradicts floor_hue_difference" in hues
    assert list(check_augmentation(Augmentation.simclr(), pair)) == []
    assert list(check_augmentation(AUGMENTATIONS["simclr-unmirrored"], (*pair, "relative_rotation"))) == []
    assert list(check_augmentation(AUGMENTATIONS["color"], ("view_1", "depth_1"))) == []
    assert list(check_augmentation(AUGMENTATIONS["crop"], ("view_1", "depth_1", "normals_1"))) == []
    with pytest.raises(InvalidInputError, match=r"moves the pixels of images \(crop\), and flow, flow_state"):
        check_augmentation(AUGMENTATIONS["crop"], ("view_1", "depth_1", "flow_1", "flow_state_1"))
    with pytest.raises(InvalidInputError, match="and normals, which the method reads, would be wrong"):
        check_augmentation(AUGMENTATIONS["affine"], ("view_1", "depth_1", "normals_1"))
    (warps,) = check_augmentation(AUGMENTATIONS["affine"], (*pair, "relative_rotation"))
    assert "warps images, which contradicts relative_rotation" in warps
    with pytest.raises(InvalidInputError, match="changes images, but the method reads none"):
        list(check_augmentation(AUGMENTATIONS["crop"], ("points", "category")))


def test_a_run_warns_of_mirrored_poses_once(dataset, tmp_path):
    said = []
    config = make_demo_config("sie", dataset, epochs=1, batch_size=6, augmentation=Augmentation.simclr())
    train(config, tmp_path / "run", warn=said.append)
    assert len([line for line in said if "mirrors" in line]) == 1
