"""The base class of the method tests, with the fixtures that build a method and its batch."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from turntable.datasets import Dataset, open_dataset
from turntable.loaders import BatchConfig, Loader, Views
from turntable.models import Method, MethodConfig, MethodEntry, build_backbone, register_method
from turntable.testing.datasets import make_full_dataset
from turntable.training import TrainConfig, make_demo_config
from turntable.training.runs import TrainingData
from turntable.training.steps import check_data, make_loader

METHOD_NAME = "method-under-test"
"""Name under which the tests register the method."""
NUM_ROWS = 6
"""Number of rows of a batch."""
Fields = dict[str, Tensor]
"""Fields of a batch by name."""


class MethodTests:
    """Tests of a method, which a fixture ``entry`` provides, on a data set from the fixture ``dataset``."""

    deterministic_settings: Mapping[str, Any] = {}
    """Settings of the method with which its loss draws no random numbers, such as ``{"dropout": 0.0}``."""
    untrained_parameters: tuple[str, ...] = ()
    """Prefixes of the names of trainable parameters that get no gradient from the loss."""

    @pytest.fixture
    def entry(self) -> MethodEntry:
        """The method with its configuration; a test class overrides this fixture."""
        raise NotImplementedError("give the test class a fixture `entry` that returns a MethodEntry")

    @pytest.fixture
    def dataset(self, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
        """A synthetic data set with pairs, sequences, all labels and points; to override for other fields."""
        folder = tmp_path_factory.getbasetemp() / "made-up-set"  # shared by all tests of the session
        return open_dataset(folder) if folder.exists() else make_full_dataset(folder)

    @pytest.fixture
    def name(self, entry: MethodEntry) -> str:
        """The name of the registered method."""
        register_method(METHOD_NAME, entry)
        return METHOD_NAME

    @pytest.fixture
    def config(self, entry: MethodEntry) -> MethodConfig:
        """The configuration to test: that of the demo, with ``deterministic_settings``."""
        return dataclasses.replace(entry.make_config().demo(), **self.deterministic_settings)

    @pytest.fixture
    def settings(self, name: str, config: MethodConfig, dataset: Dataset) -> TrainConfig:
        """The settings of a training run of one epoch."""
        changes = {"batch_size": NUM_ROWS, "epochs": 1, "pairs_per_object": 1, "method_config": config}
        return make_demo_config(name, dataset.path_or_url, **changes)

    @pytest.fixture
    def method(self, entry: MethodEntry, config: MethodConfig, dataset: Dataset) -> Method:
        """The method with initial weights, drawn with a fixed seed."""
        return build_method(entry, config, dataset)

    @pytest.fixture
    def batch(self, settings: TrainConfig, method: Method, dataset: Dataset) -> Fields:
        """The first batch of a training run."""
        check_data(settings, method, TrainingData.from_dataset(dataset))
        loader = make_loader(settings, method, torch.device("cpu"))
        try:
            return dict(next(iter(loader)))
        finally:
            loader.close()


def build_method(entry: MethodEntry, config: MethodConfig, dataset: Dataset, seed: int = 0) -> Method:
    """Build a method with weights drawn with a seed; torch's generator is left as it was."""
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        backbone = build_backbone("small") if entry.has_backbone else None
        return entry.build(config, backbone, TrainingData.from_dataset(dataset).to_data_info())


def load_single_views(dataset: Dataset, fields: tuple[str, ...]) -> Fields:
    """Load the fields of a few single views, as evaluation passes them to ``embed``."""
    config = BatchConfig(sampler=Views(shuffled=False), batch_size=NUM_ROWS, fields=fields)
    batch = next(iter(Loader(dataset.path_or_url, config)))
    missing = [name for name in fields if name not in batch]
    assert not missing, f"embeds_from names fields of single views; these are none: {', '.join(missing)}"
    return {name: batch[name] for name in fields}


def compute_losses(method: Method, batch: Mapping[str, Tensor], seed: int = 0) -> Fields:
    """Compute the loss and its terms; random numbers in the loss are drawn with a seed."""
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        losses: Any = method.loss(batch)
    assert isinstance(losses, dict), "loss(batch) returns a dictionary of scalars"
    assert "loss" in losses, 'the dictionary has the key "loss", which is minimized'
    return losses
