"""Features: what a frozen method says of every view of a split, computed once and kept."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.lib.format import open_memmap
from numpy.typing import NDArray
from torch import Tensor

from turntable import __version__
from turntable.datasets import Dataset, open_dataset
from turntable.datasets.files import write_text
from turntable.datasets.labels import TRANSLATION_NAMES, LabelArray, LabelSchema
from turntable.errors import IntegrityError, InvalidInputError, shown
from turntable.evaluation.numbers import compute_device
from turntable.geometry import quaternion_to_matrix
from turntable.loaders import BatchConfig, Loader, Views
from turntable.loaders.fields import field_names
from turntable.models import Embedding, Method
from turntable.training import Run, load_method

Parts = Mapping[str, NDArray[np.float32]]
"""[N, V, D] by name: "representation", then "invariant" and "equivariant" where the method has them."""

HUES = ("floor_hue", "light_hue")


@dataclass(frozen=True, slots=True, eq=False)
class SplitFeatures:
    """Features of a split beside the labels that the probes are to find in them."""

    parts: Parts
    """What is probed."""
    quaternions: NDArray[np.float64]
    """[N, V, 4] absolute rotations, xyzw."""
    categories: NDArray[np.int64]
    """[N]."""
    object_ids: tuple[str, ...] = ()
    labels: LabelArray | None = None
    """[N, V, L], all label columns."""
    schema: LabelSchema | None = None
    """Of the columns."""
    source: NDArray[np.float32] | None = None
    """[N, V, E]: what a method that predicts starts from."""
    target: NDArray[np.float32] | None = None
    """[N, V, E]: what it should arrive at."""

    @property
    def num_objects(self) -> int:
        """N."""
        return self.quaternions.shape[0]

    @property
    def num_views(self) -> int:
        """V."""
        return self.quaternions.shape[1]

    @property
    def hues(self) -> NDArray[np.float64] | None:
        """[N, V, 2] of floor and light in turns, where both vary."""
        return self._columns(HUES)

    @property
    def translations(self) -> NDArray[np.float64] | None:
        """[N, V, 3] in the object's frame, in diagonals of its bounding box, where they vary."""
        return self._columns(TRANSLATION_NAMES)

    @property
    def positions(self) -> NDArray[np.float64] | None:
        """[N, V, 3]: the same in the world's frame, R t."""
        shifts = self.translations
        if shifts is None:
            return None
        return np.einsum("nvij,nvj->nvi", quaternion_to_matrix(self.quaternions), shifts)

    def _columns(self, names: tuple[str, ...]) -> NDArray[np.float64] | None:
        if self.labels is None or self.schema is None or not all(name in self.schema for name in names):
            return None
        values = self.labels[..., self.schema.columns(names)].astype(np.float64)
        return values if np.ptp(values.reshape(-1, len(names)), axis=0).min() > 0 else None


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
    cache = run.folder / "features" / f"{split}-{_cache_key(run, dataset)}"
    if not (cache / "done").is_file():
        extract(load_method(run), dataset_dir, split, run.config.image_size, batch_size, cache)
        write_text(cache / "done", "")
    return with_labels({path.stem: _kept(path) for path in cache.glob("*.npy")}, dataset, split)


def _kept(path: Path) -> NDArray[np.float32]:
    try:
        if not path.is_file():
            raise ValueError("it is no ordinary file")  # noqa: TRY301
        return np.load(path, mmap_mode="c", allow_pickle=False)
    except (ArithmeticError, EOFError, MemoryError, OSError, ValueError) as error:
        raise IntegrityError(
            f"{path} holds no features ({shown(str(error))}); remove the run's folder features"
        ) from error


def with_labels(arrays: Parts, dataset: Dataset, split: str) -> SplitFeatures:
    """Arrays as ``extract`` makes them, beside the labels of the split."""
    with dataset.split(split) as opened:
        labels, categories = np.asarray(opened.labels), opened.categories
        ids = tuple(record.id for record in opened.objects)
    for name, values in arrays.items():
        if values.ndim != 3 or values.shape[:2] != labels.shape[:2] or values.dtype.kind != "f":
            raise IntegrityError(
                f"the features {shown(name, 40)} have shape {values.shape} of {values.dtype}, for"
                f" {labels.shape[0]} objects of {labels.shape[1]} views; remove the run's folder features"
            )
    order = [name for name in ("representation", "invariant", "equivariant") if name in arrays]
    return SplitFeatures(
        {name: arrays[name] for name in order},
        dataset.schema.quaternions(labels),
        categories,
        ids,
        labels,
        dataset.schema,
        arrays.get("source"),
        arrays.get("target", arrays.get("source")),
    )


