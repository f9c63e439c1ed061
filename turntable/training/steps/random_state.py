"""The state of the global random generators of torch, numpy and Python: saving, restoring and seeding."""

import random
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch


def get_random_state(device: torch.device) -> dict[str, Any]:
    """Return the state of the generators as tensors and plain numbers, which checkpoints can hold.

    Args:
        device: Device of the training, whose generator is included if it is a GPU.
    """
    _, key, position, has_gauss, gauss = np.random.get_state(legacy=True)  # noqa: NPY002 (the global one)
    version, words, python_gauss = random.getstate()
    return {
        "cpu": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state(device) if device.type == "cuda" else None,
        "numpy": {
            "key": torch.from_numpy(np.asarray(key).astype(np.int64)),
            "rest": [int(position), int(has_gauss), float(gauss)],
        },
        "python": {"version": version, "words": torch.tensor(words), "gauss": python_gauss},
    }


def restore_random_state(state: dict[str, Any], device: torch.device) -> None:
    """Restore the state of the generators.

    Args:
        state: State from ``get_random_state``.
        device: Device of the training.
    """
    torch.set_rng_state(state["cpu"])
    if device.type == "cuda" and state["cuda"] is not None:
        torch.cuda.set_rng_state(state["cuda"], device)
    position, has_gauss, gauss = state["numpy"]["rest"]
    key = state["numpy"]["key"].numpy().astype(np.uint32)
    np.random.set_state(("MT19937", key, position, has_gauss, gauss))  # noqa: NPY002
    python = state["python"]
    random.setstate((python["version"], tuple(python["words"].tolist()), python["gauss"]))


def seed_all(seed: int) -> None:
    """Seed all generators."""
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002
    random.seed(seed)


@contextmanager
def isolate_random_state(seed: int, device: torch.device) -> Generator[None, None, None]:
    """Seed the generators for the time of a block, and restore their previous state afterwards."""
    before = get_random_state(device)
    seed_all(seed)
    try:
        yield
    finally:
        restore_random_state(before, device)
