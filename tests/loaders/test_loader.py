"""The content of batches, and the errors of a loader."""

import gc
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from torch.utils.data import DataLoader

from tests.support.batches import described, equal, joined
from turntable.datasets import Dataset
from turntable.datasets.files import decode_jpeg
from turntable.errors import IntegrityError, InvalidInputError
from turntable.loaders import (
    BatchConfig,
    ItemDataset,
    Loader,
    Pairs,
    Sequences,
    Tuples,
    Views,
    select_all_views,
)
from turntable.testing.datasets import make_synthetic_dataset


def test_fields_shapes_and_types_of_pairs(dataset: Dataset) -> None:
    assert described(
        next(iter(Loader(dataset.path, BatchConfig(split="train", sampler=Pairs(), batch_size=4))))
    ) == {
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


def test_fields_shapes_and_types_of_single_views_and_of_longer_samples(dataset: Dataset) -> None:
    assert described(
        next(
            iter(
                Loader(
                    dataset.path,
                    BatchConfig(split="train", sampler=Views(), batch_size=5, fields=["floor_hue"]),
                )
            )
        )
    ) == {
        "view": ((5, 3, 16, 16), torch.uint8),
        "floor_hue": ((5,), torch.float32),
        "category": ((5,), torch.int64),
        "object_index": ((5,), torch.int64),
        "view_index": ((5,), torch.int64),
    }
    labels = ["relative_quaternion", "rotation"]
    assert described(
        next(
            iter(
                Loader(
                    dataset.path, BatchConfig(split="train", sampler=Tuples(4), batch_size=5, fields=labels)
                )
            )
        )
    ) == {
        "views": ((5, 4, 3, 16, 16), torch.uint8),
        "relative_quaternion": ((5, 3, 4), torch.float32),
        "rotation": ((5, 4, 3, 3), torch.float32),
        "category": ((5,), torch.int64),
        "object_index": ((5,), torch.int64),
        "view_index": ((5, 4), torch.int64),
    }


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize(
    "sampler", [Views(), Pairs(3), Tuples(3)], ids=lambda sampler: type(sampler).__name__
)
def test_images_are_the_decoded_files_and_labels_their_own(dataset: Dataset, sampler, workers: int) -> None:
    loader = Loader(
        dataset.path,
        BatchConfig(
            split="train",
            sampler=sampler,
            batch_size=4,
            fields=["factors"],
            num_workers=workers,
            last_batch="short",
        ),
    )
    batch = joined(list(loader))
    if sampler.naming == "single":
        batch |= {name: batch[name][:, None] for name in ("factors", "view_index")}
        batch["views"] = batch["view"][:, None]
    elif sampler.naming == "pair":
        for name in ("factors", "view_index"):
            batch[name] = torch.stack([batch[f"{name}_1"], batch[f"{name}_2"]], dim=1)
        batch["views"] = torch.stack([batch["view_1"], batch["view_2"]], dim=1)
    with dataset.open_split("train") as split:
        assert len(batch["category"]) == sampler.count_samples(select_all_views([split.num_objects], 6))
        for i, row in enumerate(batch["object_index"].tolist()):
            assert batch["category"][i] == split.category_indices[row]
            for j, view in enumerate(batch["view_index"][i].tolist()):
                image = decode_jpeg(split.read_jpeg(row, view))
                assert (batch["views"][i, j].permute(1, 2, 0).numpy() == image).all()
                assert (batch["factors"][i, j].numpy() == split.labels[row, view]).all()


@pytest.mark.parametrize("sign", ["product", "canonical"])
def test_rotations_are_those_scipy_computes(dataset: Dataset, sign) -> None:
    batch = joined(
        list(
            Loader(
                dataset.path,
                BatchConfig(split="train", sampler=Pairs(20), batch_size=13, quaternion_sign=sign),
            )
        )
    )
    first, second = (Rotation.from_euler("xyz", batch[f"factors_{side}"][:, :3].numpy()) for side in "12")
    relative = first.inv() * second
    assert np.allclose(batch["rotation_1"], first.as_matrix(), atol=1e-6)
    assert np.allclose(batch["relative_rotation"], relative.as_matrix(), atol=1e-6)
    assert np.allclose(
        batch["relative_quaternion"], relative.as_quat(canonical=sign == "canonical"), atol=1e-6
    )
    assert (batch["relative_quaternion"][:, 3] < 0).any() == (sign == "product")


def test_sequences_of_a_data_set_that_has_them(tmp_path: Path) -> None:
    motion = {"length": 5, "motion": "constant", "speed_rad": {"low": 0.1, "high": 0.4}}
    made = make_synthetic_dataset(
        tmp_path, num_objects=3, num_views=20, image_size=16, sequence=motion, val_fraction=0.0
    )
    loader = Loader(
        made.path,
        BatchConfig(split="train", sampler=Sequences(5), batch_size=4, fields=["twist", "relative_twist"]),
    )
    assert loader.num_samples == 3 * 4
    for batch in loader:
        assert batch["views"].shape == (4, 5, 3, 16, 16)
        assert (batch["view_index"].diff(dim=1) == 1).all()
        assert (batch["view_index"][:, 0] % 5 == 0).all()
        assert (batch["twist"][:, 0] == 0).all()
        assert torch.allclose(batch["twist"][:, 1:], batch["relative_twist"], atol=1e-4)


def test_images_are_resized_on_demand(dataset: Dataset) -> None:
    full = next(iter(Loader(dataset.path, BatchConfig(split="train", sampler=Pairs(), batch_size=4))))
    half = next(
        iter(
            Loader(
                dataset.path,
                BatchConfig(split="train", sampler=Pairs(), batch_size=4, num_workers=1, image_size=8),
            )
        )
    )
    assert half["view_1"].shape == (4, 3, 8, 8)
    means = full["view_1"].float().mean(dim=(2, 3)), half["view_1"].float().mean(dim=(2, 3))
    assert torch.allclose(*means, atol=2.0)
    expected = torch.nn.functional.interpolate(
        full["view_1"].float(), size=(8, 8), mode="bilinear", antialias=True
    )
    assert (half["view_1"].float() - expected).abs().max() <= 1
    assert equal(
        next(
            iter(
                Loader(dataset.path, BatchConfig(split="train", sampler=Pairs(), batch_size=4, image_size=16))
            )
        ),
        full,
    )


def test_numpy_batches_are_the_same_without_torch(dataset: Dataset) -> None:
    tensors = next(
        iter(Loader(dataset.path, BatchConfig(split="train", sampler=Pairs(), batch_size=4, num_workers=1)))
    )
    arrays = next(
        iter(
            Loader(
                dataset.path,
                BatchConfig(split="train", sampler=Pairs(), batch_size=4, num_workers=1, output="numpy"),
            )
        )
    )
    assert arrays["view_1"].shape == (4, 16, 16, 3)
    assert (arrays["view_1"] == tensors["view_1"].permute(0, 2, 3, 1).numpy()).all()
    assert all((arrays[name] == tensors[name].numpy()).all() for name in arrays if "view_" not in name)
    code = (
        "import sys\nfrom turntable.loaders import BatchConfig, Loader, Pairs\n"
        "config = BatchConfig(sampler=Pairs(), batch_size=4, num_workers=1, output='numpy')\n"
        f"loader = Loader({str(dataset.path)!r}, config)\n"
        "next(iter(loader))\n"
        "print([name for name in ('torch', 'duckdb', 'obstore', 'urllib3') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_images_are_channels_last_in_memory(dataset: Dataset) -> None:
    for workers in (0, 1):
        batch = next(
            iter(
                Loader(
                    dataset.path,
                    BatchConfig(split="train", sampler=Pairs(), batch_size=4, num_workers=workers),
                )
            )
        )
        assert batch["view_2"].is_contiguous(memory_format=torch.channels_last)


def test_loading_draws_nothing_from_the_training_generator(dataset: Dataset) -> None:
    before = torch.get_rng_state()
    for workers, engine in ((0, "ring"), (1, "ring"), (1, "dataloader")):
        loader = Loader(
            dataset.path,
            BatchConfig(split="train", sampler=Pairs(), batch_size=4, num_workers=workers),
            engine=engine,
        )  # type: ignore[arg-type]
        list(loader)
        loader.close()
    assert torch.equal(torch.get_rng_state(), before)


def test_items_of_the_map_style_set_are_the_loaders_samples(dataset: Dataset) -> None:
    loader = Loader(dataset.path, BatchConfig(split="train", sampler=Pairs(2), batch_size=13, seed=2))
    single = ItemDataset(loader)
    single.set_epoch(3)
    assert len(single) == 26
    batch = joined(list(loader.iter_batches(3)))
    for i in (0, 7, 25):
        assert equal(single[i], {name: value[i] for name, value in batch.items()})
    with pytest.raises(IndexError):
        single[26]
    stock = joined(list(DataLoader(single, batch_size=13, num_workers=2)))  # type: ignore[arg-type]
    assert equal(stock, batch)
    assert equal(pickle.loads(pickle.dumps(single))[0], single[0])


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU to pin memory for")
@pytest.mark.parametrize(("workers", "engine"), [(0, "ring"), (1, "ring"), (1, "dataloader")])
def test_pinning_without_a_gpu_does_nothing(dataset: Dataset, workers: int, engine) -> None:
    loader = Loader(
        dataset.path,
        BatchConfig(split="train", sampler=Pairs(), batch_size=4, num_workers=workers, pin_memory=True),
        engine=engine,
    )
    assert equal(
        next(iter(loader)),
        next(iter(Loader(dataset.path, BatchConfig(split="train", sampler=Pairs(), batch_size=4)))),
    )
    loader.close()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU to pin memory for")
def test_slots_are_pinned_and_not_written_over_while_they_are_copied(dataset: Dataset) -> None:
    loader = Loader(
        dataset.path,
        BatchConfig(split="train", sampler=Pairs(50), batch_size=4, num_workers=2, pin_memory=True),
    )
    copies, pinned = [], []
    for batch in loader:
        pinned.append(batch["view_1"].is_pinned())
        copies.append(batch["view_1"].to("cuda", non_blocking=True))
    assert all(pinned)
    expected = Loader(dataset.path, BatchConfig(split="train", sampler=Pairs(50), batch_size=4))
    assert all(torch.equal(a.cpu(), b["view_1"]) for a, b in zip(copies, expected, strict=True))


def test_kept_batches_are_not_written_over(dataset: Dataset) -> None:
    loader = Loader(dataset.path, BatchConfig(split="train", sampler=Pairs(), batch_size=1, num_workers=1))
    kept = list(loader.iter_batches(0))
    copies = [batch["view_1"].clone() for batch in kept]
    list(loader.iter_batches(1))
    assert all(torch.equal(batch["view_1"], copy) for batch, copy in zip(kept, copies, strict=True))
    loader.close()


def test_a_batch_is_the_shared_memory_itself(dataset: Dataset) -> None:
    loader = Loader(dataset.path, BatchConfig(split="train", sampler=Pairs(30), batch_size=2, num_workers=2))
    addresses = {batch["view_1"].data_ptr() for batch in loader}
    assert len(addresses) <= 5
    loader.close()


def make_loader(dataset: Dataset, arguments: dict) -> Loader:
    """Make a loader from arguments of its own and of its config."""
    own = {name: arguments.pop(name) for name in ("engine", "window_shards", "config") if name in arguments}
    config = own.pop("config", None) or BatchConfig(**{"sampler": Pairs(), "batch_size": 4, **arguments})
    return Loader(dataset.path, config, **own)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"split": "test"}, "has no split 'test'; it has train, val"),
        ({"batch_size": 0}, "batch_size 0: must be at least 1"),
        ({"batch_size": 14}, "13 samples do not fill a batch of 14; use a smaller batch_size, more visits"),
        ({"image_size": 0}, "image_size 0: must be at least 1 pixel"),
        ({"rank": 2, "world_size": 2}, "rank 2 of 2: must be from 0 to 1"),
        ({"rank": 0}, "give rank and world_size together"),
        ({"engine": "rong"}, "unknown engine 'rong'; choose one of: ring, dataloader"),
        ({"output": "jax"}, "output 'jax': use 'torch' or 'numpy'"),
        ({"num_workers": -1}, "num_workers -1: must be at least 0"),
        ({"window_shards": 0}, "window_shards 0: must be at least 1, or None"),
        ({"fields": ["depth"]}, "no depth in this data set, which has rgb .* with --outputs rgb,depth"),
        ({"fields": ["points"]}, "has no point clouds; render it with --points"),
        ({"fields": ["rotatoin"]}, "did you mean rotation"),
        ({"fields": "rotation"}, r"give a list of names, such as \['rotation'\]"),
        ({"config": "train"}, "'train' is not a BatchConfig; give BatchConfig"),
        ({"sampler": Sequences(3)}, "has no sequences"),
        ({"sampler": Tuples(7)}, "at least 7 views of each object; no object has more than 6"),
        ({"quaternion_sign": "plus"}, "'plus'"),
    ],
)
def test_impossible_arguments_are_refused_at_once(dataset: Dataset, arguments: dict, told: str) -> None:
    with pytest.raises(InvalidInputError, match=told):
        make_loader(dataset, arguments)


def test_one_view_gives_no_pairs(tmp_path: Path) -> None:
    make_synthetic_dataset(tmp_path, num_objects=4, num_views=1, image_size=16)
    with pytest.raises(InvalidInputError, match="at least 2 views"):
        Loader(tmp_path, BatchConfig(split="train", sampler=Pairs(), batch_size=1))


def test_a_folder_without_a_data_set_is_told(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="not a finished data set"):
        Loader(tmp_path, BatchConfig(split="train"))


def test_a_loader_that_is_closed_or_let_go_leaves_no_file_open(tmp_path: Path) -> None:
    make_synthetic_dataset(tmp_path)
    gc.collect()
    before = len(list(Path("/proc/self/fd").iterdir()))
    for close in (True, False):
        loader = Loader(tmp_path, BatchConfig(split="train", sampler=Pairs(), batch_size=4))
        assert len(list(loader)) == len(loader)
        assert len(list(Path("/proc/self/fd").iterdir())) > before
        if close:
            loader.close()
        del loader
        gc.collect()
        assert len(list(Path("/proc/self/fd").iterdir())) == before
