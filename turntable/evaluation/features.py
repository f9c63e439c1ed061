"""Features of every view of a split, computed by a frozen method and cached in the run's folder."""

import hashlib
import os
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
from turntable.datasets.objects import ObjectSymmetry
from turntable.datasets.stores import convert_os_errors
from turntable.errors import IntegrityError, InvalidInputError, format_text
from turntable.evaluation.evaluation_results import OTHER_FOLDER_REMEDY
from turntable.evaluation.measurement import select_device
from turntable.evaluation.stage_progress import ProgressCallback, StageCounter, ignore_progress
from turntable.geometry import quaternion_to_matrix
from turntable.loaders import BatchConfig, Loader, Views
from turntable.loaders.fields import IMAGE_FIELDS
from turntable.models import Embedding, Embeds, Method
from turntable.training import Run, load_method

FeaturesByPart = Mapping[str, NDArray[np.float32]]
"""Arrays [N, V, D] by part: "representation", then "invariant" and "equivariant" if the method has them."""

HUE_NAMES = ("floor_hue", "light_hue")
"""Names of the label columns of hues."""


@dataclass(frozen=True, slots=True, eq=False)
class SplitFeatures:
    """The features of a split, with the labels that probes predict from them.

    N is the number of objects, V the number of views of each.
    """

    parts: FeaturesByPart
    """Features that are probed, by part."""
    quaternions: NDArray[np.float64]
    """Absolute rotations, xyzw, [N, V, 4]."""
    categories: NDArray[np.int64]
    """Category of each object, [N]; -1 for one that the train split does not have."""
    object_ids: tuple[str, ...] = ()
    """Ids of the objects; empty if they are not known."""
    labels: LabelArray | None = None
    """All label columns, [N, V, L]."""
    schema: LabelSchema | None = None
    """Schema of the label columns."""
    source: NDArray[np.float32] | None = None
    """Embeddings that a predictor starts from, [N, V, E]."""
    target: NDArray[np.float32] | None = None
    """Embeddings that a predictor should arrive at, [N, V, E]."""
    num_categories: int | None = None
    """Number of categories of the data set; the split may lack some of them."""
    symmetries: tuple[ObjectSymmetry | None, ...] = ()
    """Symmetry of each object, None where its record has none; empty if they are not known."""

    @property
    def num_objects(self) -> int:
        """Number of objects, N."""
        return self.quaternions.shape[0]

    @property
    def num_views(self) -> int:
        """Number of views of each object, V."""
        return self.quaternions.shape[1]

    @property
    def hues(self) -> NDArray[np.float64] | None:
        """Hues of floor and light in turns, [N, V, 2]; None unless both vary."""
        return self._find_varying_columns(HUE_NAMES)

    @property
    def translations(self) -> NDArray[np.float64] | None:
        """Translations in the object's frame, [N, V, 3]; None unless they vary.

        The unit is the diagonal of the object's bounding box.
        """
        return self._find_varying_columns(TRANSLATION_NAMES)

    @property
    def positions(self) -> NDArray[np.float64] | None:
        """Translations in the world's frame, R t, [N, V, 3]; None unless they vary."""
        translations = self.translations
        if translations is None:
            return None
        return np.einsum("nvij,nvj->nvi", quaternion_to_matrix(self.quaternions), translations)

    def _find_varying_columns(self, names: tuple[str, ...]) -> NDArray[np.float64] | None:
        if self.labels is None or self.schema is None or not all(name in self.schema for name in names):
            return None
        values = self.labels[..., self.schema.get_columns(names)].astype(np.float64)
        return values if np.ptp(values.reshape(-1, len(names)), axis=0).min() > 0 else None


