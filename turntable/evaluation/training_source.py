"""The data that a run was trained on, as results name it."""

from pathlib import Path
from urllib.parse import urlsplit

from turntable.datasets import Dataset, open_dataset
from turntable.datasets.stores import remove_secrets
from turntable.errors import TurntableError
from turntable.evaluation.evaluation_results import TrainingSource
from turntable.training import Run


def describe_training_source(run: Run, dataset: Dataset) -> TrainingSource:
    """Describe the data that a run was trained on.

    Args:
        run: The run.
        dataset: Data set that it is evaluated on, which is often the same.
    """
    config = run.config
    if config.dataset is None:
        recipe = config.online or "unknown"
        return TrainingSource(f"{Path(recipe).stem} (rendered online)", run.fingerprint)
    path_or_url = remove_secrets(config.dataset)
    if run.fingerprint == dataset.manifest.fingerprint:
        return TrainingSource(dataset.manifest.name, run.fingerprint, path_or_url)
    return TrainingSource(_find_name(run, config.dataset), run.fingerprint, path_or_url)


def _find_name(run: Run, path_or_url: str) -> str:
    """Return the name of the data set at a path, or the end of the path if it is no longer there."""
    try:
        manifest = open_dataset(path_or_url).manifest
        if manifest.fingerprint == run.fingerprint:
            return manifest.name
    except (TurntableError, OSError):
        pass  # it was moved, or its server does not answer: the evaluation does not need it
    return Path(urlsplit(path_or_url).path).name or path_or_url
