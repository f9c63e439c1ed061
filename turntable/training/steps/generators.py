"""The generators of random numbers that libraries share: kept, put back, and lent to a run."""

import random
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch


def generator_states(device: torch.device) -> dict[str, Any]:
    """Of torch (CPU, and the device), numpy and Python, as tensors and plain numbers."""
    _, key, place, has_gauss, gauss = np.random.get_state(legacy=True)  # noqa: NPY002 (it is the shared one)
    version, words, python_gauss = random.getstate()
    return {
        "cpu": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state(device) if device.type == "cuda" else None,
        "numpy": {
            "key": torch.from_numpy(np.asarray(key).astype(np.int64)),
            "rest": [int(place), int(has_gauss), float(gauss)],
        },
        "python": {"version": version, "words": torch.tensor(words), "gauss": python_gauss},
    }


def restore_generators(state: dict[str, Any], device: torch.device) -> None:
    """Put the generators back to where ``states`` was called."""
    torch.set_rng_state(state["cpu"])
    if device.type == "cuda" and state["cuda"] is not None:
        torch.cuda.set_rng_state(state["cuda"], device)
    place, has_gauss, gauss = state["numpy"]["rest"]
    key = state["numpy"]["key"].numpy().astype(np.uint32)
    np.random.set_state(("MT19937", key, place, has_gauss, gauss))  # noqa: NPY002
    python = state["python"]
    random.setstate((python["version"], tuple(python["words"].tolist()), python["gauss"]))


def seed_all(seed: int) -> None:
    """Start all of them from a seed."""
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002
    random.seed(seed)


@contextmanager
def lend_generators(seed: int, device: torch.device) -> Generator[None, None, None]:
    """For the time of a block, the generators start from a seed; afterwards they are the caller's again."""
    before = generator_states(device)
    seed_all(seed)
    try:
        yield
    finally:
        restore_generators(before, device)
