"""Export of a run's features as vector files, for programs that search by similarity."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from turntable.datasets import ViewVectors, digest_ids, open_dataset, read_vectors, write_vectors
from turntable.datasets.stores import convert_os_errors
from turntable.errors import TurntableError
from turntable.evaluation.evaluation_results import OTHER_FOLDER_REMEDY
from turntable.evaluation.features import compute_split_features
from turntable.evaluation.result_files import choose_dataset_folder
from turntable.evaluation.stage_progress import ProgressCallback, ignore_progress
from turntable.models import shorten_method_name
from turntable.training import open_run

VECTORS_FOLDER = "vectors"
"""Name of the folder of all vectors, in the folder of a run."""


def export_vectors(
    run_dir: Path | str,
    path_or_url: Path | str,
    split: str = "val",
    *,
    out_dir: Path | str | None = None,
    progress: ProgressCallback = ignore_progress,
) -> list[Path]:
    """Write the features of a split as plain arrays, each part in RUN/vectors/DATASET/SPLIT/PART.

    Args:
        run_dir: Folder of a finished run; cached features are not computed again.
        path_or_url: Path or URL of the data set.
        split: Name of the split.
        out_dir: Folder in place of the run's own, if that must not be written to.
        progress: Function that is called with the number of views done.

    Returns:
        The folders of the parts, to be read by ``turntable.datasets.read_vectors``.

    Raises:
        InvalidInputError: The run is not finished, there is no such split, or the features are not finite.
        IntegrityError: The data or the weights are damaged.
        StoreError: The folder cannot be written, or its disk is full.
    """
    run, dataset = open_run(run_dir), open_dataset(path_or_url)
    place = None if out_dir is None else Path(out_dir)
    features = compute_split_features(run, path_or_url, split, progress=progress, out_dir=place)
    name, fingerprint = dataset.manifest.name, dataset.manifest.fingerprint
    identity = shorten_method_name(run.config.method), fingerprint, digest_ids(features.object_ids)
    parent = (place or run.folder) / VECTORS_FOLDER
    folder = choose_dataset_folder(parent, name, fingerprint, _read_vector_owners) / split
    with convert_os_errors(folder, OTHER_FOLDER_REMEDY):
        return [
            write_vectors(folder / part, ViewVectors(values, split, part, *identity))
            for part, values in features.parts.items()
        ]


def _read_vector_owners(folder: Path) -> Iterator[str]:
    """Read the fingerprints of the data sets of all vectors in a folder that can be read."""
    for path in folder.glob("*/*/"):
        with suppress(TurntableError, OSError):
            yield read_vectors(path).fingerprint
