"""Checkpoints as the published code saves them, filled by plain arithmetic: 44 MB that need not be stored.

``tests/fixtures/layouts`` holds the names and shapes of the weights, as SIE's, EquiCaps' and seq-JEPA's code
have them; what the method that is made of them answers is stored.
"""

import json
from pathlib import Path

import numpy as np
import torch

from tests.support.fixture_runs import DATASET, answers
from tests.support.fixture_sets import Arrays, turntable
from turntable.training import load_method, open_run

KINDS = ("sie", "equicaps", "seq-jepa")


def published_weights(layout: dict[str, list[int]]) -> dict[str, torch.Tensor]:
    """Weights of given shapes, as large as a trained network's.

    Args:
        layout: Shapes by name, in the order of the file.
    """
    return {name: _filled(name, number, shape) for number, (name, shape) in enumerate(layout.items())}


def make_features(kind: str, fixtures: Path, work: Path, out: Path) -> None:
    """Import a checkpoint, and write what its method answers to fixed images."""
    out.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(out / "features.npz", **imported_answers(kind, fixtures, work))


def imported_answers(kind: str, fixtures: Path, work: Path) -> Arrays:
    """Return what the method of an imported checkpoint answers.

    Args:
        kind: Of ``KINDS``.
        fixtures: The folder with the layouts and the data set.
        work: Gets the checkpoint and the run.
    """
    layout = json.loads((fixtures / "layouts" / f"{kind}.json").read_text())
    torch.save({"epoch": 3, "model": published_weights(layout)}, work / "published.pth")
    turntable("import-checkpoint", work / "published.pth", fixtures / DATASET, "--out", work / "run")
    run = open_run(work / "run")
    return answers(load_method(run), run.data.image_size_px)


def _filled(name: str, number: int, shape: list[int]) -> torch.Tensor:
    if name.endswith("num_batches_tracked"):
        return torch.tensor(100 + number)
    size = int(np.prod(shape))
    spread = _spread(size, number).reshape(shape)
    if name.endswith("running_var"):
        values = 1 + 0.25 * spread
    elif len(shape) == 1 and name.endswith("weight"):  # the scale of a norm
        values = 1 + 0.1 * spread
    elif len(shape) == 1:
        values = 0.1 * spread
    else:  # variance 2 / fan-in, as uniform numbers have it
        values = spread * np.sqrt(6 / (size / shape[0]))
    return torch.from_numpy(np.asarray(values, np.float32))


def _spread(size: int, number: int) -> np.ndarray:
    """Numbers in [-1, 1) that a hash of place and tensor scatters; integers, so the same everywhere."""
    mixed = np.arange(1, size + 1, dtype=np.uint64) * np.uint64(2654435761) + np.uint64(number * 97 + 1)
    mixed ^= mixed >> np.uint64(13)
    mixed *= np.uint64(0x9E3779B97F4A7C15)
    return (mixed >> np.uint64(40)).astype(np.float64) / 2**23 - 1
