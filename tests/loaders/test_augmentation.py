import math
import pickle
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from turntable.errors import InvalidInputError
from turntable.loaders import Augmentation
from turntable.loaders.draws import PARAMETER_NAMES, PARAMETERS, format_parameter_table

DOCS = Path(__file__).parents[2] / "docs" / "labels.md"
EVERYTHING = Augmentation(
    crop_scale=(0.08, 1.0),
    flip_probability=0.5,
    brightness=0.4,
    contrast=0.3,
    saturation=1.5,
    hue=0.2,
    jitter_probability=0.8,
    grey_probability=0.2,
    blur_sigma_px=(0.1, 2.0),
    blur_probability=0.3,
    solarize_probability=0.1,
    affine_rotation_rad=0.5,
    affine_shear=0.2,
    affine_scale=(0.5, 1.5),
    affine_shift=0.3,
    circular_shift_px=7,
)
MANY = EVERYTHING.draw_parameters(0, 0, np.arange(20_000), 1)


def draw_one(name: str) -> np.ndarray:
    return MANY[name][:, 0].astype(np.float64)


def test_every_part_is_a_field_of_each_view() -> None:
    found = EVERYTHING.draw_parameters(0, 0, np.arange(5), 3)
    assert tuple(found) == PARAMETER_NAMES
    for row in PARAMETERS:
        assert found[row.name].shape == (5, 3, *row.shape)
        assert found[row.name].dtype == row.dtype
    assert EVERYTHING.draw_parameters(0, 0, np.empty(0, dtype=np.int64), 2)["crop"].shape == (0, 2, 4)
    assert Augmentation().draw_parameters(0, 0, np.arange(5), 2) == {}


def test_a_view_has_its_numbers_in_any_batch() -> None:
    whole = EVERYTHING.draw_parameters(7, 3, np.arange(64), 4)
    for positions, views in (([5], 4), ([63, 2, 40_000, 17], 2), (range(10, 20), 1)):
        found = EVERYTHING.draw_parameters(7, 3, np.array(positions), views)
        inside = [row for row, position in enumerate(positions) if position < 64]
        for name, values in found.items():
            expected = whole[name][np.array(positions)[inside], :views]
            assert np.array_equal(values[inside], expected), name


def test_seed_epoch_position_and_view_all_count() -> None:
    base = EVERYTHING.draw_parameters(7, 3, np.arange(64), 2)["brightness"]
    others = [
        EVERYTHING.draw_parameters(8, 3, np.arange(64), 2)["brightness"],
        EVERYTHING.draw_parameters(7, 4, np.arange(64), 2)["brightness"],
        EVERYTHING.draw_parameters(7, 3, np.arange(64, 128), 2)["brightness"],
        base[:, ::-1],
    ]
    for other in others:
        # Of 128 factors a fifth is 1, where no jitter is applied.
        assert (base == other).mean() < 0.3


def test_numbers_stay_as_they_are_from_version_to_version() -> None:
    found = {
        name: values[1, 1] for name, values in EVERYTHING.draw_parameters(7, 3, np.array([0, 5]), 2).items()
    }
    assert found["crop"] == pytest.approx([0.0321336, 0.0280522, 0.6340248, 0.7645845], abs=1e-6)
    assert found["hue_shift"] == pytest.approx(-0.1861746, abs=1e-6)


def test_no_part_hangs_on_another() -> None:
    alone = {
        "crop": Augmentation(crop_scale=(0.08, 1.0)),
        "flip": Augmentation(flip_probability=0.5),
        "saturation": Augmentation(saturation=1.5, jitter_probability=0.8),
        "blur_sigma_px": Augmentation(blur_sigma_px=(0.1, 2.0), blur_probability=0.3),
    }
    for name, augmentation in alone.items():
        found = augmentation.draw_parameters(0, 0, np.arange(200), 1)
        assert list(found) == [name]
        assert np.array_equal(found[name], MANY[name][:200])


@pytest.mark.parametrize(
    ("name", "identity", "low", "high", "applied"),
    [
        ("brightness", 1.0, 0.6, 1.4, 0.8),
        ("contrast", 1.0, 0.7, 1.3, 0.8),
        ("saturation", 1.0, 0.0, 2.5, 0.8),
        ("hue_shift", 0.0, -0.2, 0.2, 0.8),
        ("blur_sigma_px", 0.0, 0.1, 2.0, 0.3),
    ],
)
def test_amounts_are_uniform_where_they_are_applied(
    name: str, identity: float, low: float, high: float, applied: float
) -> None:
    values = draw_one(name)
    changed = values[values != identity]
    assert len(changed) / len(values) == pytest.approx(applied, abs=0.015)
    assert changed.min() >= low - 1e-6
    assert changed.max() <= high + 1e-6
    assert stats.kstest(changed, stats.uniform(low, high - low).cdf).pvalue > 1e-3


