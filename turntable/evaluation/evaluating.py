"""Evaluation of runs, of untrained networks and of features, under a protocol.

Tasks are fitted on the train split and scored on the held-out objects of the val split, and on other data
sets if some are given. The constant baseline is scored too: it sees no image, and predicts the mean of the
targets and the most frequent category of the train split.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from turntable.datasets import Dataset, Selection, open_dataset
from turntable.datasets.stores import remove_secrets
from turntable.errors import InvalidInputError
from turntable.evaluation.evaluation_results import (
    UNTRAINED_METHOD,
    EvaluationResults,
    OODResults,
    ScoreRow,
    is_baseline,
)
from turntable.evaluation.features import (
    SplitFeatures,
    build_split_features,
    check_splits,
    compute_split_features,
    extract_features,
    renumber_categories,
)
from turntable.evaluation.measurement import select_device
from turntable.evaluation.protocol import Protocol
from turntable.evaluation.protocol_presets import select_protocol
from turntable.evaluation.result_writing import check_can_write, write_evaluation
from turntable.evaluation.split_selections import SplitSelections, locate_figure_data, select_features
from turntable.evaluation.stage_progress import ProgressCallback, ignore_progress
from turntable.evaluation.task_scoring import MakeTaskFitter, ScoringResult, score_tasks
from turntable.evaluation.tasks import EvaluatedSplit, Task
from turntable.evaluation.train_mode_heads import ImageSource, TrainModeHeads, train_heads_in_train_mode
from turntable.evaluation.training_share import compute_training_share
from turntable.evaluation.training_source import describe_training_source
from turntable.home import expand_home
from turntable.models import Method, shorten_method_name
from turntable.training import Run, TrainConfig, load_method, open_run
from turntable.training.runs import (
    TrainingData,
    build_run_method,
    compute_weights_sha256,
    create_run,
    plan_run,
)

_LOG = logging.getLogger("turntable.evaluation")

UNTRAINED_FOLDER = "untrained"
"""Name of the folder of the untrained network, in the folder of a run."""


def evaluate(
    run_dir: Path | str,
    path_or_url: Path | str,
    out: Path | str | None = None,
    protocol: Protocol | None = None,
    progress: ProgressCallback | None = None,
    ood_paths_or_urls: Sequence[Path | str] = (),
    *,
    split: str = "val",
    selections: SplitSelections = SplitSelections(),
    out_dir: Path | str | None = None,
    notify: Callable[[str], None] = _LOG.warning,
) -> EvaluationResults:
    """Evaluate a finished run on a data set, its own or another.

    Args:
        run_dir: Folder of the run; features are cached there.
        path_or_url: Path or URL of the data set, which has a train split and the one that is scored.
        out: Path of the JSON file; by default RUN/results/DATASET/PROTOCOL/results.json. The details are
            written beside it.
        protocol: Protocol; by default turntable's own, with heads trained as long as the run's preset says.
        progress: Function that is called with the progress of each stage.
        ood_paths_or_urls: Paths or URLs of out-of-distribution data sets; the same heads are scored on their
            splits of the same name.
        split: Name of the split that is scored.
        selections: Selections of the first data set that heads are trained on and that are scored, such as
            ``SplitSelections(train=Selection(shots=5))``. With ``split="train"`` they must have no view in
            common.
        out_dir: Folder in place of the run's own for features and results, if that must not be written to.
        notify: Function that is called with lines for the user, such as that an earlier result is replaced.

    Returns:
        The results, as written.

    Raises:
        InvalidInputError: The run is not finished, its method embeds nothing or cannot be scored by any task
            of the protocol, a data set has no such split, or one is given twice.
        IntegrityError: The data or the weights are damaged.
        StoreError: The folder cannot be written, or its disk is full.
    """
    run = open_run(run_dir)
    place = None if out_dir is None else expand_home(out_dir)
    check_can_write(place or run.folder)
    data = _open_data(path_or_url, ood_paths_or_urls, split, selections)
    method = load_method(run)
    progress = progress or ignore_progress

    def compute_features(path_or_url: Path | str, name: str) -> SplitFeatures:
        return compute_split_features(run, path_or_url, name, progress=progress, out_dir=place)

    protocol = protocol or select_protocol(run.config.preset)[0]
    results, scored = _evaluate(run, method, data, protocol, compute_features, progress)
    results = replace(results, weights=compute_weights_sha256(run))
    write_evaluation(run, results, scored.details, notify, out, place)
    return results


def evaluate_untrained(
    config: TrainConfig,
    out_dir: Path | str,
    protocol: Protocol | None = None,
    progress: ProgressCallback | None = None,
    *,
    split: str = "val",
    notify: Callable[[str], None] = _LOG.warning,
) -> EvaluationResults:
    """Evaluate a method before its first training step, to see what the architecture alone gives.

    Args:
        config: Settings of the training; its data set is evaluated on.
        out_dir: Folder that gets config.json, and the results as the folder of a run has them.
        protocol: Protocol; by default turntable's own, with heads trained as long as the preset says.
        progress: Function that is called with the progress of each stage.
        split: Name of the split that is scored.
        notify: Function that is called with lines for the user.

    Raises:
        InvalidInputError: The settings have no data set, or the method cannot be scored.
        StoreError: The folder cannot be written, or its disk is full.
    """
    if config.dataset is None:
        raise InvalidInputError(
            "there is no data set to evaluate on, since views that are rendered online are not stored; give a"
            " data set"
        )
    run = plan_run(expand_home(out_dir), config, TrainingData.from_dataset(open_dataset(config.dataset)))
    return _evaluate_fresh(run, config.dataset, protocol, progress or ignore_progress, split, notify)


def evaluate_untrained_run(
    run_dir: Path | str,
    path_or_url: Path | str,
    protocol: Protocol | None = None,
    progress: ProgressCallback | None = None,
    *,
    split: str = "val",
    selections: SplitSelections = SplitSelections(),
    out_dir: Path | str | None = None,
    notify: Callable[[str], None] = _LOG.warning,
) -> EvaluationResults:
    """Evaluate the network of a run with the weights that its seed draws, as before the first step.

    Args:
        run_dir: Folder of the run, finished or not.
        path_or_url: Path or URL of any data set.
        protocol: Protocol; by default turntable's own, with heads trained as long as the run's preset says.
        progress: Function that is called with the progress of each stage.
        split: Name of the split that is scored.
        selections: Selections of the data set that heads are trained on and that are scored.
        out_dir: Folder in place of the run's own, in which the folder "untrained" gets the results.
        notify: Function that is called with lines for the user.

    Raises:
        InvalidInputError: The folder holds no run, or the method cannot be scored.
        StoreError: The folder cannot be written, or its disk is full.
    """
    folder = expand_home(run_dir if out_dir is None else out_dir) / UNTRAINED_FOLDER
    run = replace(open_run(run_dir), folder=folder)
    return _evaluate_fresh(run, path_or_url, protocol, progress or ignore_progress, split, notify, selections)


def evaluate_features(
    train: SplitFeatures, val: SplitFeatures, protocol: Protocol, progress: ProgressCallback | None = None
) -> tuple[ScoreRow, ...]:
    """Evaluate features from any source.

    Args:
        train: Features that heads are trained on.
        val: Features that heads are scored on, with the same parts.
        protocol: Protocol; tasks that require abilities of a method are left out.
        progress: Function that is called with the progress of each stage.

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
    return score_tasks(train, {"val": val}, protocol, progress or ignore_progress).rows["val"]


