"""Readers and trainers of other libraries, with turntable's shards, loaders and converted folders."""

import io
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
import webdataset

from turntable.datasets import Dataset, export_folder, import_folder, open_dataset
from turntable.loaders import BatchConfig, ItemDataset, Loader, Pairs, Views
from turntable.testing.datasets import make_synthetic_dataset

VIEWS = 4
UNCLOSED = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""Warnings of other readers, which leave files to be closed by the garbage collector."""


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return make_synthetic_dataset(
        tmp_path_factory.mktemp("set"), num_objects=12, num_views=VIEWS, image_size=16
    )


@pytest.fixture(scope="module")
def converted(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """The data set, exported to a folder of loose files like the published ones, and converted back."""
    folder = tmp_path_factory.mktemp("converted")
    export_folder(dataset.path, folder / "3DIEBench")
    import_folder(folder / "3DIEBench", folder / "set")
    return open_dataset(folder / "set")


@pytest.fixture(params=["rendered", "converted"])
def either(request: pytest.FixtureRequest, dataset: Dataset, converted: Dataset) -> Dataset:
    return dataset if request.param == "rendered" else converted


def read_objects(dataset: Dataset, split: str) -> dict[str, tuple[np.ndarray, list[bytes]]]:
    with dataset.open_split(split) as opened:
        return {
            key: (opened.labels[row], [opened.read_jpeg(row, view) for view in range(VIEWS)])
            for row, key in enumerate(opened.keys)
        }


@UNCLOSED
def test_stock_webdataset_reads_all_of_it(either: Dataset) -> None:
    expected, seen = read_objects(either, "train"), 0
    shards = sorted(map(str, either.path.glob("train/*.tar")))
    for sample in webdataset.WebDataset(shards, shardshuffle=False, empty_check=False):
        labels, jpegs = expected[sample["__key__"]]
        assert (np.load(io.BytesIO(sample["latents.npy"]), allow_pickle=False) == labels).all()
        assert [sample[f"{view:03d}.jpg"] for view in range(VIEWS)] == jpegs
        seen += 1
    assert seen == len(expected)


@UNCLOSED
@pytest.mark.parametrize("streaming", [True, False], ids=["streaming", "copied"])
def test_hugging_face_reads_all_of_it(
    either: Dataset, streaming: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from datasets import load_dataset

        shards = {"train": sorted(map(str, either.path.glob("train/*.tar")))}
        rows = load_dataset(
            "webdataset",
            data_files=shards,
            split="train",
            streaming=streaming,
            cache_dir=str(tmp_path / "cache"),
        )
        expected, seen = read_objects(either, "train"), 0
        for row in rows:
            labels, _ = expected[row["__key__"]]
            assert (np.float32(row["latents.npy"]) == labels).all()
            assert [row[f"{view:03d}.jpg"].size for view in range(VIEWS)] == [(16, 16)] * VIEWS
            assert row["meta.json"]["category"] == row["__key__"][:7]
            seen += 1
        table = load_dataset(
            "parquet",
            data_files=str(either.path / "labels.parquet"),
            split="train",
            cache_dir=str(tmp_path / "cache"),
        )
    assert seen == len(expected)
    assert len(table) == either.manifest.totals.images


def test_our_loader_reads_a_converted_set_as_it_reads_the_rendered_one(
    dataset: Dataset, converted: Dataset
) -> None:
    def by_key(made: Dataset) -> dict[tuple[str, int], torch.Tensor]:
        with made.open_split("train") as split:
            ids = [record.id for record in split.objects]
        loader = Loader(
            made.path,
            BatchConfig(split="train", sampler=Views(), batch_size=8, num_workers=1, last_batch="short"),
        )
        found = {
            (ids[int(row)], int(view)): image
            for batch in loader
            for row, view, image in zip(
                batch["object_index"], batch["view_index"], batch["view"].clone(), strict=True
            )
        }
        loader.close()
        return found

    rendered, again = by_key(dataset), by_key(converted)
    assert len(rendered) == len(again) == 9 * VIEWS
    shared = set(rendered) & set(again)
    assert shared
    assert all(torch.equal(rendered[key], again[key]) for key in shared)


@pytest.mark.slow
def test_lightning_resumes_in_mid_epoch_with_the_next_batch(dataset: Dataset, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pytorch_lightning

        class Seen(pytorch_lightning.LightningModule):
            def __init__(self) -> None:
                super().__init__()
                self.weight = torch.nn.Parameter(torch.zeros(()))
                self.seen: list[list[int]] = []

            def training_step(self, batch, _):
                self.seen.append(batch["object_index"].tolist())
                return self.weight * batch["view_1"].float().mean()

            def configure_optimizers(self):
                return torch.optim.SGD(self.parameters(), 1e-6)

        class SaveAtFive(pytorch_lightning.Callback):
            def on_train_batch_end(self, trainer, *_):
                if trainer.global_step == 5:
                    trainer.save_checkpoint(tmp_path / "five.ckpt")

        def fit(checkpoint: Path | None) -> Seen:
            module = Seen()
            trainer = pytorch_lightning.Trainer(
                max_epochs=2,
                accelerator="cpu",
                callbacks=[SaveAtFive()],
                logger=False,
                enable_checkpointing=False,
                enable_progress_bar=False,
                enable_model_summary=False,
            )
            loader = Loader(
                dataset.path,
                BatchConfig(split="train", sampler=Pairs(4), batch_size=3, seed=1, num_workers=1),
            )
            trainer.fit(module, loader, ckpt_path=checkpoint, weights_only=False)
            loader.close()
            return module

        whole, rest = fit(None), fit(tmp_path / "five.ckpt")
    assert len(whole.seen) == 24
    assert whole.seen[:12] != whole.seen[12:]
    assert rest.seen == whole.seen[5:]


def test_a_stateful_data_loader_resumes_over_our_items(dataset: Dataset) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torchdata.stateful_dataloader import StatefulDataLoader

        def make() -> StatefulDataLoader:
            items = ItemDataset(
                Loader(dataset.path, BatchConfig(split="train", sampler=Pairs(4), batch_size=3, seed=1))
            )
            return StatefulDataLoader(items, batch_size=3, num_workers=2)

        whole = [batch["object_index"].tolist() for batch in make()]
        first = make()
        iterator = iter(first)
        part = [next(iterator)["object_index"].tolist() for _ in range(4)]
        second = make()
        second.load_state_dict(first.state_dict())
        rest = [batch["object_index"].tolist() for batch in second]
        del iterator, first, second
    assert part + rest == whole
    expected = Loader(dataset.path, BatchConfig(split="train", sampler=Pairs(4), batch_size=3, seed=1))
    assert whole == [batch["object_index"].tolist() for batch in expected]
