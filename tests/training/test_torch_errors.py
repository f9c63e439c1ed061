"""Errors of torch in plain words, and defaults of torch that a program has set."""

import os
import subprocess
import sys

import pytest
import torch

from tests.support import with_tests
from tests.support.ports import free_port
from turntable.errors import InvalidInputError, TurntableError
from turntable.training import load_method, make_demo_config, open_run, train
from turntable.training.runs.checkpoints import read_weights
from turntable.training.steps import process_group


def short(dataset, **changes):
    settings = {"epochs": 1, "pairs_per_object": 2, "batch_size": 4, "log_every": 1}
    return make_demo_config("vicreg", dataset, **{**settings, **changes})


@pytest.fixture(scope="module")
def plain(dataset, tmp_path_factory):
    return train(short(dataset), tmp_path_factory.mktemp("runs") / "plain")


@pytest.mark.parametrize(
    "set_defaults", ["torch.set_default_device('meta')", "torch.set_default_dtype(torch.float64)"]
)
def test_defaults_that_a_program_has_set_change_nothing(dataset, plain, tmp_path, set_defaults):
    """In a process of its own, since defaults outlive a test."""
    script = f"""
import sys, torch
torch.set_num_threads(1)
{set_defaults}
before = torch.get_default_dtype(), torch.get_default_device()
from turntable.training import load_method, make_demo_config, open_run, train
settings = dict(epochs=1, pairs_per_object=2, batch_size=4, log_every=1)
run = train(make_demo_config("vicreg", sys.argv[1], **settings), sys.argv[2])
parameter = next(load_method(open_run(run)).parameters())
assert (parameter.dtype, parameter.device.type) == (torch.float32, "cpu")
assert before == (torch.get_default_dtype(), torch.get_default_device())
"""
    command = [sys.executable, "-c", script, str(dataset), str(tmp_path / "run")]
    done = subprocess.run(command, env=with_tests(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    one, two = (read_weights(folder / "weights.pt") for folder in (plain, tmp_path / "run"))
    assert all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate(handle)"),
        MemoryError(),
    ],
)
def test_too_little_memory_names_the_options(toy_config, toys, tmp_path, monkeypatch, error):
    def fail(self, batch):
        raise error

    from tests.training.conftest import Toy

    monkeypatch.setattr(Toy, "loss", fail)
    with pytest.raises(TurntableError) as told:
        train(toy_config(batch_size=8), tmp_path / "run")
    for words in ("not enough memory", "--accumulate 2 (accumulate=2)", "--batch-size 4 (batch_size=4)"):
        assert words in str(told.value)


def test_a_gpu_that_fails_is_said_in_a_line(toy_config, toys, tmp_path, monkeypatch):
    def fail(self, batch):
        raise RuntimeError(
            "CUDA error: an illegal memory access was encountered\nCompile with TORCH_USE_CUDA_DSA"
        )

    from tests.training.conftest import Toy

    monkeypatch.setattr(Toy, "loss", fail)
    words = (
        "the GPU failed .CUDA error: an illegal memory access was encountered.. The same command continues"
    )
    with pytest.raises(TurntableError, match=words):
        train(toy_config(), tmp_path / "run")


def test_a_fault_of_a_methods_own_code_keeps_its_traceback(toy_config, toys, tmp_path, monkeypatch):
    def fail(self, batch):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    from tests.training.conftest import Toy

    monkeypatch.setattr(Toy, "loss", fail)
    with pytest.raises(RuntimeError, match="mat1") as told:
        train(toy_config(), tmp_path / "run")
    assert not isinstance(told.value, TurntableError)


@pytest.mark.parametrize(("name", "value"), [("WORLD_SIZE", "two"), ("WORLD_SIZE", "-1"), ("WORLD_SIZE", "")])
def test_variables_of_a_launcher_that_are_no_numbers(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with (
        pytest.raises(
            InvalidInputError, match=f"{name} is '{value}', not a whole number: start the ranks with"
        ),
        process_group("cpu"),
    ):
        pytest.fail("they met")


def test_a_port_that_is_taken_is_said_with_the_address(monkeypatch):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port()))
        taken.listen()
        port = str(taken.getsockname()[1])
        launcher = {"WORLD_SIZE": "2", "RANK": "0", "LOCAL_RANK": "0", "MASTER_ADDR": "127.0.0.1"}
        for name, value in {**launcher, "MASTER_PORT": port}.items():
            monkeypatch.setenv(name, value)
        words = f"rank 0 of 2 cannot reach the others at MASTER_ADDR 127.0.0.1, MASTER_PORT {port} "
        with pytest.raises(TurntableError, match=words), process_group("cpu"):
            pytest.fail("they met")
    assert os.environ["MASTER_PORT"] == port


@pytest.mark.parametrize("damage", ["cut", "text"])
def test_a_file_of_weights_that_torch_cannot_read(dataset, plain, tmp_path, damage):
    import shutil

    run = tmp_path / "run"
    shutil.copytree(plain, run)
    path = run / "weights.pt"
    path.write_bytes(path.read_bytes()[:-500] if damage == "cut" else b"no weights")
    with pytest.raises(TurntableError, match=r"weights\.pt") as told:
        load_method(open_run(run))
    assert "Traceback" not in str(told.value)
    with pytest.raises(TurntableError, match=r"weights\.pt"):
        train(short(dataset, start_from=str(run)), tmp_path / "other")