def renumbered(split: SplitFeatures, names: Sequence[str], known: Sequence[str]) -> SplitFeatures:
    """The split with its categories numbered as other data number theirs.

    Args:
        split: Of a data set.
        names: Of its categories.
        known: Those of the other data; a category that is not among them gets -1.
    """
    numbers = {name: number for number, name in enumerate(known)}
    table = np.array([numbers.get(name, -1) for name in names], np.int64)
    return replace(split, categories=table[split.categories])


def extract(
    method: Method,
    dataset_dir: Path | str,
    split: str,
    image_size: int | None = None,
    batch_size: int = 256,
    folder: Path | None = None,
) -> dict[str, NDArray[np.float32]]:
    """Embed every view of a split with a frozen method in ``eval()`` mode.

    Args:
        method: Changed to ``eval()`` mode.
        dataset_dir: The folder or the URL.
        split: Of the data set.
        image_size: The side in pixels to resize to; None: as stored.
        batch_size: Views at a time.
        folder: Gets an array file of each part, which the arrays are mapped from: those of a large data set
            need not fit into memory. None: into memory.

    Returns:
        [N, V, D] by part; parts of width 0 are left out, and "target" where it is the same as "source".
    """
    method = method.eval().to(compute_device())
    inputs: tuple[str, ...] = getattr(method, "embeds_from", ("view",))
    loader = Loader(
        dataset_dir,
        BatchConfig(
            split=split,
            sampler=Views(shuffled=False),
            batch_size=batch_size,
            fields=field_names(inputs, 1),
            last="short",
            image_size=image_size,
        ),
    )
    _check_whole(loader.dataset)
    shape = (loader.num_objects, loader.dataset.manifest.views)
    arrays: dict[str, NDArray[np.float32]] = {}
    for batch in loader:
        rows, views = batch["object_index"].numpy(), batch["view_index"].numpy()
        for name, values in _embed(method, [batch[name] for name in inputs]).items():
            if name not in arrays:
                arrays[name] = _room(folder, name, (*shape, values.shape[1]))
            arrays[name][rows, views] = values.float().cpu().numpy()
    for array in arrays.values():
        if isinstance(array, np.memmap):
            array.flush()
    return arrays


def _room(folder: Path | None, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    if folder is None:
        return np.zeros(shape, np.float32)
    folder.mkdir(parents=True, exist_ok=True)
    return open_memmap(folder / f"{name}.npy", mode="w+", dtype=np.float32, shape=shape)


@torch.inference_mode()
def _embed(method: Method, inputs: Sequence[Tensor]) -> dict[str, Tensor]:
    device = next(method.parameters()).device
    return named_parts(method.embed(*(values.to(device) for values in inputs)))


def named_parts(embedding: Embedding) -> dict[str, Tensor]:
    """The parts of an embedding that are there, by name."""
    parts = {
        "representation": embedding.representation,
        "invariant": embedding.invariant,
        "equivariant": embedding.equivariant,
        "source": embedding.source,
    }
    if embedding.target is not embedding.source:
        parts["target"] = embedding.target
    return {name: values for name, values in parts.items() if values.shape[1] > 0}


def _cache_key(run: Run, dataset: Dataset) -> str:
    """Changes with weights, settings, version, and what the manifest states, the shards' bytes among it."""
    digest = hashlib.sha256(f"{__version__} {run.config.image_size}".encode())
    for content in (run.weights.read_bytes(), dataset.manifest.to_json().encode()):
        digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()[:24]


def _check_whole(dataset: Dataset) -> None:
    """Protocols are about all views of a split, as objects have them."""
    if dataset.manifest.subset is not None:
        raise InvalidInputError(
            f"{dataset.place} is a subset ({dataset.manifest.subset.where!r}); it can be trained on, but"
            " protocols score whole splits: evaluate on the data set that it is of"
        )
