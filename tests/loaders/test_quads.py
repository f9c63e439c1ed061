"""Quads and edges in loaders: every relation is checked again from the labels, by scipy's rotations."""

import math
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from turntable.datasets import Dataset
from turntable.datasets.relations import RelationRule, find_edges
from turntable.errors import InvalidInputError
from turntable.loaders import (
    BatchConfig,
    Edges,
    Fixed,
    Loader,
    Pairs,
    Quads,
    Samples,
    Sequences,
    Singles,
    Tuples,
    select_all_views,
    write_pairs,
)
from turntable.loaders.engines import Prefetcher
from turntable.testing.datasets import make_full_dataset, make_synthetic_dataset


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """A set whose objects share eight rotations, with hues of their own."""
    return make_synthetic_dataset(
        tmp_path_factory.mktemp("bank"), 24, 3, num_views=8, image_size=8, pose_bank=8, points=4
    )


@pytest.fixture(scope="module")
def moving(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """A set with two sequences of four views for each object."""
    return make_full_dataset(tmp_path_factory.mktemp("moving"))


def draw(dataset: Dataset, sampler: Quads, seed: int = 0, epoch: int = 0) -> Samples:
    with dataset.open_split("train") as split:
        selection = select_all_views([split.num_objects], split.num_views)
        return sampler.draw_samples(sampler.prepare(selection, split), None, seed, epoch)


def compute_angles(dataset: Dataset, samples: Samples, first: int, second: int) -> np.ndarray:
    """Return the angles in degrees between the rotations of two places of each sample, by scipy."""
    with dataset.open_split("train") as split:
        labels = split.labels[samples.view_objects, samples.views].astype(np.float64)
    rotations = [Rotation.from_euler("xyz", labels[:, place, :3]) for place in (first, second)]
    return np.degrees((rotations[0].inv() * rotations[1]).magnitude())


def get_categories(dataset: Dataset, samples: Samples) -> np.ndarray:
    with dataset.open_split("train") as split:
        return split.category_indices[samples.objects]


@pytest.mark.parametrize("rule", [RelationRule(), RelationRule((40, 120), inter_deg=25.5)])
def test_every_quad_meets_its_rule(bank: Dataset, rule: RelationRule) -> None:
    samples = draw(bank, Quads(rule, visits=300))
    assert len(samples) > 5000
    assert (samples.objects[:, 0] == samples.objects[:, 1]).all()
    assert (samples.objects[:, 2] == samples.objects[:, 3]).all()
    assert (samples.objects[:, 0] != samples.objects[:, 2]).all()
    categories = get_categories(bank, samples)
    assert (categories == categories[:, :1]).all()
    low, high = rule.intra_deg
    for first, second in ((0, 1), (2, 3)):
        angles = compute_angles(bank, samples, first, second)
        assert angles.min() >= low - 1e-4
        assert angles.max() <= high + 1e-4
    assert compute_angles(bank, samples, 0, 2).max() <= rule.inter_deg + 2e-4
    for first, second in ((1, 2), (0, 3)):  # transitive pairs, by the triangle inequality
        assert compute_angles(bank, samples, first, second).min() >= low - rule.inter_deg - 1e-3


def test_all_that_fits_is_drawn_equally_often(bank: Dataset) -> None:
    """The draws are compared with a list of all quads of one view A, made by brute force."""
    rule = RelationRule((60, 180), inter_deg=20)
    samples = draw(bank, Quads(rule, visits=6000))
    object_a, view_a = samples.objects[0, 0], samples.views[0, 0]
    here = (samples.objects[:, 0] == object_a) & (samples.views[:, 0] == view_a)
    mine = samples[np.flatnonzero(here)]
    with bank.open_split("train") as split:
        rotations = Rotation.from_euler("xyz", split.labels[..., :3].reshape(-1, 3).astype(np.float64))
        categories, num_views = split.category_indices, split.num_views
    others = np.arange(len(categories) * num_views)
    a = object_a * num_views + view_a
    angles = np.degrees((rotations[a].inv() * rotations).magnitude())
    intra = {int(n) for n in others if n // num_views == object_a and 60 <= angles[n] <= 180}
    movable = {
        int(n)
        for n in others
        if any(
            60 <= np.degrees((rotations[n].inv() * rotations[m]).magnitude()) <= 180
            for m in range(n - n % num_views, n - n % num_views + num_views)
        )
    }
    inter = {
        n
        for n in movable
        if n // num_views != object_a
        and categories[n // num_views] == categories[object_a]
        and angles[n] <= 20
    }
    for place, expected in ((1, intra), (2, inter)):
        drawn = mine.objects[:, place] * num_views + mine.views[:, place]
        values, counts = np.unique(drawn, return_counts=True)
        assert set(values.tolist()) == expected
        mean = len(mine) / len(expected)
        assert np.abs(counts - mean).max() < 5 * math.sqrt(mean)


def test_the_draws_are_those_of_the_seed(bank: Dataset) -> None:
    assert draw(bank, Quads(), seed=1, epoch=2).digest == draw(bank, Quads(), seed=1, epoch=2).digest
    digests = {draw(bank, Quads(), seed, epoch).digest for seed in range(3) for epoch in range(3)}
    assert len(digests) == 9
    # A run that resumes under a later version must go on with the same quads.
    samples = draw(bank, Quads())
    assert samples.digest[:16] == QUADS_DIGEST


QUADS_DIGEST = "7c695feb8bf7621e"


def test_bounds_keep_factors_close(bank: Dataset) -> None:
    rule = RelationRule(inter_deg=90, bounds={"light_hue": 0.1})  # pyright: ignore[reportArgumentType]
    samples = draw(bank, Quads(rule, visits=40))
    with bank.open_split("train") as split:
        hue = split.labels[..., split.manifest.schema.get_column("light_hue")].astype(np.float64)
    hue_a, hue_b = (hue[samples.objects[:, place], samples.views[:, place]] for place in (0, 2))
    turn = np.abs(hue_a - hue_b)
    assert np.minimum(turn, 1 - turn).max() <= 0.1
    assert turn.max() > 0.5  # the circle is closed


def test_frames_of_a_sequence(moving: Dataset) -> None:
    samples = draw(moving, Quads(RelationRule(consecutive=2, inter_deg=60), visits=20))
    views = samples.views
    assert (views[:, 1] == views[:, 0] + 2).all()
    assert (views[:, 3] == views[:, 2] + 2).all()
    assert (views[:, 0] // 4 == views[:, 1] // 4).all()


def test_a_batch_has_each_views_object_and_the_angles(bank: Dataset) -> None:
    fields = ["view_angles_rad", "rotation", "relative_angle_rad", "object_points", "points"]
    config = BatchConfig(sampler=Quads(visits=2), batch_size=6, fields=fields, output="numpy")
    loader = Loader(bank.path, config)
    samples = loader.get_samples(0)
    batch = next(iter(loader))
    assert batch["views"].shape == (6, 4, 8, 8, 3)
    assert np.array_equal(batch["object_index"], samples.objects[:6])
    assert np.array_equal(batch["view_index"], samples.views[:6])
    assert np.array_equal(batch["category"], get_categories(bank, samples)[:6])
    angles = np.degrees(batch["view_angles_rad"])
    for first in range(4):
        for second in range(4):
            expected = compute_angles(bank, samples[:6], first, second)
            assert np.allclose(angles[:, first, second], expected, atol=1e-3)
    steps = np.stack([batch["view_angles_rad"][:, n, n + 1] for n in range(3)], axis=1)
    assert np.allclose(steps, batch["relative_angle_rad"], atol=1e-5)
    with bank.open_split("train") as split:
        for sample, (rows, views) in enumerate(zip(samples.objects[:6], samples.views[:6], strict=True)):
            for place, (row, view) in enumerate(zip(rows.tolist(), views.tolist(), strict=True)):
                cloud = split.read_points(row)
                turn = split.manifest.schema.compute_rotations(split.labels[row, view])
                assert np.array_equal(batch["object_points"][sample, place], cloud)
                assert np.allclose(batch["points"][sample, place, :, :3], cloud[:, :3] @ turn.T, atol=1e-6)


def test_other_samples_have_the_angles_too(moving: Dataset) -> None:
    for sampler, num_views in ((Pairs(), 2), (Tuples(3), 3), (Sequences(4), 4)):
        config = BatchConfig(sampler=sampler, batch_size=4, fields=["view_angles_rad", "relative_angle_rad"])
        batch = next(iter(Loader(moving.path, config)))
        angles, steps = batch["view_angles_rad"], batch["relative_angle_rad"].reshape(4, -1)
        assert angles.shape == (4, num_views, num_views)
        assert (angles == angles.mT).all()
        assert angles.diagonal(offset=1, dim1=1, dim2=2).allclose(steps, atol=1e-6)
    with pytest.raises(InvalidInputError, match="view_angles_rad: they need two views"):
        Loader(moving.path, BatchConfig(sampler=Singles(), batch_size=4, fields=["view_angles_rad"]))


@pytest.mark.parametrize("engine", ["ring", "dataloader"])
def test_workers_ranks_and_resumes_change_nothing(bank: Dataset, engine) -> None:
    def make(**changes) -> Loader:
        config = BatchConfig(sampler=Quads(), batch_size=4, fields=["view_angles_rad"], **changes)
        return Loader(bank.path, config, engine=engine)

    alone = [{name: value.clone() for name, value in batch.items()} for batch in make()]
    with_workers = make(num_workers=2)
    for expected, batch in zip(alone, with_workers, strict=True):
        assert all((expected[name] == batch[name]).all() for name in expected)
    with_workers.close()
    halves = [make(rank=rank, world_size=2) for rank in range(2)]
    for expected, first, second in zip(alone, *halves, strict=True):
        assert all((expected[name][:2] == first[name]).all() for name in expected)
        assert all((expected[name][2:] == second[name]).all() for name in expected)
    stopped, resumed = make(), make()
    next(iter(stopped))
    resumed.load_state_dict(stopped.state_dict())
    assert (next(iter(resumed))["object_index"] == alone[1]["object_index"]).all()


def test_shards_of_all_views_are_fetched_ahead(
    http_server, bank: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[np.ndarray] = []
    reached: list[int] = []

    class Spy(Prefetcher):
        def __init__(self, fetch, shards) -> None:
            asked.append(shards)
            super().__init__(fetch, shards, num_ahead=1)

        def advance_to(self, position: int) -> None:
            reached.append(position)
            super().advance_to(position)

    monkeypatch.setattr("turntable.loaders.loader.Prefetcher", Spy)
    url = http_server(bank.path.parent).url
    config = BatchConfig(sampler=Quads(), batch_size=6, fields=["view_angles_rad"], output="numpy")
    remote = Loader(f"{url}/{bank.path.name}", config, cache=tmp_path / "cache", window_shards=1)
    stored = Loader(bank.path, config, window_shards=1)
    for expected, batch in zip(stored, remote, strict=True):
        assert all(np.array_equal(expected[name], batch[name]) for name in expected)
    # One shard for each view, in their order; the objects of four stand in one shard.
    assert asked[0].tolist() == (remote.get_samples(0).objects.ravel() // 4).tolist()
    assert reached == [6 * 4 - 1, 12 * 4 - 1, 18 * 4 - 1]


def test_objects_without_a_partner_are_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    # 25 objects of 8 categories: after the split some category has one object alone.
    dataset = make_synthetic_dataset(tmp_path, 9, 6, num_views=6, image_size=8, pose_bank=6)
    with dataset.open_split("train") as split:
        counts = np.bincount(split.category_indices, minlength=6)
    loader = Loader(dataset.path, BatchConfig(sampler=Quads(), batch_size=1, fields=[]))
    paired = int(counts[counts > 1].sum())
    assert loader.num_objects == paired == loader.num_samples
    assert 0 < paired < counts.sum()
    assert f"{counts.sum() - paired} of {counts.sum()} objects of train have no view of a quad" in caplog.text


def test_what_cannot_be_drawn_is_refused(moving: Dataset, bank: Dataset, dataset: Dataset) -> None:
    def load(place: Dataset, rule: RelationRule, **changes) -> None:
        Loader(place.path, BatchConfig(sampler=Quads(rule), batch_size=1, **changes))

    with pytest.raises(InvalidInputError, match=r"pose_bank.*recipe 'shared-poses'.*more views.*inter_deg"):
        load(dataset, RelationRule(inter_deg=0.01))
    with pytest.raises(InvalidInputError, match="two views that are 179 to 180 degrees apart"):
        load(dataset, RelationRule((179, 180)))
    with pytest.raises(
        InvalidInputError, match=r"consecutive=1: this data set has no sequences.*'sequences'"
    ):
        load(bank, RelationRule(consecutive=1))
    with pytest.raises(InvalidInputError, match="sequences of 4 views"):
        load(moving, RelationRule(consecutive=4))
    with pytest.raises(InvalidInputError, match="no factor 'camera_distance'; they have"):
        load(bank, RelationRule(bounds=(("camera_distance", 0.1),)))
    with pytest.raises(InvalidInputError, match="Quads draws from a selection with labels"):
        Quads().draw_samples(select_all_views([3], 4), None, 0, 0)
    with pytest.raises(InvalidInputError, match=r"Quads.rule 15"):
        Quads(15)  # pyright: ignore[reportArgumentType]
    with pytest.raises(InvalidInputError, match=r"Quads.visits 0"):
        Quads(visits=0)


def test_a_damaged_view_is_replaced_by_one_of_its_object(tmp_path: Path) -> None:
    dataset = make_synthetic_dataset(tmp_path, 8, 1, num_views=4, image_size=8, pose_bank=4)
    with dataset.open_split("train") as split:
        jpeg = split.read_jpeg(1, 2)
    for shard in tmp_path.rglob("*.tar"):
        shard.write_bytes(shard.read_bytes().replace(jpeg, bytes(len(jpeg))))
    config = BatchConfig(
        sampler=Quads(visits=4), batch_size=8, fields=["view_angles_rad"], max_corrupt_views=1, output="numpy"
    )
    loader, seen = Loader(tmp_path, config), 0
    samples = loader.get_samples(0)
    for number, batch in enumerate(loader):
        asked = samples[np.arange(number * 8, number * 8 + 8)]
        damaged = (asked.objects == 1) & (asked.views == 2)
        seen += int(damaged.sum())
        assert np.array_equal(batch["object_index"], asked.objects)
        assert np.array_equal(batch["view_index"] != asked.views, damaged)
        shown = Samples(batch["object_index"], batch["view_index"])
        angles = compute_angles(dataset, shown, 0, 1)
        assert np.allclose(np.degrees(batch["view_angles_rad"][:, 0, 1]), angles, atol=1e-3)
    assert seen
    assert list(loader.corrupt_views) == [(1, 2)]


def test_edges_are_pairs_of_two_objects(bank: Dataset) -> None:
    edges = find_edges(bank, "train", RelationRule(inter_deg=0), kinds=["inter"])
    config = BatchConfig(sampler=Edges(edges), batch_size=5, fields=["relative_angle_rad", "rotation"])
    loader = Loader(bank.path, config)
    assert loader.num_samples == len(edges)
    samples = loader.get_samples(0)
    pairs = np.concatenate([samples.objects, samples.views], axis=1).tolist()
    assert sorted(pairs) == sorted(np.concatenate([edges.objects, edges.views], axis=1).tolist())
    assert pairs != np.concatenate([edges.objects, edges.views], axis=1).tolist()
    batch = next(iter(loader))
    assert batch["object_index_1"].tolist() == samples.objects[:5, 0].tolist()
    assert batch["object_index_2"].tolist() == samples.objects[:5, 1].tolist()
    assert (batch["category_1"] == batch["category_2"]).all()
    assert (batch["rotation_1"] == batch["rotation_2"]).all()
    assert batch["relative_angle_rad"].max() < 1e-3
    ordered = Loader(bank.path, BatchConfig(sampler=Edges(edges, shuffled=False), batch_size=5))
    assert ordered.get_samples(3).objects.tolist() == edges.objects.tolist()
    with pytest.raises(InvalidInputError, match="a view of one is left out by the filter"):
        Loader(bank.path, config, where="floor_hue < 0.3")
    with pytest.raises(InvalidInputError, match=r"belong to train .* not to val"):
        Loader(bank.path, BatchConfig(sampler=Edges(edges), split="val", batch_size=1))
    with pytest.raises(InvalidInputError, match=r"Edges.edges 3: give an EdgeList"):
        Edges(3)  # pyright: ignore[reportArgumentType]


def test_fixed_samples_may_have_several_objects(bank: Dataset, tmp_path: Path) -> None:
    quads = draw(bank, Quads())[:8]
    loader = Loader(bank.path, BatchConfig(sampler=Fixed(quads), batch_size=8, fields=[]))
    batch = next(iter(loader))
    assert batch["object_index"].tolist() == quads.objects.tolist()
    with pytest.raises(InvalidInputError, match="kept by write_edges"):
        write_pairs(tmp_path / "quads.json", quads, bank, "train")
    with pytest.raises(InvalidInputError, match="give one object for each view"):
        Samples(np.zeros((2, 3), np.int64), np.zeros((2, 4), np.int64))