def test_switches_are_on_as_often_as_said() -> None:
    for name, probability in (("flip", 0.5), ("grey", 0.2), ("solarize", 0.1)):
        assert set(draw_one(name)) == {0.0, 1.0}
        assert draw_one(name).mean() == pytest.approx(probability, abs=0.012)


def test_parts_are_independent() -> None:
    scalars = [row.name for row in PARAMETERS if not row.shape]
    several = [draw_one(name).reshape(len(MANY["flip"]), -1).T for name in ("affine", "shift_px", "crop")]
    shears_and_shifts = several[0][[2, 5]]
    columns = [*map(draw_one, scalars), *shears_and_shifts, *several[1], *several[2][2:]]
    jittered = draw_one("hue_shift") != 0
    correlations = np.corrcoef([column[jittered] for column in columns])
    # A crop's height and width do correlate: both follow the area.
    off = correlations - np.eye(len(columns))
    off[-2:, -2:] = 0
    assert np.abs(off).max() < 0.04


def test_crops_are_those_of_rejection() -> None:
    top, left, height, width = MANY["crop"][:, 0].astype(np.float64).T
    assert (np.minimum(top, left) >= 0).all()
    assert (top + height <= 1 + 1e-6).all()
    assert (left + width <= 1 + 1e-6).all()
    area, ratio = height * width, width / height
    assert area.min() >= 0.08 - 1e-6
    assert (np.abs(np.log(ratio)) <= math.log(4 / 3) + 1e-6).all()
    # The published way, one at a time, with another generator.
    rng, oracle = np.random.default_rng(0), []
    while len(oracle) < 20_000:
        drawn_area, drawn_ratio = rng.uniform(0.08, 1), math.exp(rng.uniform(-1, 1) * math.log(4 / 3))
        if drawn_area * drawn_ratio <= 1 and drawn_area / drawn_ratio <= 1:
            oracle.append((drawn_area, drawn_ratio))
    areas, ratios = np.array(oracle).T
    assert stats.ks_2samp(area, areas).pvalue > 1e-3
    assert stats.ks_2samp(ratio, ratios).pvalue > 1e-3
    for start, length in ((top, height), (left, width)):
        inside = length < 0.99
        assert stats.kstest((start / (1 - length))[inside], "uniform").pvalue > 1e-3


def test_crops_that_cannot_fit_are_the_whole_at_an_allowed_ratio() -> None:
    flat = Augmentation(crop_scale=(1.0, 1.0), crop_ratio=(2.0, 3.0)).draw_parameters(0, 0, np.arange(4), 1)
    assert np.allclose(flat["crop"], [0.25, 0, 0.5, 1])
    tall = Augmentation(crop_scale=(1.0, 1.0), crop_ratio=(0.25, 0.5)).draw_parameters(0, 0, np.arange(4), 1)
    assert np.allclose(tall["crop"], [0, 0.25, 1, 0.5])


def test_presets() -> None:
    simclr = Augmentation.simclr()
    assert set(simclr.draw_parameters(0, 0, np.arange(2), 2)) == {*PARAMETER_NAMES} - {
        "solarize",
        "affine",
        "shift_px",
    }
    for unmirrored in (
        Augmentation.crop_only(),
        Augmentation.color_only(),
        Augmentation.simclr(flip_probability=0),
    ):
        assert "flip" not in unmirrored.draw_parameters(0, 0, np.arange(2), 2)
    assert "crop" not in Augmentation.color_only().draw_parameters(0, 0, np.arange(2), 2)
    assert list(Augmentation.crop_only().draw_parameters(0, 0, np.arange(2), 2)) == ["crop"]
    assert pickle.loads(pickle.dumps(simclr)) == simclr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"flip_probability": 1.5}, "flip_probability 1.5: must be from 0 to 1"),
        ({"grey_probability": math.nan}, "grey_probability nan"),
        ({"brightness": -0.1}, "brightness -0.1: must be at least 0"),
        ({"hue": 0.6}, "hue 0.6: must be from 0 to 0.5"),
        ({"crop_scale": (0.5, 1.5)}, "crop_scale .*largest at most 1"),
        ({"crop_scale": (0.0, 1.0)}, "crop_scale .*above 0"),
        ({"crop_ratio": (2.0, 1.0)}, "crop_ratio .*the smallest and the largest"),
        ({"blur_sigma_px": (0.1,)}, "blur_sigma_px"),
        ({"blur_sigma_px": (0.1, math.inf)}, "blur_sigma_px"),
    ],
)
def test_what_cannot_be_right_is_refused(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        Augmentation(**arguments)  # type: ignore[arg-type]


def test_every_parameter_stands_in_the_table_of_the_docs() -> None:
    assert format_parameter_table() in DOCS.read_text("utf-8")