def compute_split_features(
    run: Run,
    path_or_url: Path | str,
    split: str,
    batch_size: int = 256,
    progress: ProgressCallback = ignore_progress,
    out_dir: Path | None = None,
) -> SplitFeatures:
    """Compute the features of a finished run, or read them from the run's folder.

    Args:
        run: Finished run.
        path_or_url: Path or URL of any data set, not only the run's own.
        split: Name of the split, such as "train" or "val".
        batch_size: Number of views that are embedded at a time; the features do not depend on it.
        progress: Function that is called with the number of views done.
        out_dir: Folder in place of the run's own that gets the folder "features"; features that the run's
            folder has already are read from there.

    Raises:
        InvalidInputError: The run is not finished, or there is no such split.
        IntegrityError: The data or the weights are damaged.
        StoreError: The folder cannot be written, or its disk is full.
    """
    dataset = open_dataset(path_or_url)
    check_splits(dataset, [split])
    if not run.weights_path.is_file():
        load_method(run)  # raises the error that says what to do
    name = f"{split}-{_compute_cache_key(run, dataset)}"
    caches = [folder / "features" / name for folder in (run.folder, out_dir) if folder is not None]
    cache = next((folder for folder in caches if (folder / "done").is_file()), None)
    if cache is None:
        cache = caches[-1]
        method, size = load_method(run), run.config.image_size
        extract_features(method, path_or_url, split, size, batch_size, cache, progress)
        with convert_os_errors(cache, OTHER_FOLDER_REMEDY):
            write_text(cache / "done", "")
    return build_split_features(
        {path.stem: _read_cached_array(path) for path in cache.glob("*.npy")}, dataset, split
    )


def check_splits(dataset: Dataset, names: Sequence[str]) -> None:
    """Check that a data set has splits with objects.

    Raises:
        InvalidInputError: It lacks one; the message says how to get it.
    """
    missing = [name for name in names if name not in dataset.splits]
    if missing:
        raise InvalidInputError(
            f"{dataset.path_or_url} has no split {missing[0]!r}; it has {', '.join(dataset.splits)}. Choose"
            " one of these (--split NAME), or render a data set that holds objects out: with more objects, or"
            " with another val_fraction in its recipe"
        )


def _read_cached_array(path: Path) -> NDArray[np.float32]:
    try:
        if not path.is_file():
            raise ValueError("it is not a regular file")  # noqa: TRY301
        return np.load(path, mmap_mode="c", allow_pickle=False)
    except (ArithmeticError, EOFError, MemoryError, OSError, ValueError) as error:
        raise IntegrityError(
            f"{path} does not hold features ({format_text(str(error))}); remove the run's folder features"
        ) from error


def build_split_features(arrays: FeaturesByPart, dataset: Dataset, split: str) -> SplitFeatures:
    """Put arrays that ``extract_features`` made together with the labels of the split.

    Raises:
        IntegrityError: An array does not fit the split.
    """
    with dataset.open_split(split) as opened:
        labels, categories = np.asarray(opened.labels), opened.category_indices
        records = opened.objects
    for name, values in arrays.items():
        if values.ndim != 3 or values.shape[:2] != labels.shape[:2] or values.dtype.kind != "f":
            raise IntegrityError(
                f"the features {format_text(name, 40)} have shape {values.shape} of {values.dtype}, but the"
                f" split has {labels.shape[0]} objects of {labels.shape[1]} views; remove the run's folder"
                " features"
            )
    order = [name for name in ("representation", "invariant", "equivariant") if name in arrays]
    return SplitFeatures(
        {name: arrays[name] for name in order},
        dataset.schema.compute_quaternions(labels),
        categories,
        tuple(record.id for record in records),
        labels,
        dataset.schema,
        arrays.get("source"),
        arrays.get("target", arrays.get("source")),
        len(dataset.categories),
        tuple(record.symmetry for record in records),
    )


def mark_unseen_categories(split: SplitFeatures, train: SplitFeatures) -> SplitFeatures:
    """Return a split in which categories that the train split does not have are -1: no head can know them."""
    is_known = np.isin(split.categories, train.categories)
    return split if is_known.all() else replace(split, categories=np.where(is_known, split.categories, -1))


def renumber_categories(
    split: SplitFeatures, categories: Sequence[str], target_categories: Sequence[str]
) -> SplitFeatures:
    """Return a split with its categories numbered as in another data set.

    Args:
        split: Split of a data set.
        categories: Names of the categories of its data set.
        target_categories: Names of the categories of the other data set; a category that it lacks becomes -1.
    """
    indices = {name: index for index, name in enumerate(target_categories)}
    table = np.array([indices.get(name, -1) for name in categories], np.int64)
    return replace(split, categories=table[split.categories], num_categories=len(target_categories))


