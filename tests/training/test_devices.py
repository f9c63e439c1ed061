"""GPUs that processes of one machine take, where there are some; here they are made up."""

import pytest
import torch

from turntable.errors import InvalidInputError
from turntable.training.steps.distributed import resolve_device


@pytest.fixture
def gpus(monkeypatch):
    """A machine of two; holds which one was set."""
    chosen = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", lambda device: chosen.append(str(device)))
    return chosen


@pytest.mark.parametrize(
    ("name", "rank", "device"),
    [
        ("auto", None, "cuda:0"),
        ("cuda", "1", "cuda:1"),
        ("cuda:0", "1", "cuda:0"),
        ("cpu", "1", "cpu"),
    ],
)
def test_each_process_takes_its_own_unless_one_is_named(gpus, monkeypatch, name, rank, device):
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    if rank is not None:
        monkeypatch.setenv("LOCAL_RANK", rank)
    assert str(resolve_device(name)) == device
    assert gpus == ([] if device == "cpu" else [device])


def test_more_processes_than_gpus(gpus, monkeypatch):
    monkeypatch.setenv("LOCAL_RANK", "2")
    with pytest.raises(InvalidInputError, match="there are 2 GPUs here; start at most 2 ranks per machine"):
        resolve_device("cuda")
    assert gpus == []
