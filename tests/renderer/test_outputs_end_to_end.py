"""Outputs from mesh to tensor: rendered, sharded, verified, loaded, and proven against the labels."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from turntable.datasets import load_recipe, open_dataset, verify_dataset
from turntable.datasets.shards.index import open_index
from turntable.errors import InvalidInputError
from turntable.geometry import make_pose
from turntable.loaders import BatchConfig, ItemDataset, Loader, Pairs, Views
from turntable.renderer import generate, open_source

pytestmark = [pytest.mark.gl, pytest.mark.slow]

STORED = Views(shuffled=False)
OUTPUTS = ("mask", "depth", "normals", "coordinates")
SIZE, VIEWS, OBJECTS, POINTS = 48, 3, 6, 128


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("outputs") / "set"
    recipe = load_recipe("3diebench-t").replace(
        source="zoo",
        views=VIEWS,
        image_size_px=SIZE,
        quality="fast",
        outputs=["rgb", *OUTPUTS],
        points=POINTS,
    )
    generate(recipe, open_source("zoo", None, OBJECTS), folder, num_objects=OBJECTS)
    return folder


def test_verifies_and_says_how_to_decode(folder):
    assert not verify_dataset(folder).problems
    manifest = open_dataset(folder).manifest
    assert manifest.outputs == ("rgb", *OUTPUTS)
    assert manifest.points == POINTS
    assert all(name in manifest.conventions for name in (*OUTPUTS, "points"))
    assert ".000.depth.png" in (folder / "README.md").read_text()


def test_depth_and_label_land_on_the_coordinates(folder):
    """Each pixel back through K, the camera and the label's pose: its place in the object's own frame."""
    dataset = open_dataset(folder)
    camera = dataset.manifest.camera
    intrinsics, world_to_camera = np.array(camera["K"]), np.array(camera["world_to_camera"])
    grid = np.stack(np.meshgrid(np.arange(SIZE) + 0.5, np.arange(SIZE) + 0.5), axis=-1)
    rays = np.concatenate([grid, np.ones((SIZE, SIZE, 1))], axis=-1) @ np.linalg.inv(intrinsics).T
    pixels = 0
    config = BatchConfig(sampler=STORED, batch_size=4, fields=("factors", *OUTPUTS), last_batch="short")
    for batch in Loader(folder, config):
        angles = dataset.schema.compute_rotations(batch["factors"].numpy())
        names = [factor.name for factor in dataset.manifest.factors]
        shift = batch["factors"][:, [names.index(f"translation_{axis}") for axis in "xyz"]].numpy()
        for row, matrix in enumerate(make_pose(angles, shift)):
            seen = batch["mask"][row, 0].numpy() > 0
            depth = batch["depth"][row, 0].numpy()
            world = (rays * depth[..., None] - world_to_camera[:3, 3]) @ world_to_camera[:3, :3]
            own = (world - matrix[:3, 3]) @ matrix[:3, :3]
            coordinates = batch["coordinates"][row].numpy().transpose(1, 2, 0)
            assert np.abs(own - coordinates)[seen].max(initial=0) < 4e-4
            # Off the object depth is the floor's: z = -1.
            np.testing.assert_allclose(world[~seen][:, 2], -1, atol=4e-4)
            normals = batch["normals"][row].numpy().transpose(1, 2, 0)
            towards = -(rays @ world_to_camera[:3, :3])
            assert (normals * towards).sum(axis=-1)[seen].min(initial=0) > -0.02
            pixels += int(seen.sum())
    assert pixels > 500


def test_points_lie_where_coordinates_do(folder):
    fields = ("mask", "coordinates", "object_points")
    batch = next(
        iter(Loader(folder, BatchConfig(sampler=STORED, batch_size=64, fields=fields, last_batch="short")))
    )
    assert batch["object_points"].shape[1:] == (POINTS, 6)
    for row in range(0, len(batch["mask"]), VIEWS):
        seen = batch["coordinates"][row].permute(1, 2, 0)[batch["mask"][row, 0] > 0]
        if len(seen) > 20:
            nearest = torch.cdist(seen, batch["object_points"][row, :, :3]).min(dim=1).values
            assert nearest.median() < 0.1


def seen_through(manifest, places):
    """Pixels [P, 2] and depths [P] of places in the world, by the camera alone."""
    world_to_camera = np.array(manifest.camera["world_to_camera"])
    there = places @ world_to_camera[:3, :3].T + world_to_camera[:3, 3]
    image = there @ np.array(manifest.camera["K"]).T
    return image[:, :2] / image[:, 2:], there[:, 2]


def near_the_mask(mask):
    """A mask [S, S], a pixel wider on all sides."""
    padded = np.pad(mask > 0, 1)
    moved = [np.roll(padded, (down, right), (0, 1)) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    return np.any(moved, axis=0)[1:-1, 1:-1]


def test_posed_points_land_on_the_pixels_of_the_object(folder):
    """Projected by the camera: on the mask, never before what is seen, facing as the seen surface does."""
    manifest = open_dataset(folder).manifest
    fields = ("mask", "depth", "normals", "points", "object_points")
    config = BatchConfig(sampler=STORED, batch_size=64, fields=fields, last_batch="short", output="numpy")
    (batch,) = Loader(folder, config)
    assert batch["points"].shape == (len(batch["mask"]), POINTS, 6)
    posed, unposed, before, facing = [], [], [], []
    for row, mask in enumerate(batch["mask"][:, 0]):
        pixels, depths = seen_through(manifest, batch["points"][row, :, :3].astype(np.float64))
        columns, lines = np.floor(pixels).astype(int).T
        inside = (columns >= 0) & (columns < SIZE) & (lines >= 0) & (lines < SIZE)
        lines, columns = lines[inside], columns[inside]
        posed.append(near_the_mask(mask)[lines, columns])
        others, _ = seen_through(manifest, batch["object_points"][row, :, :3].astype(np.float64))
        unposed.append(near_the_mask(mask)[tuple(np.clip(np.floor(others).astype(int), 0, SIZE - 1).T[::-1])])
        behind = depths[inside] - batch["depth"][row, 0][lines, columns]
        on = mask[lines, columns] > 0
        before.append(behind[on] < -0.1)
        shown = on & (np.abs(behind) < 0.01)
        dots = (batch["normals"][row][:, lines, columns].T * batch["points"][row, inside, 3:]).sum(axis=1)
        facing.append(np.abs(dots[shown]))
    assert np.concatenate(posed).mean() > 0.99
    assert np.concatenate(unposed).mean() < 0.6
    assert np.concatenate(before).mean() < 0.02
    assert len(np.concatenate(facing)) > 200
    assert np.median(np.concatenate(facing)) > 0.95


@pytest.mark.parametrize("workers", [0, 2])
def test_pairs_have_the_outputs_of_both_views(folder, workers):
    config = BatchConfig(sampler=Pairs(), batch_size=2, fields=OUTPUTS, num_workers=workers)
    loader = Loader(folder, config)
    batch = next(iter(loader))
    shapes = {"mask": (2, 1, SIZE, SIZE), "depth": (2, 1, SIZE, SIZE), "normals": (2, 3, SIZE, SIZE)}
    for name, shape in {**shapes, "coordinates": (2, 3, SIZE, SIZE)}.items():
        assert batch[f"{name}_1"].shape == batch[f"{name}_2"].shape == shape
    row, view = int(batch["object_index"][1]), int(batch["view_index_2"][1])
    with open_dataset(folder).open_split("train") as split:
        np.testing.assert_array_equal(batch["depth_2"][1, 0].numpy(), split.read_output(row, view, "depth"))
    assert set(batch["mask_1"].unique().tolist()) <= {0, 1}
    items = ItemDataset(Loader(folder, BatchConfig(sampler=Pairs(), batch_size=2, fields=["depth"])))
    assert items[0]["depth_1"].shape == (1, SIZE, SIZE)


def test_another_size_takes_the_nearest_pixel(folder):
    config = BatchConfig(sampler=STORED, batch_size=2, fields=["depth"])
    whole = next(iter(Loader(folder, config)))
    half = next(iter(Loader(folder, replace(config, image_size=SIZE // 2))))
    torch.testing.assert_close(half["depth"], whole["depth"][..., 1::2, 1::2])


def test_damage_is_named(folder, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    shard = next((copy / "train").glob("*.tar"))
    index = open_index(shard.with_suffix(".idx"))
    data = bytearray(shard.read_bytes())
    data[int(index.extra_offset[0, 1, 2]) + 40] ^= 1
    data[int(index.points_offset[0]) + 200] ^= 1
    shard.write_bytes(data)
    text = "\n".join(verify_dataset(copy).problems)
    assert ".002.depth.png: wrong checksum" in text
    assert ".points.npy: wrong checksum" in text


def test_a_second_run_makes_the_same_bytes(folder, tmp_path):
    before = json.loads((folder / "manifest.json").read_text())
    again = tmp_path / "again"
    recipe = load_recipe("zoo").from_dict(before["recipe"])
    generate(recipe, open_source("zoo", None, OBJECTS), again, num_objects=OBJECTS)
    assert json.loads((again / "manifest.json").read_text()) == before


def test_what_is_not_kept_is_asked_for_in_vain(folder, tmp_path):
    plain = tmp_path / "plain"
    recipe = load_recipe("zoo").replace(views=2, image_size_px=16, quality="fast", outputs=["rgb", "mask"])
    generate(recipe, open_source("zoo", None, 2), plain, num_objects=2)
    split = open_dataset(plain).splits[0]
    config = BatchConfig(split=split, sampler=STORED, batch_size=1, fields=["depth", "points"])
    told = r"no depth .* has rgb, mask.*--outputs rgb,mask,depth; no points: .*--points 2048"
    with pytest.raises(InvalidInputError, match=told):
        Loader(plain, config)


# webdataset leaves its files to the garbage collector.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_stock_webdataset_reads_the_members(folder):
    import webdataset

    shards = sorted(str(path) for path in folder.glob("train/*.tar"))
    samples = list(webdataset.WebDataset(shards, shardshuffle=False).decode("rgb8"))
    assert len(samples) == sum(
        shard.objects for shard in open_dataset(folder).manifest.select_shards("train")
    )
    assert {"000.jpg", "000.mask.png", "002.coordinates.png", "points.npy"} <= set(samples[0])
    assert samples[0]["points.npy"].shape == (POINTS, 6)
