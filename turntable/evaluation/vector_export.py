"""Export of a run's features as vector files, for programs that search by similarity."""

from pathlib import Path

from turntable.datasets import ViewVectors, digest_ids, open_dataset, write_vectors
from turntable.evaluation.features import compute_split_features
from turntable.models import shorten_method_name
from turntable.training import open_run


def export_vectors(run_dir: Path | str, path_or_url: Path | str, split: str = "val") -> list[Path]:
    """Write the features of a split as plain arrays, each part in RUN/vectors/PART.

    Args:
        run_dir: Folder of a finished run; cached features are not computed again.
        path_or_url: Path or URL of the data set.
        split: Name of the split.

    Returns:
        The folders of the parts, to be read by ``turntable.datasets.read_vectors``.

    Raises:
        InvalidInputError: The run is not finished, there is no such split, or the features are not finite.
        IntegrityError: The data or the weights are damaged.
    """
    run, dataset = open_run(run_dir), open_dataset(path_or_url)
    features = compute_split_features(run, path_or_url, split)
    identity = (
        shorten_method_name(run.config.method),
        dataset.manifest.fingerprint,
        digest_ids(features.object_ids),
    )
    return [
        write_vectors(run.folder / "vectors" / part, ViewVectors(values, split, part, *identity))
        for part, values in features.parts.items()
    ]
