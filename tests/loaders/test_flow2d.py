"""Objects that move over a torus: every frame against a roll of what is stored, from any workers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.support.batches import all_equal, described
from tests.support.masked_sets import make_masked_dataset
from turntable.datasets import Dataset, Split
from turntable.datasets.files import decode_jpeg
from turntable.errors import InvalidInputError
from turntable.loaders import (
    Augmentation,
    BatchConfig,
    Flow2d,
    FlowMotion,
    Loader,
    Pairs,
    RandomCrops,
    Sequences,
    Singles,
    list_velocities,
)

SIZE, NUM_OBJECTS = 16, 9
GRAY = (40, 50, 60)


@pytest.fixture(scope="module")
def masked(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Sequences of four views with a box as mask."""
    return make_masked_dataset(tmp_path_factory.mktemp("masked"), NUM_OBJECTS, SIZE)


def cut_out(split: Split, row: int, view: int, color: tuple[int, int, int]) -> np.ndarray:
    """Read a view with the color in place of all that is not the object, int [S, S, 3]."""
    picture = decode_jpeg(split.read_jpeg(row, view)).astype(int)
    return np.where(split.read_output(row, view, "mask")[..., None] > 0, picture, np.array(color))


def roll(image: np.ndarray, right_and_down: np.ndarray) -> np.ndarray:
    return np.roll(image, tuple(right_and_down[::-1]), axis=(0, 1))


def test_frames_are_rolls_of_the_object_that_is_cut_out(masked: Dataset) -> None:
    motion = FlowMotion(num_frames=7, background=GRAY)
    config = BatchConfig(batch_size=3, output="numpy")
    moved = 0
    with masked.open_split("train") as split:
        for batch in Flow2d(masked.path, config, motion):
            assert batch["frames"].shape == (3, 7, SIZE, SIZE, 3)
            for row in range(3):
                position, velocity = batch["position_px"][row, 0], batch["velocity_px"][row, 0]
                still = cut_out(split, batch["object_index"][row, 0], batch["view_index"][row, 0], GRAY)
                for time, frame in enumerate(batch["frames"][row]):
                    assert np.array_equal(frame, roll(still, position + time * velocity))
                assert (velocity != 0).any() == (batch["frames"][row, 0] != batch["frames"][row, 1]).any()
                moved += bool((velocity != 0).any())
    assert moved > 5


def test_two_objects_are_added_and_each_has_its_motion(masked: Dataset) -> None:
    motion = FlowMotion(num_frames=5, objects=2, background=GRAY)
    seen = []
    with masked.open_split("train") as split:
        for batch in Flow2d(masked.path, BatchConfig(batch_size=3, output="numpy"), motion):
            assert batch["category"].shape == batch["object_index"].shape == (3, 2)
            for row in range(3):
                objects, views = batch["object_index"][row], batch["view_index"][row]
                seen.append(objects.tolist())
                stills = [
                    cut_out(split, *at, GRAY) - np.array(GRAY) for at in zip(objects, views, strict=True)
                ]
                for time, frame in enumerate(batch["frames"][row]):
                    places = batch["position_px"][row] + time * batch["velocity_px"][row]
                    total = GRAY + sum(map(roll, stills, places))
                    assert np.array_equal(frame, np.clip(total, 0, 255))
    firsts, seconds = zip(*seen, strict=True)
    assert sorted(firsts) == sorted(seconds) == list(range(NUM_OBJECTS))
    assert all(first != second for first, second in seen)


def test_a_sequence_is_panned(masked: Dataset) -> None:
    motion = FlowMotion(num_frames=4, velocities=list_velocities(2, 1), cut_out=False)
    config = BatchConfig(
        sampler=Sequences(4), batch_size=3, output="numpy", fields=["rotation", "relative_rotation"]
    )
    batch = next(iter(Flow2d(masked.path, config, motion)))
    assert batch["rotation"].shape == (3, 1, 4, 3, 3)
    assert batch["relative_rotation"].shape == (3, 1, 3, 3, 3)
    assert batch["view_index"].shape == (3, 1, 4)
    with masked.open_split("train") as split:
        for row in range(3):
            for time, view in enumerate(batch["view_index"][row, 0].tolist()):
                picture = decode_jpeg(split.read_jpeg(batch["object_index"][row, 0], view))
                place = batch["position_px"][row, 0] + time * batch["velocity_px"][row, 0]
                assert np.array_equal(batch["frames"][row, time], roll(picture, place))


