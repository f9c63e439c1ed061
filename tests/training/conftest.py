from dataclasses import dataclass

import pytest
import torch
from torch import nn

from turntable.models import METHODS, PAIR, ImageMethod, MethodConfig, MethodEntry, SampleSpec
from turntable.testing.datasets import make_full_dataset, make_synthetic_dataset
from turntable.training import make_demo_config


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Tensors this small lose more to waiting for other threads than they gain."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "set"
    make_synthetic_dataset(folder)
    return folder


@pytest.fixture(scope="session")
def full_dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "full"
    make_full_dataset(folder)
    return folder


@dataclass(frozen=True, slots=True)
class ToyConfig(MethodConfig):
    """A method that is done at once, and shows what it was given."""

    fields: tuple[str, ...] = ("view_1", "view_2")
    views: int = PAIR.num_views
    consecutive: bool = False

    @property
    def sample(self):
        return SampleSpec(self.views, self.consecutive)


class Toy(ImageMethod):
    """The loss is the mean of the weights times that of the first views, and of a draw."""

    def __init__(self, config, backbone, data):
        super().__init__(backbone, data)
        self.reads = config.fields
        self.weight = nn.Parameter(torch.ones(3, 2))
        self.bias = nn.Parameter(torch.ones(3))
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))
        self.register_buffer("brightness", torch.zeros(()))
        self.batches, self.before, self.after = [], [], []

    def loss(self, batch):
        self.batches.append(batch)
        seen = batch[self.reads[0]].float().mean() / 255
        self.brightness.copy_(seen)
        total = (self.weight.mean() + self.bias.mean()) * seen
        return {"loss": total, "brightness": seen, "drawn": torch.rand(())}

    def before_step(self, state):
        self.before.append(state)

    def after_step(self, state):
        self.steps += 1
        self.after.append(state)


@pytest.fixture
def toys(monkeypatch):
    """Makes "toy" a method; the list of those that have been built."""
    built = []

    class KeptToy(Toy):
        def __init__(self, config, backbone, data):
            super().__init__(config, backbone, data)
            if self.weight.device.type != "meta":  # where a run only looks whether it will fit
                built.append(self)

    monkeypatch.setitem(METHODS, "toy", MethodEntry(ToyConfig, KeptToy))
    return built


@pytest.fixture
def toy_config(dataset, toys):
    def make(place=dataset, **changes):
        settings = {"epochs": 2, "pairs_per_object": 2, "batch_size": 4, "log_every": 1, "warmup_epochs": 0}
        return make_demo_config("toy", place, **{**settings, "schedule": "constant", **changes})

    return make
