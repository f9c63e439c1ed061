"""The trial of a method: what it is built of, what it is given, and the settings of its tests."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from turntable.datasets import Dataset, open_dataset
from turntable.loaders import BatchConfig, Loader, Views
from turntable.models import Method, MethodConfig, MethodEntry, build_backbone, register_method
from turntable.testing.sets import make_full_dataset
from turntable.training import TrainConfig, demo_config
from turntable.training.runs import TrainingData
from turntable.training.steps import check_data, make_loader

NAME = "method-under-test"
"""Under which the method is registered in the process of the tests."""
ROWS = 6
Fields = dict[str, Tensor]


class MethodTests:
    """Tests of a fixture ``entry``, on a data set that is made up, or on another fixture ``dataset``."""

    steady: Mapping[str, Any] = {}
    """Settings with which the loss draws nothing by chance, such as ``{"dropout": 0.0}``."""
    unreached: tuple[str, ...] = ()
    """Beginnings of the names of trainable parameters that the loss does not reach."""

    @pytest.fixture
    def entry(self) -> MethodEntry:
        """The method with its configuration."""
        raise NotImplementedError("give the test class a fixture `entry` that returns a MethodEntry")

    @pytest.fixture
    def dataset(self, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
        """The data: pairs, sequences, all labels, and points; override it where the method reads more."""
        folder = tmp_path_factory.getbasetemp() / "made-up-set"  # made once
        return open_dataset(folder) if folder.exists() else make_full_dataset(folder)

    @pytest.fixture
    def name(self, entry: MethodEntry) -> str:
        """The name under which the product knows the method."""
        register_method(NAME, entry)
        return NAME

    @pytest.fixture
    def config(self, entry: MethodEntry) -> MethodConfig:
        """The configuration that is tested: the demo's, without what is drawn by chance."""
        return dataclasses.replace(entry.make_config().demo(), **self.steady)

    @pytest.fixture
    def settings(self, name: str, config: MethodConfig, dataset: Dataset) -> TrainConfig:
        """The settings of a training of one epoch."""
        changes = {"batch_size": ROWS, "epochs": 1, "pairs_per_object": 1, "method_config": config}
        return demo_config(name, dataset.place, **changes)

    @pytest.fixture
    def method(self, entry: MethodEntry, config: MethodConfig, dataset: Dataset) -> Method:
        """The method with fresh weights, always the same."""
        return built(entry, config, dataset)

    @pytest.fixture
    def batch(self, settings: TrainConfig, method: Method, dataset: Dataset) -> Fields:
        """The first batch that a training gives it."""
        check_data(settings, method, TrainingData.of_dataset(dataset))
        loader = make_loader(settings, method, torch.device("cpu"))
        try:
            return dict(next(iter(loader)))
        finally:
            loader.close()


def built(entry: MethodEntry, config: MethodConfig, dataset: Dataset, seed: int = 0) -> Method:
    """Build a method, with weights drawn by a seed."""
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        backbone = build_backbone("small") if entry.has_backbone else None
        return entry.build(config, backbone, TrainingData.of_dataset(dataset).info())


def single_views(dataset: Dataset, fields: tuple[str, ...]) -> Fields:
    """Return fields of a few single views, as evaluation gives them to ``embed``."""
    config = BatchConfig(sampler=Views(shuffled=False), batch_size=ROWS, fields=fields)
    batch = next(iter(Loader(dataset.place, config)))
    missing = [name for name in fields if name not in batch]
    assert not missing, f"embeds_from names fields of single views; there is no {', '.join(missing)}"
    return {name: batch[name] for name in fields}


def losses_of(method: Method, batch: Mapping[str, Tensor], seed: int = 0) -> Fields:
    """Compute the loss and its terms; what the loss draws by chance is decided by a seed."""
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        found: Any = method.loss(batch)
    assert isinstance(found, dict), "loss(batch) returns a dictionary of scalars"
    assert "loss" in found, 'the dictionary has "loss", which is minimized'
    return found