def extract_features(
    method: Method,
    path_or_url: Path | str,
    split: str,
    image_size: int | None = None,
    batch_size: int = 256,
    folder: Path | None = None,
    progress: ProgressCallback = ignore_progress,
) -> dict[str, NDArray[np.float32]]:
    """Embed every view of a split with a frozen method in ``eval()`` mode.

    Args:
        method: Method, which is put into ``eval()`` mode.
        path_or_url: Path or URL of the data set.
        split: Name of the split.
        image_size: Side in pixels that images are resized to; None: as stored.
        batch_size: Number of views that are embedded at a time.
        folder: Folder that gets an array file of each part. The arrays are memory-mapped from it, so those of
            a large data set need not fit into memory. None: the arrays are in memory.
        progress: Function that is called with the number of views done.

    Returns:
        Arrays [N, V, D] by part. Parts of width 0 are left out, and "target" if it is the same as "source".

    Raises:
        InvalidInputError: The method embeds nothing, or the data set lacks what it embeds.
    """
    embeds = as_embedder(method.eval().to(select_device()))
    fields = embeds.embeds_from
    loader = _build_view_loader(path_or_url, split, fields, batch_size, image_size)
    _check_not_subset(loader.dataset)
    shape = (loader.num_objects, loader.dataset.manifest.views)
    arrays: dict[str, NDArray[np.float32]] = {}
    counter = StageCounter(progress, f"features of the {split} split", shape[0] * shape[1], "views")
    for batch in loader:
        rows, views = batch["object_index"].numpy(), batch["view_index"].numpy()
        for name, values in _embed_parts(
            embeds, [batch[name].to(select_device()) for name in fields]
        ).items():
            if name not in arrays:
                arrays[name] = _create_array(folder, name, (*shape, values.shape[1]))
            arrays[name][rows, views] = values.float().cpu().numpy()
        counter.add(rows.size)
    for array in arrays.values():
        if isinstance(array, np.memmap):
            array.flush()
    return arrays


def as_embedder(method: Method) -> Embeds:
    """Return a method as one with the ability ``Embeds``.

    Raises:
        InvalidInputError: The method embeds nothing.
    """
    if not isinstance(method, Embeds):
        raise InvalidInputError(
            f"{type(method).__name__} embeds nothing, so there are no features to score; give it the ability"
            " Embeds"
        )
    return method


def _build_view_loader(
    path_or_url: Path | str, split: str, fields: tuple[str, ...], batch_size: int, image_size: int | None
) -> Loader:
    """Build a loader of every view of a split by itself, with the fields that a method embeds."""
    config = BatchConfig(
        split=split,
        sampler=Views(shuffled=False),
        batch_size=batch_size,
        fields=fields,
        last_batch="short",
        image_size=image_size,
        pictures=bool(set(fields) & set(IMAGE_FIELDS)),
    )
    return Loader(path_or_url, config)


def _create_array(folder: Path | None, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    if folder is None:
        return np.zeros(shape, np.float32)
    path = folder / f"{name}.npy"
    with convert_os_errors(path, OTHER_FOLDER_REMEDY):
        folder.mkdir(parents=True, exist_ok=True)
        array = open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
        _reserve_space(path)
    return array


def _reserve_space(path: Path) -> None:
    """Reserve the disk space of a file: writing to a memory-mapped page of a full disk kills the process.

    Raises:
        OSError: The disk is full; the file is removed.
    """
    if not hasattr(os, "posix_fallocate"):
        return
    try:
        with path.open("rb+") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    except OSError:
        path.unlink()
        raise


@torch.inference_mode()
def _embed_parts(method: Embeds, fields: Sequence[Tensor]) -> dict[str, Tensor]:
    return embedding_to_parts(method.embed(*fields))


def embedding_to_parts(embedding: Embedding) -> dict[str, Tensor]:
    """Return the parts of an embedding by name, without those of width 0."""
    parts = {
        "representation": embedding.representation,
        "invariant": embedding.invariant,
        "equivariant": embedding.equivariant,
        "source": embedding.source,
    }
    if embedding.target is not embedding.source:
        parts["target"] = embedding.target
    return {name: values for name, values in parts.items() if values.shape[1] > 0}


def _compute_cache_key(run: Run, dataset: Dataset) -> str:
    """Compute a key that changes with the weights, the image size, the version and the manifest.

    The manifest has the digests of the shards, so the key changes with the images too.
    """
    digest = hashlib.sha256(f"{__version__} {run.config.image_size}".encode())
    for content in (run.weights_path.read_bytes(), dataset.manifest.to_json().encode()):
        digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()[:24]


def _check_not_subset(dataset: Dataset) -> None:
    """Check that a data set is whole: protocols are defined on all views of a split."""
    if dataset.manifest.subset is not None:
        raise InvalidInputError(
            f"{dataset.path_or_url} is a subset ({dataset.manifest.subset.where!r}); it can be trained on,"
            " but protocols score whole splits: evaluate on the data set that it was selected from"
        )
