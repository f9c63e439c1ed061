import copy
import pickle
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from synthetic import make_synthetic_dataset
from torch import Tensor
from torch.utils.data import DataLoader

from turntable.datasets.dataset import Dataset
from turntable.datasets.pixels import decode_jpeg
from turntable.errors import IntegrityError, InvalidInputError
from turntable.loaders import PairDataset, PairLoader, validation_pairs

Batch = dict[str, Tensor]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return make_synthetic_dataset(
        tmp_path_factory.mktemp("set"), objects=17, categories=4, views=6, image_size=16
    )


def equal(first: Batch, second: Batch) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def joined(batches: list[Batch]) -> Batch:
    return {name: torch.cat([batch[name] for batch in batches]) for name in batches[0]}


def test_fields_shapes_and_types(dataset: Dataset) -> None:
    batch = next(iter(PairLoader(dataset.path, "train", 4)))
    assert {name: (tuple(value.shape), value.dtype) for name, value in batch.items()} == {
        "view_1": ((4, 3, 16, 16), torch.uint8),
        "view_2": ((4, 3, 16, 16), torch.uint8),
        "rotation_1": ((4, 3, 3), torch.float32),
        "rotation_2": ((4, 3, 3), torch.float32),
        "relative_rotation": ((4, 3, 3), torch.float32),
        "relative_quaternion": ((4, 4), torch.float32),
        "factors_1": ((4, 7), torch.float32),
        "factors_2": ((4, 7), torch.float32),
        "category": ((4,), torch.int64),
        "object_index": ((4,), torch.int64),
        "view_index_1": ((4,), torch.int64),
        "view_index_2": ((4,), torch.int64),
    }


def test_images_are_the_decoded_files_and_labels_their_own(dataset: Dataset) -> None:
    batch = joined(list(PairLoader(dataset.path, "train", 4, drop_last=False, pairs_per_object=3)))
    with dataset.split("train") as split:
        assert len(batch["category"]) == split.num_objects * 3
        for i, row in enumerate(batch["object_index"].tolist()):
            assert batch["category"][i] == split.categories[row]
            for side in "12":
                view = int(batch[f"view_index_{side}"][i])
                image = decode_jpeg(split.read_jpeg(row, view))
                assert (batch[f"view_{side}"][i].permute(1, 2, 0).numpy() == image).all()
                assert (batch[f"factors_{side}"][i].numpy() == split.labels[row, view]).all()


@pytest.mark.parametrize("sign", ["product", "canonical"])
def test_rotations_are_those_scipy_computes(dataset: Dataset, sign: str) -> None:
    loader = PairLoader(dataset.path, "train", 13, pairs_per_object=20, quaternion_sign=sign)  # type: ignore[arg-type]
    batch = joined(list(loader))
    first, second = (Rotation.from_euler("xyz", batch[f"factors_{side}"][:, :3].numpy()) for side in "12")
    relative = first.inv() * second
    assert np.allclose(batch["rotation_1"], first.as_matrix(), atol=1e-6)
    assert np.allclose(batch["rotation_2"], second.as_matrix(), atol=1e-6)
    assert np.allclose(batch["relative_rotation"], relative.as_matrix(), atol=1e-6)
    assert np.allclose(
        batch["relative_quaternion"], relative.as_quat(canonical=sign == "canonical"), atol=1e-6
    )
    assert (batch["relative_quaternion"][:, 3] < 0).any() == (sign == "product")


