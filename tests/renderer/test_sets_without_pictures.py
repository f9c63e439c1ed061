"""Data sets without pictures: labels, arrays and other outputs alone."""

import json
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from turntable.cli import main
from turntable.datasets import load_recipe, open_dataset, verify_dataset
from turntable.errors import InvalidInputError
from turntable.loaders import Augmentation, BatchConfig, Loader
from turntable.renderer import generate, open_recipe_source


def make(folder, **changes):
    recipe = load_recipe("zoo").replace(points=64, views=3, image_size_px=32, quality="fast", **changes)
    return generate(recipe, open_recipe_source(recipe, None, 3), folder, num_objects=3)


@pytest.fixture(scope="module")
def labels_alone(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sets") / "alone"
    make(folder, outputs=[])
    return folder


def test_labels_and_arrays_are_those_of_a_set_with_pictures(labels_alone, tmp_path):
    make(tmp_path / "both")
    for split in open_dataset(labels_alone).splits:
        with (
            open_dataset(labels_alone).open_split(split) as one,
            open_dataset(tmp_path / "both").open_split(split) as other,
        ):
            rows, views = np.repeat(np.arange(one.num_objects), 3), np.tile(np.arange(3), one.num_objects)
            assert (one.get_labels(rows, views) == other.get_labels(rows, views)).all()
            assert all(
                (one.read_points(row) == other.read_points(row)).all() for row in range(one.num_objects)
            )
            with pytest.raises(InvalidInputError, match="no pictures; render it with --outputs rgb"):
                one.read_jpeg(0, 0)


def test_a_set_without_pictures_is_whole(labels_alone):
    report = verify_dataset(labels_alone, deep=True)
    assert not report.problems
    assert report.num_images == 0
    assert not (labels_alone / "contact-sheet.jpg").exists()
    manifest = json.loads((labels_alone / "manifest.json").read_text())
    assert manifest["outputs"] == []
    assert manifest["device"] == {}


def test_batches_have_no_pictures(labels_alone):
    config = BatchConfig(batch_size=2, fields=["points", "rotation"], output="numpy", last_batch="short")
    for workers in (0, 1):
        with closing(Loader(labels_alone, replace(config, num_workers=workers))) as loader:
            batch = next(iter(loader))
        assert not {"view_1", "view_2", "images"} & set(batch)
        assert batch["points_1"].shape == (2, 64, 6)
    with pytest.raises(InvalidInputError, match="the augmentation changes pictures"):
        Loader(labels_alone, replace(config, augmentation=Augmentation.simclr()))


def test_images_other_than_pictures_need_none(tmp_path):
    make(tmp_path / "depth", outputs=["mask", "depth"])
    assert not verify_dataset(tmp_path / "depth", deep=True).problems
    config = BatchConfig(batch_size=2, fields=["mask", "depth"], output="numpy")
    with closing(Loader(tmp_path / "depth", config)) as loader:
        assert next(iter(loader))["depth_1"].shape == (2, 1, 32, 32)


def run(*words):
    """Exit status of a command."""
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    return ended.value.code


def test_the_command_line_makes_and_compares_them(tmp_path, capsys):
    out = str(tmp_path / "cli")
    options = ["--objects", "2", "--views", "2", "--points", "32", "--image-size", "32"]
    assert run("render", "zoo", "--outputs", "none", *options, "--out", out) == 0
    assert run("verify", out, "--deep") == 0
    assert run("train", out, "--method", "byol", "--preset", "demo", "--out", str(tmp_path / "run")) == 2
    assert "the method reads pictures, and it has none" in capsys.readouterr().err
