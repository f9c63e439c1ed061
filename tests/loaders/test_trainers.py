"""Loaders in the trainers of other libraries: Lightning, accelerate, and Hugging Face's Trainer."""

import json
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader

from tests.support import with_tests
from tests.support.batches import all_equal
from turntable.datasets import Dataset
from turntable.errors import InvalidInputError
from turntable.loaders import BatchConfig, Loader, Pairs, Sequences, Singles, Tuples, Views
from turntable.testing.datasets import make_synthetic_dataset

TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
Samples = list[list[int]]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Ignore the warnings of other libraries."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def make_loader(dataset: Dataset, **config: Any) -> Loader:
    return Loader(dataset.path, BatchConfig(**{"sampler": Pairs(4), "batch_size": 4, "seed": 1, **config}))


def list_objects(batches: Any) -> Samples:
    return [batch["object_index"].tolist() for batch in batches]


def read_epochs(dataset: Dataset, count: int) -> list[Samples]:
    loader = make_loader(dataset)
    return [list_objects(loader.iter_batches(epoch)) for epoch in range(count)]


def make_module() -> Any:
    import pytorch_lightning

    class Module(pytorch_lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(()))
            self.seen: dict[str, Samples] = {}

        def see(self, stage: str, batch: dict[str, torch.Tensor]) -> torch.Tensor:
            self.seen.setdefault(stage, []).append(batch["object_index"].tolist())
            return self.weight.square()

        def training_step(self, batch, _):
            return self.see("fit", batch)

        def validation_step(self, batch, _):
            self.see("validate", batch)

        def test_step(self, batch):
            self.see("test", batch)

        def predict_step(self, batch, _):
            return self.see("predict", batch)

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), 1e-6)

    return Module()


def make_trainer(**more: Any) -> Any:
    import pytorch_lightning

    quiet = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"))
    return pytorch_lightning.Trainer(
        accelerator="cpu", num_sanity_val_steps=0, **dict.fromkeys(quiet, False), **more
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "sampler",
    [Pairs(), Views(), Singles(), Tuples(3), Sequences(2)],
    ids=lambda sampler: type(sampler).__name__,
)
def test_lightning_reads_loaders_in_every_stage(tmp_path: Path, sampler: Any) -> None:
    motion = {"length": 3, "motion": "constant", "speed_rad": {"low": 0.1, "high": 0.4}}
    made = make_synthetic_dataset(tmp_path, num_objects=8, num_views=6, image_size=16, sequence=motion)

    def make(split: str) -> Loader:
        return make_loader(made, split=split, sampler=sampler, batch_size=2)

    module, trainer = make_module(), make_trainer(max_epochs=2)
    trainer.fit(module, make("train"), make("val"))
    train, val = (
        [list_objects(make(split).iter_batches(epoch)) for epoch in (0, 1)] for split in ("train", "val")
    )
    assert module.seen == {"fit": train[0] + train[1], "validate": val[0] + val[1]}
    module.seen.clear()
    trainer.validate(module, make("val"), verbose=False)
    trainer.test(module, make("val"), verbose=False)
    predicted = trainer.predict(module, make("val"))
    assert module.seen == dict.fromkeys(("validate", "test", "predict"), val[0])
    assert len(predicted) == len(val[0])


@pytest.mark.slow
def test_lightning_overfits_on_the_first_batches(dataset: Dataset) -> None:
    module = make_module()
    make_trainer(max_epochs=2, overfit_batches=2).fit(module, make_loader(dataset), make_loader(dataset))
    first, second = read_epochs(dataset, 2)
    assert module.seen["fit"] in (first[:2] * 2, first[:2] + second[:2])


LIGHTNING_RANKS = """
import json, os, sys, warnings
warnings.simplefilter("ignore")
from tests.loaders.test_trainers import make_module, make_trainer
from turntable.loaders import BatchConfig, Loader, Pairs

def make(split):  # before Lightning knows its ranks
    return Loader(sys.argv[1], BatchConfig(split=split, sampler=Pairs(4), batch_size=4, seed=1))

module, loaders = make_module(), [make("train"), make("val")]
trainer = make_trainer(max_epochs=1, strategy="ddp", devices=2)  # its distributed samplers are on
trainer.fit(module, *loaders)
trainer.predict(module, make("val"))
with open(f"{sys.argv[2]}/{trainer.global_rank}.json", "w") as file:
    json.dump(module.seen, file)
"""


