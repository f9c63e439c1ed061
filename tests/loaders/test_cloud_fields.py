"""Point clouds and partial clouds of rendered data sets, against their meshes, pictures and coordinates."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import maximum_filter
from trimesh.triangles import closest_point

from turntable.datasets import Dataset, Recipe, Split, load_recipe, open_dataset
from turntable.datasets.objects import get_rest_poses
from turntable.errors import IntegrityError, InvalidInputError
from turntable.loaders import (
    BatchConfig,
    CloudOptions,
    Fixed,
    Loader,
    Pairs,
    PointCorruption,
    Views,
    find_overlap_pairs,
    read_pairs,
    write_pairs,
)
from turntable.loaders.fields import DataDescription, explain_missing_fields, resolve_fields
from turntable.renderer import generate, open_source

RECIPE = """
name = "clouds"
source = "SOURCE"
mirrored = MIRRORED
views = 4
image_size_px = 48
quality = "fast"
outputs = ["rgb", "mask", "depth", "normals", "coordinates", "parts"]
points = 200
val_fraction = 0.0
[rotation]
kind = "uniform"
[factors]
floor_hue = { low = 0, high = 1 }
light_theta_rad = { low = 0, high = "pi/4" }
light_phi_rad = { low = 0, high = "2 pi" }
light_hue = { low = 0, high = 1 }
translation_x = { low = -0.1, high = 0.1 }
camera_distance = { low = 2, high = 3 }
camera_roll_rad = { low = -0.5, high = 0.5 }
principal_point_dx_px = { low = -3, high = 3 }
"""
DEPTH_ERROR = 0.5 / 8192 * np.sqrt(1 + 2 * 0.4**2)
"""Half a step of the stored depth, along a ray into the corner of a picture."""
COORDINATE_ERROR = np.sqrt(3) * 0.5 / 32767.5


def make_set(folder: Path, source: str, num_objects: int, mirrored: str = "false") -> Dataset:
    recipe = Recipe.from_toml(RECIPE.replace("SOURCE", source).replace("MIRRORED", mirrored))
    generate(recipe, open_source(source, None, num_objects), folder, num_objects=num_objects)
    return open_dataset(folder)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Objects of one piece."""
    return make_set(tmp_path_factory.mktemp("whole"), "zoo", 3)