def test_any_number_of_workers_gives_equal_batches(dataset: Dataset) -> None:
    epochs: list[list[Batch]] = []
    for workers in (0, 1, 2):
        loader = PairLoader(dataset.path, "train", 4, seed=3, num_workers=workers, pairs_per_object=2)
        batches: list[Batch] = []
        for epoch in (0, 1, 5):
            loader.set_epoch(epoch)
            batches += list(loader)
        epochs.append(batches)
    assert len(epochs[0]) == 3 * (13 * 2 // 4)
    for other in epochs[1:]:
        assert all(equal(a, b) for a, b in zip(epochs[0], other, strict=True))


def test_epochs_and_seeds_differ(dataset: Dataset) -> None:
    loader = PairLoader(dataset.path, "train", 13)
    first = next(loader.batches(0))
    assert equal(first, next(loader.batches(0)))
    assert not torch.equal(first["object_index"], next(loader.batches(1))["object_index"])
    other = PairLoader(dataset.path, "train", 13, seed=1)
    assert not torch.equal(first["object_index"], next(iter(other))["object_index"])
    assert (first["view_index_1"] != first["view_index_2"]).all()
    assert sorted(first["object_index"].tolist()) == list(range(13))


@pytest.mark.parametrize("workers", [0, 2])
def test_an_epoch_resumes_at_any_batch(dataset: Dataset, workers: int) -> None:
    loader = PairLoader(dataset.path, "train", 2, num_workers=workers, drop_last=False)
    whole = list(loader.batches(4))
    assert len(whole) == len(loader) == 7
    assert len(whole[-1]["category"]) == 1
    stopped = loader.batches(4)
    assert equal(next(stopped), whole[0])  # left in the middle, as by a signal
    for start in (1, 3, 6):
        rest = list(loader.batches(4, start_batch=start))
        assert all(equal(a, b) for a, b in zip(rest, whole[start:], strict=True))
    assert list(loader.batches(4, start_batch=7)) == []
    with pytest.raises(InvalidInputError, match="start_batch 8: an epoch has 7 batches"):
        loader.batches(4, start_batch=8)


def test_ranks_share_an_epoch_without_overlap(dataset: Dataset) -> None:
    loaders = [
        PairLoader(dataset.path, "train", 3, pairs_per_object=2, rank=rank, world_size=2) for rank in (0, 1)
    ]
    assert [len(loader) for loader in loaders] == [26 // 6, 26 // 6]
    alone = joined(list(PairLoader(dataset.path, "train", 6, pairs_per_object=2)))
    together = joined([batch for step in zip(*loaders, strict=True) for batch in step])
    assert equal(together, alone)


def test_drop_last_leaves_out_what_fills_no_batch(dataset: Dataset) -> None:
    assert len(PairLoader(dataset.path, "train", 4)) == 3
    assert len(PairLoader(dataset.path, "train", 4, drop_last=False)) == 4


def test_fixed_pairs_come_in_their_order_in_every_epoch(dataset: Dataset) -> None:
    pairs = validation_pairs(4, 6, 5, seed=0)
    loader = PairLoader(dataset.path, "val", 8, pairs=pairs, drop_last=False)
    for epoch in (0, 1):
        batch = joined(list(loader.batches(epoch)))
        assert batch["object_index"].tolist() == pairs.objects.tolist()
        assert batch["view_index_1"].tolist() == pairs.view_1.tolist()
        assert batch["view_index_2"].tolist() == pairs.view_2.tolist()


def test_images_are_resized_on_demand(dataset: Dataset) -> None:
    full = next(iter(PairLoader(dataset.path, "train", 4)))
    half = next(iter(PairLoader(dataset.path, "train", 4, image_size=8)))
    assert half["view_1"].shape == (4, 3, 8, 8)
    assert half["view_1"].dtype == torch.uint8
    means = full["view_1"].float().mean(dim=(2, 3)), half["view_1"].float().mean(dim=(2, 3))
    assert torch.allclose(*means, atol=2.0)
    same = next(iter(PairLoader(dataset.path, "train", 4, image_size=16)))
    assert equal(same, full)


def test_loading_draws_nothing_from_the_training_generator(dataset: Dataset) -> None:
    loader = PairLoader(dataset.path, "train", 4)
    before = torch.get_rng_state()
    list(loader)
    assert torch.equal(torch.get_rng_state(), before)


def test_items_of_the_map_style_set_are_the_loaders_pairs(dataset: Dataset) -> None:
    single = PairDataset(dataset.path, "train", seed=2, pairs_per_object=2)
    single.set_epoch(3)
    assert len(single) == 26
    batch = joined(list(PairLoader(dataset.path, "train", 13, seed=2, pairs_per_object=2).batches(3)))
    for i in (0, 7, 25):
        assert equal(single[i], {name: value[i] for name, value in batch.items()})
    with pytest.raises(IndexError):
        single[26]
    stock = joined(list(DataLoader(single, batch_size=13, num_workers=2)))
    assert equal(stock, batch)


def test_open_files_are_neither_pickled_nor_shared(dataset: Dataset) -> None:
    single = PairDataset(dataset.path, "train")
    item = single[0]
    again = pickle.loads(pickle.dumps(single))
    assert equal(again[0], item)
    assert equal(copy.deepcopy(single)[0], item)


@pytest.mark.parametrize("workers", [0, 1])
def test_an_edited_shard_raises_with_file_and_remedy(tmp_path: Path, workers: int) -> None:
    dataset = make_synthetic_dataset(tmp_path, objects=3, views=2, image_size=16, val_fraction=0.0)
    tar = tmp_path / "train" / "shard-000000.tar"
    data = bytearray(tar.read_bytes())
    with dataset.split("train") as split:
        at = data.find(split.read_jpeg(1, 0))
    data[at + 30] ^= 1
    tar.write_bytes(data)
    with pytest.raises(IntegrityError, match=r"shard-000000\.tar: .*wrong checksum: .*turntable render"):
        list(PairLoader(tmp_path, "train", 1, num_workers=workers))


def test_a_cut_shard_raises_with_file_and_remedy(tmp_path: Path) -> None:
    make_synthetic_dataset(tmp_path, objects=3, views=2, image_size=16, val_fraction=0.0)
    tar = tmp_path / "train" / "shard-000000.tar"
    tar.write_bytes(tar.read_bytes()[:-1000])
    with pytest.raises(IntegrityError, match=r"shard-000000\.tar: .*cut or edited; re-run"):
        next(iter(PairLoader(tmp_path, "train", 1)))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"split": "test"}, "has no split 'test'; it has train, val"),
        ({"batch_size": 0}, "batch_size 0: must be at least 1"),
        (
            {"batch_size": 14},
            "13 pairs do not fill a batch of 14 for each of 1 ranks; use a smaller batch_size",
        ),
        ({"pairs_per_object": 0}, "pairs_per_object 0: must be at least 1"),
        ({"image_size": 0}, "image_size 0: must be at least 1 pixel"),
        ({"rank": 2, "world_size": 2}, "rank 2 of 2: must be from 0 to 1"),
        ({"world_size": 2, "drop_last": False}, "drop_last=False with several ranks"),
    ],
)
def test_impossible_arguments_are_refused_at_once(dataset: Dataset, arguments: dict, told: str) -> None:
    with pytest.raises(InvalidInputError, match=told):
        PairLoader(dataset.path, **{"split": "train", "batch_size": 4, **arguments})


def test_too_little_shared_memory_is_told_before_a_bus_error(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.statvfs", lambda _: SimpleNamespace(f_bavail=1, f_frsize=4096))
    loader = PairLoader(dataset.path, "train", 4, num_workers=1)
    with pytest.raises(InvalidInputError, match=r"under way need .* of shared memory, .*--shm-size"):
        next(iter(loader))
    assert len(list(PairLoader(dataset.path, "train", 4))) == 3


def test_kept_batches_are_not_written_over(dataset: Dataset) -> None:
    loader = PairLoader(dataset.path, "train", 1, num_workers=1)
    kept = list(loader.batches(0))
    copies = [batch["view_1"].clone() for batch in kept]
    list(loader.batches(1))
    assert all(torch.equal(batch["view_1"], copy) for batch, copy in zip(kept, copies, strict=True))


def test_one_view_gives_no_pairs(tmp_path: Path) -> None:
    make_synthetic_dataset(tmp_path, objects=4, views=1, image_size=16)
    with pytest.raises(InvalidInputError, match="at least 2 views"):
        PairLoader(tmp_path, "train", 1)