def test_a_disc_and_a_larger_torus(masked: Dataset) -> None:
    wide = FlowMotion(num_frames=30, canvas_px=24, random_positions=False, velocities=[(3, -1)])
    config = BatchConfig(batch_size=3, output="numpy")
    plain = next(iter(Flow2d(masked.path, config, wide)))
    assert plain["frames"].shape == (3, 30, 24, 24, 3)
    assert not plain["position_px"].any()
    assert np.array_equal(plain["velocity_px"], np.full((3, 1, 2), (3, -1)))
    assert np.array_equal(plain["frames"][:, 8], np.roll(plain["frames"][:, 0], (-8, 24), axis=(1, 2)))
    assert np.array_equal(plain["frames"][:, 24], plain["frames"][:, 0])  # all around
    view = replace(wide, disc=True, background=(7, 8, 9))
    frames = next(iter(Flow2d(masked.path, config, view)))["frames"]
    y, x = np.mgrid[:24, :24] - 11.5
    outside = x**2 + y**2 > 12**2
    assert (frames[:, :, outside] == (7, 8, 9)).all()
    assert outside.sum() == pytest.approx(24**2 * (1 - np.pi / 4), rel=0.1)
    whole = next(iter(Flow2d(masked.path, config, replace(view, disc=False))))["frames"]
    assert np.array_equal(frames[:, :, ~outside], whole[:, :, ~outside])
    assert (whole[:, :, outside] != (7, 8, 9)).any()


def test_fields_shapes_and_types(masked: Dataset) -> None:
    config = BatchConfig(batch_size=4, fields=["rotation", "mask"])
    batch = next(iter(Flow2d(masked.path, config, FlowMotion(objects=2))))
    assert described(batch) == {
        "frames": ((4, 20, 3, SIZE, SIZE), torch.uint8),
        "view_index": ((4, 2), torch.int64),
        "mask": ((4, 2, 1, SIZE, SIZE), torch.uint8),
        "rotation": ((4, 2, 3, 3), torch.float32),
        "category": ((4, 2), torch.int64),
        "object_index": ((4, 2), torch.int64),
        "velocity_px": ((4, 2, 2), torch.int64),
        "position_px": ((4, 2, 2), torch.int64),
    }
    assert batch["frames"].stride()[-3] == 1  # channels last
    assert "mask" not in next(iter(Flow2d(masked.path, replace(config, fields=None))))


@pytest.mark.parametrize("objects", [1, 2])
def test_the_same_frames_from_any_workers_engine_and_ranks(masked: Dataset, objects: int) -> None:
    motion = FlowMotion(num_frames=3, objects=objects)
    config = BatchConfig(sampler=Singles(2), batch_size=4, seed=7, last_batch="pad")
    alone = list(Flow2d(masked.path, config, motion))
    assert len(alone) == 5
    assert alone[-1]["padding"].tolist() == [False, False, True, True]
    for engine in ("ring", "dataloader"):
        working = Flow2d(masked.path, replace(config, num_workers=2), motion, engine=engine)
        assert all_equal(alone, list(working))
        working.close()
    ranks = [list(Flow2d(masked.path, replace(config, rank=rank, world_size=2), motion)) for rank in (0, 1)]
    joined = [{name: torch.cat([a[name], b[name]]) for name in a} for a, b in zip(*ranks, strict=True)]
    assert all_equal(alone, joined)

    begun = Flow2d(masked.path, config, motion)
    batches = iter(begun)
    next(batches)
    state = begun.state_dict()
    resumed = Flow2d(masked.path, config, motion)
    resumed.load_state_dict(state)
    assert all_equal(alone[1:], list(resumed))
    one = begun.load_batch(0, np.array([5]))
    assert all(torch.equal(one[name][0], alone[1][name][1]) for name in one)
    later = [batch["velocity_px"] for batch in resumed.iter_batches(1)]
    assert not torch.equal(later[0], alone[0]["velocity_px"])
    with pytest.raises(InvalidInputError, match="the state is of another split, sampler"):
        Flow2d(masked.path, config, replace(motion, num_frames=4)).load_state_dict(state)
    with pytest.raises(InvalidInputError, match="the state is of another split, sampler"):
        Loader(masked.path, config).load_state_dict(state)


def test_two_objects_of_a_sample_lie_within_a_window(masked: Dataset) -> None:
    config = BatchConfig(sampler=Singles(3), batch_size=9)
    loader = Flow2d(masked.path, config, FlowMotion(num_frames=1, objects=2), window_shards=1)
    pairs = torch.cat([batch["object_index"] for batch in loader]).numpy()
    order = loader.get_samples(0).objects
    assert np.array_equal(pairs[:, 0], order)
    # A window has 9 samples, so the other object is at most 4 samples further.
    assert any(np.array_equal(pairs[:, 1], np.roll(order, -distance)) for distance in range(1, 5))


