"""Running of a study: opening its runs and their data set, and collecting its results."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from turntable.datasets import MANIFEST_NAME, Dataset, open_dataset
from turntable.errors import InvalidInputError
from turntable.evaluation import (
    ProgressCallback,
    SplitFeatures,
    StageProgress,
    check_splits,
    compute_split_features,
    ignore_progress,
)
from turntable.models import shorten_method_name
from turntable.studies.registry import get_study
from turntable.studies.study import StudiedRun, Study, StudyInput, StudyOutcome
from turntable.training import Run, open_runs


@dataclass(frozen=True, slots=True, eq=False)
class StudyResult:
    """The result of a study, with the runs and the data set that it is about."""

    study: Study
    """Study that was run."""
    choices: Mapping[str, str]
    """Value of each of its choices, by name."""
    dataset: str
    """Name of the data set."""
    path_or_url: str
    """Path or URL of the data set."""
    fingerprint: str
    """Fingerprint of the data set."""
    split: str
    """Name of the split that was measured."""
    runs: tuple[StudiedRun, ...]
    """Runs that were studied."""
    outcome: StudyOutcome
    """Output of the study."""


def run_study(
    name: str,
    run_dirs: Sequence[Path | str],
    path_or_url: Path | str | None = None,
    split: str = "val",
    choices: Mapping[str, str] | None = None,
    progress: ProgressCallback | None = None,
    methods: Sequence[str] = (),
) -> StudyResult:
    """Run a study over finished runs.

    Args:
        name: Name of the study.
        run_dirs: Folders of the runs; features are cached there.
        path_or_url: Path or URL of the data set; None: the data set that the runs were trained on.
        split: Name of the split that is measured.
        choices: Values of the study's choices, by name; the others have their defaults.
        progress: Function that is called with the progress of each stage.
        methods: References to the user's own methods that runs are of; their code is run.

    Raises:
        InvalidInputError: There is no such study, run, split or choice; a run is not finished; or the data
            set is ambiguous.
        IntegrityError: The data, the weights or cached features are damaged.
    """
    study = get_study(name)
    chosen = _resolve_choices(study, choices or {})
    if len(run_dirs) < study.min_runs:
        raise InvalidInputError(
            f"study {name} needs {study.min_runs} or more finished runs; give their folders"
        )
    runs = open_runs(run_dirs, methods)
    path_or_url = path_or_url if path_or_url is not None else resolve_dataset(runs)
    dataset = open_dataset(path_or_url)
    check_splits(dataset, (*study.splits, split))  # before anything takes long
    progress = progress or ignore_progress
    studied = tuple(
        StudiedRun(label, run, _make_feature_loader(run, path_or_url, label, progress))
        for label, run in zip(make_run_labels(runs), runs, strict=True)
    )
    outcome = study.compute(StudyInput(studied, dataset, split, chosen, progress))
    manifest = dataset.manifest
    return StudyResult(
        study, chosen, manifest.name, str(path_or_url), manifest.fingerprint, split, studied, outcome
    )


def resolve_dataset(runs: Sequence[Run]) -> str:
    """Return the path or URL of the data set that runs were trained on.

    Raises:
        InvalidInputError: They were trained on different data sets, or the data set was moved or changed.
    """
    if len({run.fingerprint for run in runs}) > 1:
        listed = "; ".join(f"{run.folder} on {run.config.dataset}" for run in runs)
        raise InvalidInputError(
            f"these runs were trained on different data sets ({listed}): choose one with --data"
        )
    tried = dict.fromkeys(run.config.dataset for run in runs if run.config.dataset is not None)
    if not tried:
        raise InvalidInputError(
            f"{runs[0].folder} was trained on views that were rendered online and are not stored; choose a"
            " data set with --data"
        )
    for path_or_url in tried:
        found = _open_if_present(path_or_url)
        if found is not None and found.manifest.fingerprint == runs[0].fingerprint:
            return path_or_url
        if found is not None:
            raise InvalidInputError(
                f"{path_or_url} is no longer the data set that {runs[0].folder} was trained on (its"
                f" fingerprint is {found.manifest.fingerprint[:12]}, was {runs[0].fingerprint[:12]}); choose"
                " a data set with --data"
            )
    raise InvalidInputError(
        f"the data set that {runs[0].folder} was trained on is not at {' or '.join(tried)}; give its path or"
        " URL with --data, or work in the folder in which it was trained"
    )


def make_run_labels(runs: Sequence[Run]) -> list[str]:
    """Make unique labels of runs: the method; if that is not unique, with the seed, or else the folder.

    Raises:
        InvalidInputError: A run is given twice.
    """
    paths = [os.path.realpath(run.folder) for run in runs]
    duplicates = [str(run.folder) for run, path in zip(runs, paths, strict=True) if paths.count(path) > 1]
    if duplicates:
        raise InvalidInputError(f"{duplicates[0]} is given twice; give each run once")
    formats: tuple[Callable[[Run], str], ...] = (
        lambda run: shorten_method_name(run.config.method),
        lambda run: f"{shorten_method_name(run.config.method)} seed {run.config.seed}",
        lambda run: f"{shorten_method_name(run.config.method)} {run.folder.name}",
    )
    for make_label in formats:
        labels = [make_label(run) for run in runs]
        if len(set(labels)) == len(labels):
            return labels
    return [f"{shorten_method_name(run.config.method)} {run.folder}" for run in runs]


def _open_if_present(path_or_url: str) -> Dataset | None:
    """Open a data set; None if its folder is gone."""
    if "://" not in path_or_url and not (Path(path_or_url) / MANIFEST_NAME).exists():
        return None
    return open_dataset(path_or_url)


def _make_feature_loader(
    run: Run, path_or_url: Path | str, label: str, progress: ProgressCallback
) -> Callable[[str], SplitFeatures]:
    def load_features(split: str) -> SplitFeatures:
        return compute_split_features(run, path_or_url, split, progress=report)

    def report(done: StageProgress) -> None:
        progress(replace(done, stage=f"{label}, {done.stage}"))

    return cache(load_features)


def _resolve_choices(study: Study, choices: Mapping[str, str]) -> dict[str, str]:
    for name, value in choices.items():
        if name not in study.choices:
            offered = ", ".join(f"--{known}" for known in study.choices) or "none"
            raise InvalidInputError(f"study {study.name} has no option --{name}; its options are: {offered}")
        if value not in study.choices[name]:
            raise InvalidInputError(
                f"--{name} {value} is not possible; choose one of {', '.join(study.choices[name])}"
            )
    return {name: choices.get(name, values[0]) for name, values in study.choices.items()}
