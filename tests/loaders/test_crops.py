"""Several crops of a view: their boxes, their pixels against an independent resampling, and their labels."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from scipy import stats

from tests.support.batches import all_equal, described
from turntable.datasets import Dataset
from turntable.datasets.files import decode_jpeg
from turntable.errors import InvalidInputError
from turntable.loaders import Augmentation, BatchConfig, GridCrops, Loader, Pairs, RandomCrops, Singles, Views
from turntable.loaders.augment import augment, augment_batch, get_parameters
from turntable.loaders.draws import CropRule
from turntable.testing.datasets import make_synthetic_dataset

CROPS = (RandomCrops(2, 12, scale=(0.2, 0.6)), GridCrops(5, 6, jitter_px=2, area_px=16))
NAMES = ("seed", "epoch", "0")


@dataclass(frozen=True)
class FixedCrops:
    """The same boxes in every sample, top, left, height and width as shares of the sides."""

    boxes: tuple[tuple[float, float, float, float], ...]
    size_px: int
    view: int = 1

    @property
    def count(self) -> int:
        return len(self.boxes)

    def draw_shares(self, names: tuple[str, ...], positions: np.ndarray) -> np.ndarray:
        return np.broadcast_to(np.array(self.boxes), (len(positions), self.count, 4))


def load(dataset: Dataset, crops: tuple[CropRule, ...], **changes: object) -> list[dict[str, torch.Tensor]]:
    settings = {"sampler": Views(shuffled=False), "batch_size": 4, "fields": (), **changes}
    return list(Loader(dataset.path, BatchConfig(crops=crops, **settings)))  # type: ignore[arg-type]


def resample(image: np.ndarray, box: np.ndarray, size: int) -> np.ndarray:
    """Cut and resize one image [H, W, 3]: the mean of the pixels near each pixel, by triangles."""
    weights = []
    for start, length in zip(box[:2], box[2:], strict=True):
        scale = length / size
        centers = start + (np.arange(size) + 0.5) * scale
        distances = np.abs(np.arange(len(image)) + 0.5 - centers[:, None]) / max(scale, 1.0)
        triangle = np.maximum(0, 1 - distances)
        weights.append(triangle / triangle.sum(1, keepdims=True))
    return np.einsum("ih,jw,hwc->ijc", weights[0], weights[1], image)


def test_crops_are_pixels_of_the_stored_view(dataset: Dataset) -> None:
    for batch in load(dataset, CROPS, image_size=8, output="numpy"):
        with dataset.open_split("train") as split:
            for row, (owner, view) in enumerate(
                zip(batch["object_index"].tolist(), batch["view_index"].tolist(), strict=True)
            ):
                stored = decode_jpeg(split.read_jpeg(owner, view)).astype(float)
                for name, rule in zip(("crops_0", "crops_1"), CROPS, strict=True):
                    for crop, box in zip(batch[name][row], batch[f"{name}_box"][row], strict=True):
                        expected = resample(stored, box.astype(float), rule.size_px)
                        assert np.abs(crop - expected).max() <= 1.0  # Pillow rounds twice


def test_boxes_of_whole_pixels_are_those_pixels(dataset: Dataset) -> None:
    rule = FixedCrops(((0.25, 0.5, 0.5, 0.5), (0, 0, 0.5, 0.5)), 8)
    batch = load(dataset, (rule,))[0]
    assert torch.equal(batch["crops_0"][:, 0], batch["view"][..., 4:12, 8:16])
    assert torch.equal(batch["crops_0"][:, 1], batch["view"][..., :8, :8])
    assert batch["crops_0_box"][0].tolist() == [[4, 8, 8, 8], [0, 0, 8, 8]]


def test_fields_of_one_view_and_of_another_view_of_the_object(dataset: Dataset) -> None:
    """Both ways of OBoW: the teacher sees the whole view, the student crops of it or of another view."""
    same = load(dataset, CROPS, sampler=Singles())[0]
    expected = {
        "view": ((4, 3, 16, 16), torch.uint8),
        "crops_0": ((4, 2, 3, 12, 12), torch.uint8),
        "crops_0_box": ((4, 2, 4), torch.float32),
        "crops_1": ((4, 5, 3, 6, 6), torch.uint8),
        "crops_1_box": ((4, 5, 4), torch.float32),
    }
    assert {name: shape for name, shape in described(same).items() if name in expected} == expected
    other = FixedCrops(((0, 0, 1, 1),), 16, view=2)
    pairs = load(dataset, (other,), sampler=Pairs())[0]
    assert torch.equal(pairs["crops_0"][:, 0], pairs["view_2"])
    assert not torch.equal(pairs["view_1"], pairs["view_2"])
    assert "crops_0_1" not in pairs
    with pytest.raises(InvalidInputError, match=r"crops\[0\] are of view 2, and a sample has 1; .*Pairs"):
        load(dataset, (other,))


def test_the_same_crops_from_any_workers_and_ranks(dataset: Dataset) -> None:
    config = BatchConfig(
        sampler=Pairs(),
        batch_size=4,
        crops=(*CROPS, RandomCrops(1, 8, view=2)),
        augmentation=Augmentation.simclr(),
        seed=3,
    )
    alone = list(Loader(dataset.path, config))
    with_workers = Loader(dataset.path, replace(config, num_workers=2))
    assert all_equal(
        alone, [{name: value.clone() for name, value in batch.items()} for batch in with_workers]
    )
    with_workers.close()
    ranks = [list(Loader(dataset.path, replace(config, rank=rank, world_size=2))) for rank in (0, 1)]
    joined = [{name: torch.cat([a[name], b[name]]) for name in a} for a, b in zip(*ranks, strict=True)]
    assert all_equal(alone, joined)
    resumed = Loader(dataset.path, config)
    assert all_equal(alone[1:], list(resumed.iter_batches(0, 1)))
    again = list(resumed.iter_batches(1))
    assert not torch.equal(again[0]["crops_0_box"], alone[0]["crops_0_box"])


def test_unreadable_views_are_replaced_in_crops_too(dataset: Dataset, tmp_path) -> None:
    copy = make_synthetic_dataset(tmp_path, num_objects=4, num_views=4, image_size=16, val_fraction=0.0)
    with copy.open_split("train") as split:
        bad = split.read_jpeg(0, 0)
    for shard in (tmp_path / "train").glob("*.tar"):
        data = shard.read_bytes()
        shard.write_bytes(data.replace(bad, bad[:99] + bytes([bad[99] ^ 1]) + bad[100:]))
    whole = FixedCrops(((0, 0, 1, 1),), 16)
    loader = Loader(
        copy.path, BatchConfig(sampler=Views(), batch_size=4, crops=(whole,), max_corrupt_views=1)
    )
    assert all(torch.equal(batch["crops_0"][:, 0], batch["view"]) for batch in loader)
    assert list(loader.corrupt_views) == [(0, 0)]


def test_random_crops_are_those_of_an_augmentation() -> None:
    shares = RandomCrops(3, scale=(0.08, 0.6)).draw_shares(NAMES, np.arange(4000))
    assert shares.shape == (4000, 3, 4)
    area, ratio = shares[..., 2] * shares[..., 3], shares[..., 3] / shares[..., 2]
    assert stats.kstest(area[:, 0], stats.uniform(0.08, 0.52).cdf).pvalue > 1e-3
    assert np.abs(np.log(ratio)).max() <= np.log(4 / 3) + 1e-9
    assert (shares[..., :2] >= 0).all()
    assert (shares[..., :2] + shares[..., 2:] <= 1 + 1e-12).all()
    assert np.abs(np.corrcoef(shares[..., 0].T) - np.eye(3)).max() < 0.06
    fewer = RandomCrops(2, scale=(0.08, 0.6)).draw_shares(NAMES, np.arange(7, 9))
    assert np.array_equal(fewer, shares[7:9, :2])


def test_crops_of_a_grid_lie_where_obow_has_them() -> None:
    still = replace(GridCrops(9), jitter_px=0, scale=(1.0, 1.0), ratio=(1.0, 1.0))
    places = still.draw_shares(NAMES, np.arange(1))[0] * 256
    assert sorted(map(tuple, places.tolist())) == [
        (80 * row, 80 * column, 96, 96) for row in range(3) for column in range(3)
    ]
    rule = GridCrops()
    shares = replace(rule, scale=(1.0, 1.0), ratio=(1.0, 1.0)).draw_shares(NAMES, np.arange(3000))
    tops = np.round(shares[..., 0] * 256).astype(int)
    jitter = tops - tops // 68 * 68
    assert shares.shape == (3000, 5, 4)
    assert set(np.unique(np.minimum(tops // 68, 2))) == {0, 1, 2}
    assert jitter.max() <= 24
    assert stats.chisquare(np.bincount(jitter.ravel(), minlength=25)).pvalue > 1e-3
    cells = np.minimum(np.round(shares[..., :2] * 256) // 68, 2) @ [3, 1]
    assert all(len(set(row)) == 5 for row in cells.tolist())
    assert stats.chisquare(np.bincount(cells.astype(int).ravel())).pvalue > 1e-3
    parts = rule.draw_shares(NAMES, np.arange(500))
    assert parts.min() >= 0
    assert (parts[..., :2] + parts[..., 2:]).max() <= 1 + 1e-12
    sides = parts[..., 2:] * 256 / 96  # of the part of the view that the grid lies on
    area = sides[..., 0] * sides[..., 1]
    assert 0.6 <= area.min() <= area.max() <= 1 + 1e-9
    assert np.ptp(area, axis=1).max() < 1e-9


def test_crops_have_an_augmentation_of_their_own(dataset: Dataset) -> None:
    batch = load(dataset, CROPS, augmentation=Augmentation.simclr())[0]
    for name, count in (("crops_0", 2), ("crops_1", 5)):
        parameters = get_parameters(batch, prefix=f"{name}_")
        assert "crop" not in parameters
        assert parameters["brightness"].shape == (4, count)
        assert torch.equal(augment_batch(batch)[name], augment(batch[name], parameters))
    assert not torch.equal(batch["crops_0_brightness"], batch["crops_1_brightness"][:, :2])
    cropped = load(dataset, CROPS, augmentation=Augmentation.crop_only())[0]
    assert torch.equal(augment_batch(cropped)["crops_0"], cropped["crops_0"])
    with pytest.raises(InvalidInputError, match="and begin with 'crops_0_'"):
        get_parameters(cropped, prefix="crops_0_")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RandomCrops(0), "RandomCrops.count 0: must be at least 1"),
        (lambda: RandomCrops(view=0), "RandomCrops.view 0"),
        (lambda: RandomCrops(scale=(0.5, 2.0)), "scale .*largest at most 1"),
        (lambda: RandomCrops(scale=None), "scale None: give two numbers"),  # type: ignore[arg-type]
        (lambda: GridCrops(10), "a grid of 3 x 3 has no 10 crops"),
        (
            lambda: GridCrops(area_px=100),
            "crops of 96 px that are moved by up to 24 px do not fit into 100 px",
        ),
        (lambda: BatchConfig(crops=RandomCrops()), r"crops RandomCrops.*give a list of rules"),  # type: ignore[arg-type]
        (lambda: BatchConfig(crops=[3]), r"crops \[3\]: each must be a rule"),  # type: ignore[list-item]
    ],
)
def test_what_cannot_be_right_is_refused(make, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        make()