def test_velocities_are_drawn_evenly_and_held_out_ones_are_others() -> None:
    seen, held_out = list_velocities(2), list_velocities(4, 3)
    assert len(seen) == 25
    assert len(held_out) == 81 - 25
    assert not set(seen) & set(held_out)
    drawn = FlowMotion(velocities=list_velocities(1)).draw_parameters(0, 0, np.arange(9000), 10)
    pairs, counts = np.unique(drawn["velocity_px"], axis=0, return_counts=True)
    assert len(pairs) == 9
    assert np.abs(counts - 1000).max() < 120
    assert set(drawn["position_px"].ravel().tolist()) == set(range(10))
    part = FlowMotion(velocities=list_velocities(1)).draw_parameters(0, 0, np.array([8000, 3]), 10)
    assert all(np.array_equal(part[name], drawn[name][[8000, 3]]) for name in part)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FlowMotion(num_frames=0), "FlowMotion.num_frames 0: must be at least 1"),
        (lambda: FlowMotion(objects=3), "FlowMotion.objects 3: must be 1 or 2"),
        (lambda: FlowMotion(objects=2, cut_out=False), "whole pictures cannot be superposed"),
        (lambda: FlowMotion(velocities=[]), r"FlowMotion.velocities \[\]: give a list of pairs"),
        (lambda: FlowMotion(velocities=[(1.5, 0)]), "pairs of whole numbers"),  # type: ignore[list-item]
        (lambda: FlowMotion(background=(0, 0, 999)), "FlowMotion.background .*from 0 to 255"),
        (lambda: list_velocities(1, 2), "min_px 2: must be at most max_px, which is 1"),
    ],
)
def test_a_motion_that_cannot_be_right_is_refused(make, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        make()


@pytest.mark.parametrize(
    ("settings", "motion", "message"),
    [
        ({"sampler": Pairs()}, {}, r"Flow2d moves one view, with Singles\(\) or Views\(\), or the views"),
        ({"sampler": Sequences(4)}, {}, r"has 4 views for 20 frames; give FlowMotion\(num_frames=4\)"),
        ({"augmentation": Augmentation.simclr()}, {}, "leave augmentation and crops out"),
        ({"crops": [RandomCrops()]}, {}, "Flow2d composes frames of pictures as they are stored"),
        ({}, {"canvas_px": 15}, "canvas_px 15: the pictures have 16 px; give a larger canvas"),
        ({"batch_size": 20}, {}, "9 samples do not fill a batch of 20"),
    ],
)
def test_a_loader_that_cannot_be_right_is_refused(masked: Dataset, settings, motion, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        Flow2d(masked.path, BatchConfig(**{"batch_size": 2, **settings}), FlowMotion(**motion))


def test_a_set_without_masks_is_refused_with_what_has_them(dataset: Dataset, masked: Dataset) -> None:
    with pytest.raises(InvalidInputError, match=r"no mask in this data set, .*--outputs rgb,mask"):
        Flow2d(dataset.path, BatchConfig(batch_size=2))
    pictures = Flow2d(dataset.path, BatchConfig(batch_size=2), FlowMotion(cut_out=False))
    assert next(iter(pictures))["frames"].shape == (2, 20, 3, 16, 16)
    with pytest.raises(InvalidInputError, match="motion 3: give a FlowMotion"):
        Flow2d(masked.path, BatchConfig(batch_size=2), 3)  # type: ignore[arg-type]


def test_sets_without_pictures_are_refused(tmp_path: Path) -> None:
    bare = make_masked_dataset(tmp_path, 3, outputs=[])
    with pytest.raises(InvalidInputError, match="has no pictures that could move; render with --outputs rgb"):
        Flow2d(bare.path, BatchConfig(batch_size=2), FlowMotion(cut_out=False))
    with pytest.raises(
        InvalidInputError, match="the crops are cut out of pictures, and this data set has none"
    ):
        Loader(bare.path, BatchConfig(batch_size=2, crops=[RandomCrops()]))
    with pytest.raises(
        InvalidInputError, match="the augmentation changes pictures, and this data set has none"
    ):
        Loader(bare.path, BatchConfig(batch_size=2, augmentation=Augmentation.simclr()))


def test_nothing_is_held_in_the_memory_of_workers(masked: Dataset, tmp_path: Path) -> None:
    """Frames are new memory: batches that are kept stay as they are."""
    loader = Flow2d(masked.path, BatchConfig(sampler=Singles(4), batch_size=2, num_workers=1), FlowMotion(2))
    kept = list(loader)
    loader.close()
    alone = list(Flow2d(masked.path, BatchConfig(sampler=Singles(4), batch_size=2), FlowMotion(2)))
    assert all_equal(kept, alone)
