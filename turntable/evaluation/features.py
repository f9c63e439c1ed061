"""Features: what a frozen method says of every view of a split, computed once and kept."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from turntable.datasets.dataset import Dataset, open_dataset
from turntable.datasets.storage import atomic_file
from turntable.loaders.loader import Loader
from turntable.loaders.samplers import Views
from turntable.models import Embedding, Method
from turntable.training import Run, load_method

Parts = dict[str, NDArray[np.float32]]
"""[N, V, D] by name: "representation", then "invariant" and "equivariant" where the method has them."""


@dataclass(frozen=True, slots=True, eq=False)
class SplitFeatures:
    """Features of a split beside the labels that the probes are to find in them."""

    parts: Parts
    quaternions: NDArray[np.float64]
    """[N, V, 4] absolute rotations, xyzw."""
    categories: NDArray[np.int64]
    """[N]."""
    object_ids: tuple[str, ...] = field(default=())

    @property
    def num_objects(self) -> int:
        """N."""
        return self.quaternions.shape[0]

    @property
    def num_views(self) -> int:
        """V."""
        return self.quaternions.shape[1]


def split_features(run: Run, dataset_dir: Path | str, split: str, batch_size: int = 256) -> SplitFeatures:
    """The features of a finished run, from the run's folder if they were computed before.

    Args:
        run: Finished.
        dataset_dir: Of any data set, not only the run's own.
        split: "train" or "val".
        batch_size: Views at a time; the features do not depend on it.

    Raises:
        InvalidInputError: The run is not finished, or there is no such split.
        IntegrityError: The data or the weights are damaged.
    """
    dataset = open_dataset(dataset_dir)
    with dataset.split(split) as opened:
        quaternions = dataset.schema.quaternions(opened.labels)
        categories, ids = opened.categories, tuple(record.id for record in opened.objects)
    cache = run.folder / "features" / f"{split}-{_cache_key(run, dataset)}.npz"
    if cache.is_file():
        parts = _read_parts(cache)
    else:
        parts = extract(load_method(run), dataset_dir, split, run.config.image_size, batch_size)
        _write_parts(cache, parts)
    return SplitFeatures(parts, quaternions, categories, ids)


def extract(
    method: Method, dataset_dir: Path | str, split: str, image_size: int | None = None, batch_size: int = 256
) -> Parts:
    """Embed every view of a split with a frozen method in ``eval()`` mode.

    Returns:
        [N, V, D] by part; parts of width 0 are left out.
    """
    method = method.eval().to("cuda" if torch.cuda.is_available() else "cpu")
    loader = Loader(
        dataset_dir, split, Views(shuffled=False), batch_size, labels=(), last="short", image_size=image_size
    )
    shape = (loader.num_objects, loader.dataset.manifest.views)
    parts: Parts = {}
    for batch in loader:
        rows, views = batch["object_index"].numpy(), batch["view_index"].numpy()
        for name, values in _embed(method, batch["view"]).items():
            if name not in parts:
                parts[name] = np.zeros((*shape, values.shape[1]), np.float32)
            parts[name][rows, views] = values.float().cpu().numpy()
    return parts


@torch.inference_mode()
def _embed(method: Method, images: Tensor) -> dict[str, Tensor]:
    device = next(method.parameters()).device
    return named_parts(method.embed(images.to(device)))


def named_parts(embedding: Embedding) -> dict[str, Tensor]:
    """The parts of an embedding that are there, by name."""
    parts = {
        "representation": embedding.representation,
        "invariant": embedding.invariant,
        "equivariant": embedding.equivariant,
    }
    return {name: values for name, values in parts.items() if values.shape[1] > 0}


def _cache_key(run: Run, dataset: Dataset) -> str:
    """Changes with the weights and with anything that the manifest states, the shards' bytes among it."""
    digest = hashlib.sha256()
    for content in (run.weights.read_bytes(), dataset.manifest.to_json().encode()):
        digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()[:24]


def _read_parts(path: Path) -> Parts:
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def _write_parts(path: Path, parts: Parts) -> None:
    with atomic_file(path) as file:
        np.savez(file, **parts)  # pyright: ignore[reportArgumentType]  (its keywords share one type with a flag)