@dataclass(frozen=True, slots=True)
class _EvaluationData:
    """The data sets of an evaluation; the first is the one with the train split."""

    paths_or_urls: tuple[Path | str, ...]
    datasets: tuple[Dataset, ...]
    split: str
    """Name of the split that is scored."""
    selections: SplitSelections
    """Selections of the first data set that are trained on and scored."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the scored splits, in notes too: that of the split, then the other data sets."""
        return (self.split, *map(remove_secrets, self.paths_or_urls[1:]))


ComputeFeatures = Callable[[Path | str, str], SplitFeatures]
"""Function from a data set and the name of a split to its features."""


def _open_data(
    path_or_url: Path | str, ood_paths_or_urls: Sequence[Path | str], split: str, selections: SplitSelections
) -> _EvaluationData:
    """Open all data sets, and check their splits before anything takes long."""
    _check_unique_datasets(split, [remove_secrets(other) for other in ood_paths_or_urls])
    datasets = tuple(open_dataset(each) for each in (path_or_url, *ood_paths_or_urls))
    selections.check_split(split, datasets[0])
    check_splits(datasets[0], ["train"])
    for dataset in datasets:
        check_splits(dataset, [split])
    return _EvaluationData((path_or_url, *ood_paths_or_urls), datasets, split, selections)


def _evaluate_fresh(
    run: Run,
    path_or_url: Path | str,
    protocol: Protocol | None,
    progress: ProgressCallback,
    split: str,
    notify: Callable[[str], None],
    selections: SplitSelections = SplitSelections(),
) -> EvaluationResults:
    """Evaluate a run with fresh weights; its features are not kept."""
    check_can_write(run.folder)
    data = _open_data(path_or_url, (), split, selections)
    create_run(run)
    with torch.random.fork_rng():
        torch.manual_seed(run.config.seed)
        method = build_run_method(run).eval()

    def compute_features(path_or_url: Path | str, name: str) -> SplitFeatures:
        arrays = extract_features(method, path_or_url, name, run.config.image_size, progress=progress)
        return build_split_features(arrays, data.datasets[0], name)

    protocol = protocol or select_protocol(run.config.preset)[0]
    results, scored = _evaluate(run, method, data, protocol, compute_features, progress)
    results = replace(results, method=UNTRAINED_METHOD, training=None)
    write_evaluation(run, results, scored.details, notify)
    return results


