import pickle

import pytest
import torch
from torch import nn

from turntable.errors import IntegrityError
from turntable.training.checkpoints import (
    Position,
    load_checkpoint,
    load_weights,
    read_weights,
    save_checkpoint,
    save_weights,
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "checkpoint.pt"


def make(width=3):
    network = nn.Sequential(nn.Linear(2, width), nn.BatchNorm1d(width))
    optimizer = torch.optim.Adam(network.parameters(), lr=0.1)
    network(torch.rand(5, 2)).square().sum().backward()
    optimizer.step()
    return network, optimizer


def test_everything_comes_back(path):
    network, optimizer = make()
    save_checkpoint(path, network, optimizer, Position(2, 3, 23), {"loss": torch.tensor(1.5)}, "data")
    drawn = torch.rand(4)
    other, other_optimizer = make()
    position, sums = load_checkpoint(path, other, other_optimizer, "data")
    assert torch.equal(torch.rand(4), drawn)
    assert position == Position(2, 3, 23)
    assert sums == {"loss": torch.tensor(1.5)}
    for name, tensor in network.state_dict().items():
        assert torch.equal(other.state_dict()[name], tensor)
    first, second = optimizer.state_dict()["state"], other_optimizer.state_dict()["state"]
    assert torch.equal(first[0]["exp_avg_sq"], second[0]["exp_avg_sq"])


def test_other_data_are_refused(path):
    save_checkpoint(path, *make(), Position(), {}, "data")
    with pytest.raises(IntegrityError, match="trained on other data"):
        load_checkpoint(path, *make(), "other data")


@pytest.mark.parametrize("cut", [0, 10, -100])
def test_a_cut_file_is_refused(path, cut):
    save_checkpoint(path, *make(), Position(), {}, "data")
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(IntegrityError, match=r"checkpoint\.pt is damaged"):
        load_checkpoint(path, *make(), "data")


def test_a_file_that_would_run_code_is_refused(path):
    class Bomb:
        def __reduce__(self):
            return (pytest.fail, ("the file ran code",))

    path.write_bytes(pickle.dumps({"format": Bomb()}, protocol=2))
    with pytest.raises(IntegrityError):
        read_weights(path)


def test_weights_alone_are_no_checkpoint(path):
    network, optimizer = make()
    save_weights(path, network)
    with pytest.raises(IntegrityError, match="has no 'format'"):
        load_checkpoint(path, network, optimizer, "data")


def test_weights_that_do_not_fit_are_an_error_and_change_nothing(path):
    network, _ = make()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    save_weights(path, make(width=4)[0])
    with pytest.raises(IntegrityError, match=r"0\.weight is \[4, 2\], not \[3, 2\]"):
        load_weights(network, read_weights(path), path)
    weights = {"extra": torch.zeros(1), **before}
    del weights["0.bias"]
    with pytest.raises(IntegrityError, match=r"0\.bias is missing; extra belongs to no part"):
        load_weights(network, weights, path)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_a_failed_save_leaves_the_checkpoint_before(path, monkeypatch):
    save_checkpoint(path, *make(), Position(0, 1, 1), {}, "data")
    kept = path.read_bytes()

    def fail(state, file):
        file.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", fail)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(path, *make(), Position(0, 2, 2), {}, "data")
    assert path.read_bytes() == kept
    assert list(path.parent.iterdir()) == [path]
