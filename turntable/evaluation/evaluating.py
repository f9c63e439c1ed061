"""Evaluation of runs, of untrained networks and of features, under a protocol.

Tasks are fitted on the train split and scored on the held-out objects of the val split, and on other data
sets if some are given. The constant baseline is scored too: it sees no image, and predicts the mean of the
targets and the most frequent category of the train split.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from turntable.datasets import Dataset, open_dataset
from turntable.datasets.draws import is_in_box
from turntable.datasets.labels import ROTATION_NAMES
from turntable.datasets.stores import remove_secrets
from turntable.errors import InvalidInputError
from turntable.evaluation.evaluation_results import (
    EvaluationResults,
    OODResults,
    ScoreRow,
    is_baseline,
    write_results,
)
from turntable.evaluation.features import (
    SplitFeatures,
    build_split_features,
    compute_split_features,
    extract_features,
    renumber_categories,
)
from turntable.evaluation.figure_data import write_figure_data
from turntable.evaluation.measurement import select_device
from turntable.evaluation.protocol import Protocol
from turntable.evaluation.protocol_presets import get_protocol
from turntable.evaluation.task_scoring import MakeTaskFitter, ProgressCallback, score_tasks
from turntable.evaluation.tasks import EvaluatedSplit, Task
from turntable.evaluation.train_mode_heads import ImageSource, TrainModeHeads, train_heads_in_train_mode
from turntable.geometry import quaternion_to_matrix
from turntable.home import expand_home
from turntable.models import Method, shorten_method_name
from turntable.training import Run, TrainConfig, load_method, open_run
from turntable.training.runs import TrainingData, build_run_method, create_run, plan_run

RESULTS_NAME, DETAILS_NAME = "results.json", "details.npz"
"""Names of the files of an evaluation."""
UNTRAINED_METHOD = "untrained"
"""Name of the method in the results of an untrained network."""
_OWN_VAL = "val"
"""Name, also in notes, of the val split of the data set whose train split tasks are fitted on."""


def evaluate(
    run_dir: Path | str,
    path_or_url: Path | str,
    out: Path | str | None = None,
    protocol: Protocol | None = None,
    progress: ProgressCallback | None = None,
    ood_paths_or_urls: Sequence[Path | str] = (),
) -> EvaluationResults:
    """Evaluate a finished run on a data set, its own or another.

    Args:
        run_dir: Folder of the run; features are cached there.
        path_or_url: Path or URL of the data set, which has a train and a val split.
        out: Path of the JSON file; by default results.json in the run's folder. The details are written
            beside it.
        protocol: Protocol; by default turntable's own.
        progress: Function that is called with a text about the current step.
        ood_paths_or_urls: Paths or URLs of out-of-distribution data sets; the same heads are scored on their
            val splits.

    Returns:
        The results, as written.

    Raises:
        InvalidInputError: The run is not finished, its method embeds nothing or cannot be scored by any task
            of the protocol, a data set has no such split, or one is given twice.
        IntegrityError: The data or the weights are damaged.
    """
    _check_unique_datasets([remove_secrets(other) for other in ood_paths_or_urls])
    run = open_run(run_dir)
    method = load_method(run)
    dataset, others = open_dataset(path_or_url), [open_dataset(other) for other in ood_paths_or_urls]
    progress = progress or _ignore_progress
    progress("features of the train split")
    train = compute_split_features(run, path_or_url, "train")
    progress("features of the val split")
    splits = {_OWN_VAL: compute_split_features(run, path_or_url, "val")}
    for other, other_path in zip(others, ood_paths_or_urls, strict=True):
        progress(f"features of {other.manifest.name}")
        split = compute_split_features(run, other_path, "val")
        splits[remove_secrets(other_path)] = renumber_categories(
            split, other.manifest.categories, dataset.manifest.categories
        )
    out_path = expand_home(out) if out is not None else run.folder / RESULTS_NAME
    data = _EvaluationData((path_or_url, *ood_paths_or_urls), (dataset, *others))
    return _evaluate_and_write(run, method, train, splits, data, protocol, progress, out_path)


def evaluate_untrained(
    config: TrainConfig,
    out_dir: Path | str,
    protocol: Protocol | None = None,
    progress: ProgressCallback | None = None,
) -> EvaluationResults:
    """Evaluate a method before its first training step, to see what the architecture alone gives.

    Args:
        config: Settings of the training; its data set is evaluated on.
        out_dir: Folder that gets config.json, results.json and details.npz.
        protocol: Protocol; by default turntable's own.
        progress: Function that is called with a text about the current step.

    Raises:
        InvalidInputError: The settings have no data set, or the method cannot be scored.
    """
    if config.dataset is None:
        raise InvalidInputError(
            "there is no data set to evaluate on, since views that are rendered online are not stored; give a"
            " data set"
        )
    dataset, progress = open_dataset(config.dataset), progress or _ignore_progress
    run = plan_run(expand_home(out_dir), config, TrainingData.from_dataset(dataset))
    create_run(run)
    with torch.random.fork_rng():
        torch.manual_seed(config.seed)
        method = build_run_method(run).eval()
    features: dict[str, SplitFeatures] = {}
    for name in ("train", "val"):
        progress(f"features of the {name} split")
        arrays = extract_features(method, config.dataset, name, config.image_size)
        features[name] = build_split_features(arrays, dataset, name)
    data, splits = _EvaluationData((config.dataset,), (dataset,)), {_OWN_VAL: features["val"]}
    out_path = run.folder / RESULTS_NAME
    return _evaluate_and_write(
        run, method, features["train"], splits, data, protocol, progress, out_path, UNTRAINED_METHOD
    )


def evaluate_features(
    train: SplitFeatures, val: SplitFeatures, protocol: Protocol, progress: ProgressCallback | None = None
) -> tuple[ScoreRow, ...]:
    """Evaluate features from any source.

    Args:
        train: Features that heads are trained on.
        val: Features that heads are scored on, with the same parts.
        protocol: Protocol; tasks that require abilities of a method are left out.
        progress: Function that is called with a text about the current step.

    Returns:
        A row for each part, then those of the baselines.

    Raises:
        InvalidInputError: The protocol needs the images.
    """
    if protocol.batch_norm == "train":
        raise InvalidInputError(
            f"protocol {protocol.name} trains heads over a backbone in train() mode, which needs the images:"
            ' evaluate a run, or use a protocol with batch_norm="eval"'
        )
    return score_tasks(train, {_OWN_VAL: val}, protocol, progress or _ignore_progress).rows[_OWN_VAL]


@dataclass(frozen=True, slots=True)
class _EvaluationData:
    """The data sets of an evaluation; the first is the one with the train split."""

    paths_or_urls: tuple[Path | str, ...]
    datasets: tuple[Dataset, ...]


def _evaluate_and_write(
    run: Run,
    method: Method,
    train: SplitFeatures,
    splits: Mapping[str, SplitFeatures],
    data: _EvaluationData,
    protocol: Protocol | None,
    progress: ProgressCallback,
    out_path: Path,
    method_name: str | None = None,
) -> EvaluationResults:
    protocol = protocol or get_protocol("turntable")
    datasets, val = data.datasets, splits[_OWN_VAL]
    if set(train.parts) != set(val.parts):
        raise InvalidInputError("the features of the two splits have different parts; evaluate again")
    make_fitter = (
        _make_train_mode_fitter(run, method, data, progress) if protocol.batch_norm == "train" else None
    )
    scored = score_tasks(train, splits, protocol, progress, method.eval().to(select_device()), make_fitter)
    _check_has_scores(scored.rows[_OWN_VAL], scored.notes[_OWN_VAL], protocol, run)
    pairs = protocol.pairs.list_val_pairs(val) if val.num_views > 1 else None
    results = EvaluationResults(
        method=method_name or shorten_method_name(run.config.method),
        backbone=run.config.backbone,
        seed=run.config.seed,
        dataset=datasets[0].manifest.name,
        fingerprint=datasets[0].manifest.fingerprint,
        protocol={**protocol.to_plain(), "val_pairs": pairs.digest if pairs is not None else None},
        num_train_objects=train.num_objects,
        num_val_objects=val.num_objects,
        num_val_pairs=len(pairs) if pairs is not None else 0,
        rows=scored.rows[_OWN_VAL],
        elsewhere=tuple(
            OODResults(
                dataset.manifest.name,
                dataset.manifest.fingerprint,
                compute_training_share(split, datasets[0]),
                scored.rows[name],
                scored.notes[name],
            )
            for (name, split), dataset in zip(splits.items(), datasets, strict=True)
            if name != _OWN_VAL
        ),
        notes=scored.notes[_OWN_VAL],
    )
    write_figure_data(out_path.with_name(DETAILS_NAME), scored.details)
    write_results(out_path, results)
    return results


def _check_has_scores(rows: Sequence[ScoreRow], notes: Sequence[str], protocol: Protocol, run: Run) -> None:
    if not any(row.scores for row in rows if not is_baseline(row.name)):
        why = "".join(f"; {note}" for note in notes)
        raise InvalidInputError(
            f"no task of protocol {protocol.name} can score {run.config.method} on this data set{why}"
        )


def _check_unique_datasets(ood_names: Sequence[str]) -> None:
    names = [_OWN_VAL, *ood_names]
    for name in ood_names:
        if names.count(name) > 1:
            raise InvalidInputError(
                f"{name} has the same name as another scored split; give each data set once, by its absolute"
                " path"
            )


def _make_train_mode_fitter(
    run: Run, method: Method, data: _EvaluationData, progress: ProgressCallback
) -> MakeTaskFitter:
    """Make the function that trains heads over the backbone in ``train()`` mode."""
    size = run.config.image_size
    train_source = ImageSource(data.paths_or_urls[0], "train", size)
    eval_sources = [ImageSource(path_or_url, "val", size) for path_or_url in data.paths_or_urls]

    def make(tasks: Sequence[Task], train: EvaluatedSplit) -> TrainModeHeads:
        return train_heads_in_train_mode(method, tasks, train, train_source, eval_sources, progress)

    return make


def _ignore_progress(_: str) -> None:
    pass


def compute_training_share(split: SplitFeatures, training: Dataset) -> float | None:
    """Compute the share of a split's rotations that lie within the training data's ranges of angles.

    A rotation has two triples of Euler angles: one may lie within the ranges although the other does not. So
    rotations are compared, not the angles by which the labels name them.

    Args:
        split: Features and labels of the other data set.
        training: Data set that the run was trained on.

    Returns:
        A share from 0, out of distribution on SO(3), to 1; None if the training data set draws rotations in
        another way than from ranges of angles.
    """
    if training.manifest.recipe.get("rotation") or training.manifest.recipe.get("sequence"):
        return None
    by_name = {factor.name: factor for factor in training.manifest.factors}
    box = tuple(by_name[name] for name in ROTATION_NAMES if name in by_name)
    if len(box) < len(ROTATION_NAMES):
        return None
    matrices = quaternion_to_matrix(split.quaternions.reshape(-1, 4))
    return float(is_in_box(matrices, box).mean())