def _evaluate(
    run: Run,
    method: Method,
    data: _EvaluationData,
    protocol: Protocol,
    compute_features: ComputeFeatures,
    progress: ProgressCallback,
) -> tuple[EvaluationResults, ScoringResult]:
    """Compute features and score them."""
    own, chosen = data.datasets[0], data.selections
    if protocol.batch_norm == "train" and chosen != SplitSelections():
        raise InvalidInputError(
            f"protocol {protocol.name} trains heads over the images of whole splits; leave out the"
            ' selections, or use a protocol with batch_norm="eval"'
        )
    train = select_features(compute_features(data.paths_or_urls[0], "train"), own, "train", chosen.train)
    splits = _compute_scored_splits(data, compute_features)
    if set(train.parts) != set(splits[data.split].parts):
        raise InvalidInputError("the features of the two splits have different parts; evaluate again")
    make_fitter = (
        _make_train_mode_fitter(run, method, data, progress) if protocol.batch_norm == "train" else None
    )
    scored = score_tasks(train, splits, protocol, progress, method.eval().to(select_device()), make_fitter)
    scored = replace(scored, details=locate_figure_data(scored.details, own, data.split, chosen.scored))
    _check_has_scores(scored.rows[data.split], scored.notes[data.split], protocol, run)
    return _build_results(run, data, protocol, train, splits, scored), scored


def _compute_scored_splits(
    data: _EvaluationData, compute_features: ComputeFeatures
) -> dict[str, SplitFeatures]:
    """Compute the features of the scored splits by their names in notes, all with the first's categories."""
    categories = data.datasets[0].manifest.categories
    # The selections are those of the first data set; the other ones are scored whole.
    scored = [data.selections.scored, *(Selection() for _ in data.datasets[1:])]
    computed = (
        select_features(compute_features(path_or_url, data.split), dataset, data.split, selection)
        for path_or_url, dataset, selection in zip(data.paths_or_urls, data.datasets, scored, strict=True)
    )
    return {
        name: renumber_categories(features, dataset.manifest.categories, categories)
        for name, features, dataset in zip(data.names, computed, data.datasets, strict=True)
    }


def _build_results(
    run: Run,
    data: _EvaluationData,
    protocol: Protocol,
    train: SplitFeatures,
    splits: Mapping[str, SplitFeatures],
    scored: ScoringResult,
) -> EvaluationResults:
    own, scored_split = data.datasets[0].manifest, splits[data.split]
    pairs = protocol.pairs.list_val_pairs(scored_split) if scored_split.num_views > 1 else None
    return EvaluationResults(
        method=shorten_method_name(run.config.method),
        backbone=run.config.backbone,
        seed=run.config.seed,
        dataset=own.name,
        fingerprint=own.fingerprint,
        protocol={
            **data.selections.describe_protocol(protocol.to_plain()),
            "val_pairs": pairs.digest if pairs is not None else None,
        },
        num_train_objects=train.num_objects,
        num_val_objects=scored_split.num_objects,
        num_val_pairs=len(pairs) if pairs is not None else 0,
        rows=scored.rows[data.split],
        elsewhere=tuple(
            OODResults(
                dataset.manifest.name,
                dataset.manifest.fingerprint,
                compute_training_share(splits[name], data.datasets[0]),
                scored.rows[name],
                scored.notes[name],
            )
            for name, dataset in zip(data.names[1:], data.datasets[1:], strict=True)
        ),
        notes=scored.notes[data.split],
        split=data.split,
        path_or_url=remove_secrets(data.paths_or_urls[0]),
        training=describe_training_source(run, data.datasets[0]),
    )


def _check_has_scores(rows: Sequence[ScoreRow], notes: Sequence[str], protocol: Protocol, run: Run) -> None:
    if not any(row.scores for row in rows if not is_baseline(row.name)):
        why = "".join(f"; {note}" for note in notes)
        raise InvalidInputError(
            f"no task of protocol {protocol.name} can score {run.config.method} on this data set{why}"
        )


def _check_unique_datasets(split: str, ood_names: Sequence[str]) -> None:
    names = [split, *ood_names]
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
    eval_sources = [ImageSource(path_or_url, data.split, size) for path_or_url in data.paths_or_urls]

    def make(tasks: Sequence[Task], train: EvaluatedSplit) -> TrainModeHeads:
        return train_heads_in_train_mode(method, tasks, train, train_source, eval_sources, progress)

    return make
