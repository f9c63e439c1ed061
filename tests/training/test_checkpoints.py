import pickle

import pytest
import torch
from torch import nn

from turntable.errors import IntegrityError
from turntable.training.runs import load_weights, save_weights
from turntable.training.runs.checkpoints import Checkpoints, read_weights


@pytest.fixture
def checkpoints(tmp_path):
    return Checkpoints(tmp_path, "sie", "data")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "weights.pt"


def make(width=3):
    return nn.Sequential(nn.Linear(2, width), nn.BatchNorm1d(width))


def state(step):
    return {"model": {"weight": torch.arange(1000.0) + step}, "step": step}


def never(message):
    pytest.fail(f"it warned: {message}")


def test_there_is_none_at_first(checkpoints):
    assert checkpoints.load(never) is None


def test_what_was_saved_last_comes_back(checkpoints):
    for step in (1, 2, 3):
        checkpoints.save(state(step))
    found = checkpoints.load(never)
    assert found["step"] == 3
    assert torch.equal(found["model"]["weight"], state(3)["model"]["weight"])
    names = {path.name for path in checkpoints.folder.iterdir()}
    assert names == {"checkpoint.pt", "checkpoint-previous.pt"}


def flipped(data):
    return data.replace(torch.tensor([600.0]).numpy().tobytes(), torch.tensor([7.0]).numpy().tobytes())


@pytest.mark.parametrize(
    "damage", [lambda data: b"", lambda data: data[:-100], flipped, lambda data: b"weights"]
)
def test_of_a_damaged_one_the_previous_is_taken_and_that_is_said(checkpoints, damage):
    checkpoints.save(state(1))
    checkpoints.save(state(2))
    before = checkpoints.last_path.read_bytes()
    checkpoints.last_path.write_bytes(damage(before))
    assert checkpoints.last_path.read_bytes() != before
    said = []
    assert checkpoints.load(said.append)["step"] == 1
    assert len(said) == 1
    assert "checkpoint.pt is damaged" in said[0]
    assert "continuing from checkpoint-previous.pt, step 1" in said[0]


def test_the_previous_one_is_taken_where_a_kill_left_it_alone(checkpoints):
    checkpoints.save(state(1))
    checkpoints.last_path.replace(checkpoints.previous_path)
    assert checkpoints.load(never)["step"] == 1


def test_both_damaged_is_an_error_that_names_both(checkpoints):
    checkpoints.save(state(1))
    checkpoints.save(state(2))
    checkpoints.last_path.write_bytes(b"")
    save_weights(checkpoints.previous_path, make().state_dict())
    with pytest.raises(IntegrityError, match=r"\.pt is damaged.*previous\.pt is no checkpoint; there"):
        checkpoints.load(never)


def test_the_only_one_damaged_is_an_error(checkpoints):
    checkpoints.save(state(1))
    checkpoints.last_path.write_bytes(b"")
    with pytest.raises(IntegrityError, match="there is no other checkpoint: remove"):
        checkpoints.load(never)


def test_of_another_method_or_of_other_data_is_refused(checkpoints, tmp_path):
    checkpoints.save(state(1))
    with pytest.raises(IntegrityError, match="is a checkpoint of sie, but this run trains vicreg"):
        Checkpoints(tmp_path, "vicreg", "data").load(never)
    with pytest.raises(IntegrityError, match="trained on other data"):
        Checkpoints(tmp_path, "sie", "other data").load(never)


def test_of_another_version_is_refused(checkpoints):
    checkpoints.save(state(1))
    torch.save({"format": 1}, checkpoints.last_path)
    with pytest.raises(IntegrityError, match="has format 1; this version reads 2"):
        checkpoints.load(never)


def test_a_failed_save_leaves_those_before(checkpoints, monkeypatch):
    checkpoints.save(state(1))
    checkpoints.save(state(2))

    def fail(state, file):
        file.write(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(torch, "save", fail)
        with pytest.raises(KeyboardInterrupt):
            checkpoints.save(state(3))
    assert checkpoints.load(never)["step"] == 2
    assert len(list(checkpoints.folder.iterdir())) == 2


def test_a_file_that_would_run_code_is_refused(path):
    class Bomb:
        def __reduce__(self):
            return (pytest.fail, ("the file ran code",))

    torch.save({"format": Bomb()}, path)
    with pytest.raises(IntegrityError):
        read_weights(path)
    path.write_bytes(pickle.dumps({"format": Bomb()}, protocol=2))
    with pytest.raises(IntegrityError):
        read_weights(path)


def test_weights_that_do_not_fit_are_an_error_and_change_nothing(path):
    network = make()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    save_weights(path, make(width=4).state_dict())
    with pytest.raises(IntegrityError, match=r"0\.weight is \[4, 2\], not \[3, 2\]"):
        load_weights(network, read_weights(path), path)
    weights = {"extra": torch.zeros(1), **before}
    del weights["0.bias"]
    with pytest.raises(IntegrityError, match=r"0\.bias is missing; extra is superfluous"):
        load_weights(network, weights, path)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