@pytest.mark.slow
def test_ranks_of_lightning_share_each_batch(dataset: Dataset, tmp_path: Path) -> None:
    script = tmp_path / "ranks.py"
    script.write_text(LIGHTNING_RANKS)
    command = [*TORCHRUN, str(script), str(dataset.path), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, env=with_tests(), check=False)
    assert done.returncode == 0, done.stderr
    ranks = [json.loads((tmp_path / f"{rank}.json").read_text()) for rank in range(2)]
    val = list_objects(make_loader(dataset, split="val").iter_batches(0))
    for stage, whole in (("fit", read_epochs(dataset, 1)[0]), ("validate", val), ("predict", val)):
        parts = zip(ranks[0][stage], ranks[1][stage], strict=True)
        assert [first + second for first, second in parts] == whole


def test_a_loader_finds_the_ranks_that_there_are_when_it_is_read(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    (whole,) = read_epochs(dataset, 1)
    loader = make_loader(dataset, num_workers=1)
    assert list_objects(loader.iter_batches(0)) == whole
    monkeypatch.setattr("turntable.loaders.batch_config.resolve_ranks", lambda *_: (1, 2))
    assert list_objects(loader.iter_batches(0)) == [objects[2:] for objects in whole]
    assert (loader.rank_batch_size, loader.world_size, len(loader)) == (2, 2, len(whole))
    loader.close()


@pytest.mark.parametrize("workers", [0, 1])
def test_an_iterable_data_set_gives_the_loaders_batches(dataset: Dataset, workers: int) -> None:
    loader = make_loader(dataset, num_workers=workers)
    batches = DataLoader(loader.as_iterable_dataset(), batch_size=None)
    expected = make_loader(dataset)
    assert len(batches) == len(expected)
    for _ in range(2):
        assert all_equal(list(batches), list(expected))
    batches.dataset.set_epoch(0)  # type: ignore[attr-defined]
    assert list_objects(batches) == read_epochs(dataset, 1)[0]
    loader.close()


def test_workers_of_torch_would_repeat_batches_and_are_refused(dataset: Dataset) -> None:
    batches = DataLoader(make_loader(dataset).as_iterable_dataset(), batch_size=None, num_workers=1)
    with pytest.raises(InvalidInputError, match="use num_workers=0 there, and BatchConfig"):
        next(iter(batches))


def test_batches_of_a_rank_are_not_divided_again_in_silence(dataset: Dataset) -> None:
    loader = make_loader(dataset, rank=1, world_size=2)
    with pytest.raises(InvalidInputError, match=r"divides each batch among 2 ranks .*per_rank=True"):
        next(iter(loader.as_iterable_dataset()))
    parts = list_objects(loader.as_iterable_dataset(per_rank=True))
    assert parts == [objects[2:] for objects in read_epochs(dataset, 1)[0]]


def test_epochs_that_a_trainer_counts_anew_follow_the_state(dataset: Dataset) -> None:
    source = make_loader(dataset)
    source.set_epoch(3)
    state = source.state_dict()
    epochs = read_epochs(dataset, 6)
    # A state that is loaded before or after the first call; and a trainer that goes on counting.
    for before, numbers in (([], [0, 1]), ([0], [0, 1]), ([], [3, 4]), ([], [3, 3, 4])):
        batches = make_loader(dataset).as_iterable_dataset()
        for number in before:
            batches.set_epoch(number)
        batches.load_state_dict(state)
        found = []
        for number in dict.fromkeys(numbers):
            for _ in range(numbers.count(number)):
                batches.set_epoch(number)
            found.append(list_objects(batches))
        assert found == epochs[3:5]


def make_accelerated(dataset: Dataset, stateful: bool) -> tuple[Any, Any]:
    from accelerate import Accelerator, DataLoaderConfiguration

    config = DataLoaderConfiguration(use_stateful_dataloader=stateful)
    accelerator = Accelerator(cpu=True, dataloader_config=config)
    loader = make_loader(dataset, num_workers=1)
    return accelerator, accelerator.prepare(DataLoader(loader.as_iterable_dataset(), batch_size=None))


@pytest.mark.slow
@pytest.mark.parametrize(("epoch", "stop"), [(0, 3), (1, 12), (1, 13)])
def test_accelerate_resumes_with_the_next_batch(
    dataset: Dataset, tmp_path: Path, epoch: int, stop: int
) -> None:
    epochs = read_epochs(dataset, 4)
    assert len(epochs[0]) == 13
    accelerator, batches = make_accelerated(dataset, stateful=True)
    assert len(batches) == 13
    for number in range(epoch):
        assert list_objects(batches) == epochs[number]
    for count, _ in enumerate(batches, 1):
        if count == stop:
            accelerator.save_state(tmp_path)
            break
    accelerator, resumed = make_accelerated(dataset, stateful=True)
    accelerator.load_state(tmp_path)
    assert [list_objects(resumed) for _ in range(2)] == [
        rest for rest in (epochs[epoch][stop:], *epochs[epoch + 1 :]) if rest
    ][:2]


ACCELERATED_RANKS = """
import json, sys, warnings
warnings.simplefilter("ignore")
import torch
from accelerate import Accelerator
from accelerate.data_loader import prepare_data_loader
from torch.utils.data import DataLoader
from turntable.errors import InvalidInputError
from turntable.loaders import BatchConfig, Loader, Pairs

accelerator = Accelerator(cpu=True)

def make(batch_size, **ranks):
    return Loader(sys.argv[1], BatchConfig(sampler=Pairs(4), batch_size=batch_size, seed=1, **ranks))

def read(batches):
    return [len(batches), [[batch["object_index"].tolist() for batch in batches] for _ in range(2)]]

divided = DataLoader(make(4).as_iterable_dataset(per_rank=True), batch_size=None)
ranks = dict(num_processes=1, process_index=0)
kept = dict(put_on_device=True, dispatch_batches=False)
divided = prepare_data_loader(divided, accelerator.device, **ranks, **kept)
sent = accelerator.prepare(DataLoader(make(2, rank=0, world_size=1).as_iterable_dataset(), batch_size=None))
found = [None] * accelerator.num_processes
torch.distributed.all_gather_object(found, [read(divided), read(sent)])
try:
    next(iter(accelerator.prepare(DataLoader(make(4).as_iterable_dataset(), batch_size=None))))
except InvalidInputError as error:
    found.append(str(error))
if accelerator.is_main_process:
    print(json.dumps(found))
accelerator.end_training()
"""


@pytest.mark.slow
def test_ranks_of_accelerate_share_each_batch_once(dataset: Dataset, tmp_path: Path) -> None:
    script = tmp_path / "ranks.py"
    script.write_text(ACCELERATED_RANKS)
    command = [*TORCHRUN, str(script), str(dataset.path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, env=with_tests(), check=False)
    assert done.returncode == 0, done.stderr
    first, second, refused = json.loads(done.stdout.splitlines()[-1])
    assert first[0] == first[1]  # divided by the loader, and sent by the first rank
    assert second[0] == second[1]
    for number, whole in enumerate(read_epochs(dataset, 2)):
        parts = zip(first[0][1][number], second[0][1][number], strict=True)
        assert [one + two for one, two in parts] == whole
    assert first[0][0] == second[0][0] == 13
    assert "divides each batch among 2 ranks itself" in refused


@pytest.mark.slow
def test_hugging_faces_trainer_resumes_with_the_next_batch(dataset: Dataset, tmp_path: Path) -> None:
    from accelerate.data_loader import prepare_data_loader
    from transformers import Trainer, TrainingArguments

    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(()))
            self.seen: Samples = []

        def forward(self, **batch: torch.Tensor) -> dict[str, torch.Tensor]:
            self.seen.append(batch["object_index"].tolist())
            return {"loss": self.weight.square()}

    class LoaderTrainer(Trainer):
        def get_train_dataloader(self) -> Any:
            batches = make_loader(dataset, num_workers=1).as_iterable_dataset(per_rank=True)
            return prepare_data_loader(
                DataLoader(batches, batch_size=None),
                self.args.device,
                num_processes=1,
                process_index=0,
                put_on_device=True,
                dispatch_batches=False,
            )

    def train(checkpoint: str | None) -> Samples:
        arguments = TrainingArguments(
            str(tmp_path),
            use_cpu=True,
            report_to=[],
            num_train_epochs=2,
            save_steps=8,
            disable_tqdm=True,
            logging_strategy="no",
        )
        trainer = LoaderTrainer(model=Model(), args=arguments)
        trainer.train(resume_from_checkpoint=checkpoint)
        return trainer.model.seen

    whole = train(None)
    first, second = read_epochs(dataset, 2)
    assert whole == first + second
    for step in (8, 16):
        assert train(str(tmp_path / f"checkpoint-{step}")) == whole[step:]
