"""Running a study: the runs are opened, their data set is found, and what comes out says what it is of."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from turntable.datasets import MANIFEST_NAME, Dataset, open_dataset
from turntable.errors import InvalidInputError
from turntable.evaluation import SplitFeatures, split_features
from turntable.models import method_label
from turntable.studies.registry import study_by_name
from turntable.studies.study import StudiedRun, Study, StudyInput, StudyOutcome
from turntable.training import Run, open_runs

Onlooker = Callable[[str], None]
"""Called with what is being done."""


@dataclass(frozen=True, slots=True, eq=False)
class Studied:
    """A study that was run: its findings, and the data and runs that they are of."""

    study: Study
    choices: Mapping[str, str]
    dataset: str
    """The data set's name."""
    place: str
    """Where it lies."""
    fingerprint: str
    split: str
    runs: tuple[StudiedRun, ...]
    outcome: StudyOutcome


def run_study(
    name: str,
    run_dirs: Sequence[Path | str],
    dataset: Path | str | None = None,
    split: str = "val",
    choices: Mapping[str, str] | None = None,
    progress: Onlooker | None = None,
    methods: Sequence[str] = (),
) -> Studied:
    """Run a study over finished runs.

    Args:
        name: Of the study.
        run_dirs: Folders of the runs; features are kept there.
        dataset: A folder or a URL; None: the data set that the runs were trained on.
        split: Where numbers are measured.
        choices: Of those that the study offers, by name.
        progress: Called with what is being done.
        methods: References to the methods of one's own that runs are of; their code is run.

    Raises:
        InvalidInputError: There is no such study, run, split or choice; a run is not finished; or which data
            set is meant is not clear.
        IntegrityError: The data, the weights or kept features are damaged.
    """
    study = study_by_name(name)
    chosen = _chosen(study, choices or {})
    if len(run_dirs) < study.fewest_runs:
        raise InvalidInputError(
            f"study {name} needs {study.fewest_runs} or more finished runs; give their folders"
        )
    runs = open_runs(run_dirs, methods)
    place = dataset if dataset is not None else dataset_of(runs)
    opened = open_dataset(place)
    for needed in (*study.splits, split):
        opened.split(needed).close()  # whether it is there, before anything takes long
    tell = progress or _silent
    studied = tuple(
        StudiedRun(label, run, _features(run, place, label, tell))
        for label, run in zip(labels_of(runs), runs, strict=True)
    )
    outcome = study.compute(StudyInput(studied, opened, split, chosen, tell))
    manifest = opened.manifest
    return Studied(study, chosen, manifest.name, str(place), manifest.fingerprint, split, studied, outcome)


def dataset_of(runs: Sequence[Run]) -> str:
    """Return where the data set lies that runs were trained on.

    Raises:
        InvalidInputError: They were trained on several, or it is not where it was.
    """
    if len({run.fingerprint for run in runs}) > 1:
        told = "; ".join(f"{run.folder} on {run.config.dataset}" for run in runs)
        raise InvalidInputError(
            f"these runs were trained on different data sets ({told}): choose one with --data"
        )
    tried = dict.fromkeys(run.config.dataset for run in runs if run.config.dataset is not None)
    if not tried:
        raise InvalidInputError(
            f"{runs[0].folder} was trained on views that were rendered online and never come again; say with"
            " --data on which data set it is to be studied"
        )
    for place in tried:
        found = _found(place)
        if found is not None and found.manifest.fingerprint == runs[0].fingerprint:
            return place
        if found is not None:
            raise InvalidInputError(
                f"{place} is no longer the data set that {runs[0].folder} was trained on (its fingerprint is"
                f" {found.manifest.fingerprint[:12]}, was {runs[0].fingerprint[:12]}); say which one is meant"
                " with --data"
            )
    raise InvalidInputError(
        f"the data set that {runs[0].folder} was trained on is not at {' or '.join(tried)}; say where it"
        " lies with --data, or work in the folder in which it was trained"
    )


def labels_of(runs: Sequence[Run]) -> list[str]:
    """Return what each run is called: its method; where that is not enough its seed too, else its folder.

    Raises:
        InvalidInputError: One comes twice.
    """
    places = [os.path.realpath(run.folder) for run in runs]
    twice = [str(run.folder) for run, place in zip(runs, places, strict=True) if places.count(place) > 1]
    if twice:
        raise InvalidInputError(f"{twice[0]} is given twice")
    ways: tuple[Callable[[Run], str], ...] = (
        lambda run: method_label(run.config.method),
        lambda run: f"{method_label(run.config.method)} seed {run.config.seed}",
        lambda run: f"{method_label(run.config.method)} {run.folder.name}",
    )
    for way in ways:
        labels = [way(run) for run in runs]
        if len(set(labels)) == len(labels):
            return labels
    return [f"{method_label(run.config.method)} {run.folder}" for run in runs]


def _found(place: str) -> Dataset | None:
    """Open a data set, unless its folder is gone."""
    if "://" not in place and not (Path(place) / MANIFEST_NAME).exists():
        return None
    return open_dataset(place)


def _features(run: Run, place: Path | str, label: str, tell: Onlooker) -> Callable[[str], SplitFeatures]:
    def of_split(split: str) -> SplitFeatures:
        tell(f"features of {label}, {split} split")
        return split_features(run, place, split)

    return cache(of_split)


def _chosen(study: Study, choices: Mapping[str, str]) -> dict[str, str]:
    for name, value in choices.items():
        if name not in study.choices:
            offered = ", ".join(f"--{known}" for known in study.choices) or "none"
            raise InvalidInputError(f"study {study.name} has no --{name}; what can be chosen: {offered}")
        if value not in study.choices[name]:
            raise InvalidInputError(f"--{name} {value}: choose one of {', '.join(study.choices[name])}")
    return {name: choices.get(name, values[0]) for name, values in study.choices.items()}


def _silent(_: str) -> None:
    pass
