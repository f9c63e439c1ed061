"""Vectors: what a run says of every view, left in its folder for programs that search it."""

from pathlib import Path

from turntable.datasets import Vectors, digest_ids, open_dataset, write_vectors
from turntable.evaluation.features import split_features
from turntable.models import method_label
from turntable.training import open_run


def leave_vectors(run_dir: Path | str, dataset_dir: Path | str, split: str = "val") -> list[Path]:
    """Leave the features of a split as plain arrays, each part in RUN/vectors/PART.

    Args:
        run_dir: The folder of a finished run; features that it has are not computed again.
        dataset_dir: A folder or a URL.
        split: Of the data set.

    Returns:
        The parts' folders, to be read by ``turntable.datasets.read_vectors``.

    Raises:
        InvalidInputError: The run is not finished, there is no such split, or the features are no numbers.
        IntegrityError: The data or the weights are damaged.
    """
    run, dataset = open_run(run_dir), open_dataset(dataset_dir)
    features = split_features(run, dataset_dir, split)
    of = (method_label(run.config.method), dataset.manifest.fingerprint, digest_ids(features.object_ids))
    return [
        write_vectors(run.folder / "vectors" / part, Vectors(values, split, part, *of))
        for part, values in features.parts.items()
    ]