@pytest.fixture(scope="module")
def jointed(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Assemblies whose parts move, and their mirrored twins."""
    return make_set(tmp_path_factory.mktemp("jointed"), "articulated", 3, "true")


def load_views(dataset: Dataset, fields: list[str], **changes: Any) -> dict[str, np.ndarray]:
    """All views of the train split in one batch, in order."""
    count = dataset.manifest.totals.images
    config = BatchConfig(
        **{
            "sampler": Views(shuffled=False),
            "batch_size": count,
            "fields": fields,
            "output": "numpy",
            **changes,
        }
    )
    loader = Loader(dataset.path_or_url, config)
    batch = {name: array.copy() for name, array in next(iter(loader)).items()}
    loader.close()
    return batch


def place_triangles(dataset: Dataset, row: int, view: int) -> np.ndarray:
    """The triangles [T, 3, 3] of an assembly as a view shows it, part by part from the stored poses."""
    with dataset.open_split("train") as split:
        record, poses = split.objects[row], split.read_part_pose(row)
        mesh = open_source("articulated", None, 3).load(record.id.removesuffix("~mirrored"))
    assert poses is not None
    corners = mesh.positions.astype(float)[mesh.triangles]
    if record.id.endswith("~mirrored"):
        corners = corners * [-1, 1, 1]
    motions = poses[view].astype(float) @ np.linalg.inv(get_rest_poses(record.parts))
    turn, shift = motions[mesh.part_index, :3, :3], motions[mesh.part_index, :3, 3]
    return np.einsum("tij,tcj->tci", turn, corners) + shift[:, None]


def measure_distances(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """The distance of each point to the nearest triangle, exactly."""
    pairs = np.repeat(points.astype(float), len(triangles), axis=0)
    nearest = closest_point(np.tile(triangles, (len(points), 1, 1)), pairs)
    return np.linalg.norm(nearest - pairs, axis=1).reshape(len(points), -1).min(axis=1)


def project(dataset: Dataset, batch: dict[str, np.ndarray], at: int, points: np.ndarray) -> np.ndarray:
    """Pixel coordinates [P, 2] of points in the world, by the matrices of the manifest's rule."""
    in_camera = points @ compute_turn(batch, at).T + [0, 0, batch["camera_distance"][at]]
    camera = np.array(dataset.manifest.camera["K"])
    camera[0, 2] += batch["principal_point_dx_px"][at]
    pixels = in_camera @ camera.T
    return pixels[:, :2] / pixels[:, 2:]


def compute_turn(batch: dict[str, np.ndarray], at: int) -> np.ndarray:
    """The rotation of the camera of a view, by the rule of the manifest: right, down and forward rows."""
    elevation, roll = np.pi / 4, float(batch["camera_roll_rad"][at])
    right, down = np.array([-1, 0, 0]), np.array([0, np.sin(elevation), -np.cos(elevation)])
    forward = np.array([0, -np.cos(elevation), -np.sin(elevation)])
    cosine, sine = np.cos(roll), np.sin(roll)
    return np.stack([cosine * right - sine * down, sine * right + cosine * down, forward])


POSED = [
    "points",
    "point_parts",
    "pose",
    "mask",
    "camera_distance",
    "camera_roll_rad",
    "principal_point_dx_px",
]


class TestPosedClouds:
    def test_points_of_assemblies_lie_on_their_parts_in_every_view(self, jointed: Dataset) -> None:
        batch = load_views(jointed, POSED)
        assert len(np.unique(batch["point_parts"])) > 1
        for at in range(0, len(batch["points"]), 3):
            row, view = int(batch["object_index"][at]), int(batch["view_index"][at])
            points = batch["points"][at, :40, :3]
            assert measure_distances(points, place_triangles(jointed, row, view)).max() < 1e-5

    @pytest.mark.parametrize("name", ["whole", "jointed"])
    def test_projected_points_fall_into_the_mask(self, name: str, request: pytest.FixtureRequest) -> None:
        dataset: Dataset = request.getfixturevalue(name)
        batch = load_views(dataset, POSED)
        shares: list[float] = []
        for at, points in enumerate(batch["points"]):
            pixels = np.floor(project(dataset, batch, at, points[:, :3])).astype(int)
            inside = ((pixels >= 0) & (pixels < 48)).all(axis=1)
            column, row = pixels[inside].T
            near = maximum_filter(batch["mask"][at, 0], size=3)  # a pixel shows the object at its center
            shares.append(near[row, column].mean())
        assert min(shares) > 0.98  # parts may be thinner than a pixel
        assert np.mean(shares) > 0.997

    def test_a_twin_has_the_mirror_image_of_every_point(self, jointed: Dataset) -> None:
        batch = load_views(jointed, ["object_points", "point_parts"])
        with jointed.open_split("train") as split:
            ids = list(split.object_ids)
        for row, name in enumerate(ids):
            if name.endswith("~mirrored"):
                own, twin = (
                    np.flatnonzero(batch["object_index"] == index)[0]
                    for index in (ids.index(name.removesuffix("~mirrored")), row)
                )
                mirrored = batch["object_points"][own] * np.float32([-1, 1, 1, -1, 1, 1])
                assert np.array_equal(batch["object_points"][twin], mirrored)
                assert np.array_equal(batch["point_parts"][twin], batch["point_parts"][own])

    def test_fewer_points_are_the_first_and_faults_are_labels(self, jointed: Dataset) -> None:
        every = load_views(jointed, ["points", "point_frames", "point_frame_valid"])
        first = load_views(jointed, ["points"], clouds=CloudOptions(num_points=50))
        assert np.array_equal(first["points"], every["points"][:, :50])
        normals = every["point_frames"][:, :, 2]
        assert np.allclose(normals, every["points"][..., 3:], atol=1e-6)
        faults = CloudOptions(corruption=PointCorruption(regions=2, dropout=0.1))
        names = ["points", "point_displacement", "point_quality", "point_mask", "corruption_radius"]
        corrupt = load_views(jointed, [*names, "cloud_quality"], clouds=faults)
        moved = every["points"][..., :3] + corrupt["point_displacement"][..., None] * every["points"][..., 3:]
        is_kept = corrupt["point_mask"] == 1
        assert np.allclose(corrupt["points"][is_kept, :3], moved[is_kept], atol=1e-6)
        assert corrupt["corruption_radius"].shape[1] == 2
        assert (corrupt["cloud_quality"] < 1).all()

    def test_the_same_whatever_makes_the_batches(self, jointed: Dataset) -> None:
        options = CloudOptions(num_points=64, corruption=PointCorruption(noise=0.01))
        fields = ["points", "point_quality", "point_frames", "cloud", "cloud_normals", "overlap", "transform"]

        def load(workers: int, skip: int = 0) -> list[dict[str, np.ndarray]]:
            config = BatchConfig(
                sampler=Pairs(2),
                batch_size=4,
                fields=fields,
                num_workers=workers,
                clouds=options,
                output="numpy",
            )
            loader = Loader(jointed.path_or_url, config)
            if skip:
                state = Loader(jointed.path_or_url, config)
                batches = iter(state)
                for _ in range(skip):
                    next(batches)
                loader.load_state_dict(state.state_dict())
            batches = [{name: array.copy() for name, array in batch.items()} for batch in loader]
            loader.close()
            return batches

        alone = load(0)
        for others in (load(2), load(0, skip=1)):
            for one, other in zip(alone[-len(others) :], others, strict=True):
                assert one.keys() == other.keys()
                assert all(np.array_equal(one[name], other[name]) for name in one)


class TestPartialClouds:
    FIELDS = ("cloud", "cloud_count", "cloud_normals", "cloud_coordinates", "cloud_parts", "mask", "parts")

    def test_points_are_where_their_coordinates_say(self, whole: Dataset) -> None:
        names = ["pose", "camera_distance", "camera_roll_rad"]
        batch = load_views(whole, [*self.FIELDS, *names], clouds=CloudOptions(num_points=300))
        for at, cloud in enumerate(batch["cloud"]):
            count = batch["cloud_count"][at]
            assert count == min(300, batch["mask"][at].sum())
            assert np.array_equal(cloud[count:], np.resize(cloud[:count], cloud.shape)[count:])
            assert len(np.unique(cloud[:count], axis=0)) == count
            pose, turn = batch["pose"][at].astype(float), compute_turn(batch, at)
            world = batch["cloud_coordinates"][at] @ pose[:3, :3].T + pose[:3, 3]
            exact = world @ turn.T + [0, 0, batch["camera_distance"][at]]
            assert np.linalg.norm(cloud - exact, axis=1).max() < DEPTH_ERROR + COORDINATE_ERROR < 1e-4
            assert np.allclose(np.linalg.norm(batch["cloud_normals"][at], axis=1), 1, atol=1e-6)
            assert ((batch["cloud_normals"][at] * cloud).sum(axis=1) < 0.05).all()  # turned to the camera
            assert not batch["cloud_parts"][at].any()

    def test_the_transform_aligns_the_clouds_of_two_views(self, whole: Dataset) -> None:
        """The second cloud, moved by the transform, lies where its coordinates say in the first camera."""
        fields = ["cloud", "cloud_coordinates", "transform", "pose", "camera_distance", "camera_roll_rad"]
        config = BatchConfig(sampler=Pairs(3), batch_size=9, fields=fields, output="numpy")
        batch = next(iter(Loader(whole.path_or_url, config)))
        for at in range(9):
            moved = batch["cloud_2"][at].astype(float) @ batch["transform"][at, :3, :3].T
            moved += batch["transform"][at, :3, 3]
            first = {name[:-2]: array for name, array in batch.items() if name.endswith("_1")}
            pose, turn = first["pose"][at].astype(float), compute_turn(first, at)
            world = batch["cloud_coordinates_2"][at] @ pose[:3, :3].T + pose[:3, 3]
            exact = world @ turn.T + [0, 0, first["camera_distance"][at]]
            assert np.linalg.norm(moved - exact, axis=1).max() < 1e-4

    def test_parts_are_those_of_the_picture_and_the_choice_can_be_spread(self, jointed: Dataset) -> None:
        uniform, farthest = (
            load_views(jointed, list(self.FIELDS), clouds=CloudOptions(num_points=40, choice=choice))
            for choice in ("uniform", "farthest")
        )
        for at in range(len(uniform["cloud"])):
            shown = uniform["parts"][at][uniform["mask"][at] == 1]
            for batch in (uniform, farthest):
                assert set(batch["cloud_parts"][at].tolist()) <= set(shown.tolist())
        assert measure_gaps(farthest["cloud"]).mean() > 1.5 * measure_gaps(uniform["cloud"]).mean()

    def test_pairs_are_found_by_their_overlap(self, whole: Dataset, tmp_path: Path) -> None:
        options = CloudOptions(num_points=200)
        for bins, low, high in ((("high",), 0.3, 1), (("low", "none"), 0, 0.3)):
            found = find_overlap_pairs(whole, "train", 4, bins=bins, clouds=options, tries=3)
            assert len(found.samples)
            assert ((found.overlap > low) | (low == 0)).all()
            assert (found.overlap <= high).all()
            assert (found.samples.views[:, 0] != found.samples.views[:, 1]).all()
            write_pairs(tmp_path / "pairs.json", found.samples, whole, "train")
            config = BatchConfig(
                sampler=Fixed(read_pairs(tmp_path / "pairs.json", whole)),
                batch_size=len(found.samples),
                fields=["overlap", "overlap_bin"],
                clouds=options,
                output="numpy",
            )
            batch = next(iter(Loader(whole.path_or_url, config)))
            assert np.array_equal(batch["overlap"], found.overlap)
            assert np.array_equal(batch["overlap_bin"], np.digitize(found.overlap, [0.1, 0.3], right=True))

    def test_a_view_that_shows_nothing_of_its_object_counts_as_unreadable(
        self, whole: Dataset, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        read = Split.read_output

        def hide(split: Split, row: int, view: int, output: str) -> np.ndarray:
            return read(split, row, view, output) * (view != 1)

        monkeypatch.setattr(Split, "read_output", hide)
        with pytest.raises(
            IntegrityError, match=r"view 1 of .* shows nothing of its object, .*max_corrupt_views"
        ):
            load_views(whole, ["cloud"])
        batch = load_views(whole, ["cloud"], max_corrupt_views=3)
        assert sorted(set(batch["view_index"].tolist())) == [0, 2, 3]

    def test_a_batch_may_leave_out_the_pictures(self, whole: Dataset) -> None:
        with_them, without = (load_views(whole, ["cloud"], pictures=flag) for flag in (True, False))
        assert "view" in with_them
        assert "view" not in without
        assert np.array_equal(with_them["cloud"], without["cloud"])


def test_what_is_computed_from_outputs_needs_neither_pictures_nor_their_fields(whole: Dataset) -> None:
    found = []
    for changes in ({}, {"pictures": False}, {"pictures": False, "fields": ["overlap", "cloud"]}):
        settings = {"fields": ["overlap"], "batch_size": 3, "seed": 4, "output": "numpy"} | changes
        found.append(
            next(iter(Loader(whole.path, BatchConfig(sampler=Pairs(), **settings))))["overlap"].copy()
        )
    assert (found[0] == found[1]).all()
    assert (found[0] == found[2]).all()
    assert found[0].max() > 0


def measure_gaps(clouds: np.ndarray) -> np.ndarray:
    """The distance from each point to its nearest neighbor."""
    distances = np.linalg.norm(clouds[:, :, None] - clouds[:, None], axis=-1)
    distances[:, np.arange(clouds.shape[1]), np.arange(clouds.shape[1])] = np.inf
    return distances.min(axis=-1)


def describe(**changes: Any) -> DataDescription:
    schema = load_recipe("3diebench").schema
    return DataDescription(
        schema, **{"outputs": ("mask", "depth"), "num_points": 64, "num_views": 50, **changes}
    )


@pytest.mark.parametrize(
    ("data", "name", "told"),
    [
        (describe(), "cloud_normals", "has no normals; render it with --outputs rgb,mask,depth,normals"),
        (describe(outputs=()), "overlap", "no mask and no depth; render it with --outputs rgb,mask,depth"),
        (describe(num_views=0), "cloud", "rendered during training have no partial clouds"),
        (describe(), "point_quality", "no faults unless they are asked for; give BatchConfig"),
        (describe(num_points=0), "point_frames", "no point clouds; render it with --points 2048"),
        (describe(max_parts=2), "points", "do not tell which part each point moves with; render it again"),
        (
            describe(clouds=CloudOptions(num_points=65)),
            "points",
            "num_points is 65, and .* have 64 points; give 64 or less, or render it with --points 65",
        ),
    ],
)
def test_what_data_lack_is_named(data: DataDescription, name: str, told: str) -> None:
    (message,) = explain_missing_fields([name], data, 2)
    with pytest.raises(InvalidInputError, match=told):
        resolve_fields([name], data, 2)
    assert message.startswith(f"no {name}: ")


def test_the_points_of_assemblies_at_rest_can_be_had_of_every_version() -> None:
    assert explain_missing_fields(["object_points"], describe(max_parts=2), 2) == ()
