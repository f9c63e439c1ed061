"""Runs of ``tests/fixtures/runs``: how each is trained, stopped and continued, and what it answers."""

import shutil
from contextlib import chdir
from itertools import count
from pathlib import Path

import numpy as np
import torch

from tests.support.fixture_sets import Arrays, turntable
from tests.support.tiny_backbone import tiny_backbone
from turntable.errors import StoppedError
from turntable.models import Method
from turntable.training import load_method, open_run, train

DATASET = "sets/pairs"
_ALL = (
    f"train {DATASET} --preset demo --backbone tiny --epochs 4 --batch-size 9 --workers 0 --device cpu"
    " --set pairs_per_object=3 --set log_every=1 --set center_crop=1"
)
COMMANDS: dict[str, str] = {
    "sie": f"{_ALL} --method sie --set equivariant_dim=8 --set projector_widths=8,8,8",
    "equicaps": f"{_ALL} --method equicaps-3x3 --set num_capsules=2 --set average_decay=0.5"
    " --schedule constant --learning-rate 0.05",
    "seq-jepa": f"{_ALL} --method seq-jepa --set num_layers=1 --set num_attention_heads=2"
    " --set feedforward_width=8 --set predictor_width=8 --set action_width=4",
    "simclr": f"{_ALL} --method simclr --set projector_widths=8,8,8 --set optimizer=sgd"
    " --learning-rate 0.05 --accumulate 3",
}
"""Arguments of ``turntable``, started in ``tests/fixtures``, but for --out."""
STOPPED_AFTER = 7
"""Steps, of 12: in the midst of the third epoch."""


def make_run(name: str, fixtures: Path, out: Path) -> None:
    """Train a method to the end, and once more to the middle; write what it answers to fixed images.

    Args:
        name: Of ``COMMANDS``.
        fixtures: The folder with the data set.
        out: Gets finished/, half/ and features.npz.
    """
    finished, half = out.resolve() / "finished", out.resolve() / "half"
    continue_run(name, fixtures, finished)
    with chdir(fixtures), tiny_backbone():
        asked = count(1)
        try:
            train(open_run(finished).config, half, stop=lambda: next(asked) >= STOPPED_AFTER)
        except StoppedError:
            pass
        else:
            raise RuntimeError(f"the run of {name} ended before it was stopped")
        np.savez(out / "features.npz", **answers(load_method(open_run(finished))))
    for folder in (finished, half):
        shutil.rmtree(folder / "tb")  # its names have the machine's, and no run reads it
    (finished / "checkpoint.pt").unlink()  # a finished run goes on from nothing


def continue_run(name: str, fixtures: Path, folder: Path) -> None:
    """Begin a run, or go on with it, by its command."""
    with chdir(fixtures), tiny_backbone():
        turntable(*COMMANDS[name].split(), "--out", folder.resolve())


def answers(method: Method, size_px: int = 32) -> Arrays:
    """Return what a method says of fixed images, part by part, and what it predicts of them."""
    images = fixed_images(3, size_px)
    with torch.inference_mode():
        embedding = method.embed(images)
        parts = {
            name: getattr(embedding, name)
            for name in ("representation", "invariant", "equivariant", "source", "target")
        }
        if hasattr(method, "predict"):
            parts["predicted"] = method.predict(embedding.source, fixed_actions(method, len(images)))
        if hasattr(method, "aggregate"):
            actions = fixed_actions(method, 2)[None]
            parts["aggregated"] = method.aggregate(embedding.representation[None], actions)
    return {name: values.numpy() for name, values in parts.items() if values.shape[1]}


def fixed_images(number: int, size_px: int) -> torch.Tensor:
    """Pictures [N, 3, H, W] by plain arithmetic, uint8."""
    n, c, y, x = np.indices((number, 3, size_px, size_px))
    return torch.from_numpy(
        ((7 * x * x + 13 * y * (n + 2) + 29 * c + x * y * (n + 1)) % 256).astype(np.uint8)
    )


def fixed_actions(method: Method, number: int) -> torch.Tensor:
    """Turns by quarters about the three axes, [N, 4] or [N, 9], as the method is told them."""
    if tuple(method.action) == ("relative_rotation",):
        x, y, z = ([1, 0, 0, 0, 0, -1, 0, 1, 0], [0, 0, 1, 0, 1, 0, -1, 0, 0], [0, -1, 0, 1, 0, 0, 0, 0, 1])
        return torch.tensor([x, y, z][:number], dtype=torch.float32)
    if tuple(method.action) != ("relative_quaternion",):
        raise ValueError(f"no fixed actions are told by {method.action}")
    quaternions = np.concatenate([np.eye(3), np.ones((3, 1))], axis=1) * np.sqrt(0.5)
    return torch.from_numpy(quaternions[:number].astype(np.float32))


def copied_run(name: str, kind: str, fixtures: Path, work: Path) -> Path:
    """A copy of a stored run, as evaluation and training write into its folder."""
    folder = work / f"{name}-{kind}"
    shutil.copytree(fixtures / "runs" / name / kind, folder)
    return folder
