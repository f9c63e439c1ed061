"""Evaluation of runs: from features to every number of a table, the same for every method.

Tasks are fitted on the train split and scored on the val split's objects, which they have never seen, and on
other data sets where some are given. Beside every method stands what sees no image: the mean of the targets
and the most frequent class of the train split.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from turntable.datasets import Dataset, open_dataset
from turntable.datasets.draws import in_box
from turntable.datasets.labels import ROTATION_NAMES
from turntable.errors import InvalidInputError
from turntable.evaluation.details import write_details
from turntable.evaluation.drifting import Drifted, Source, train_drifting
from turntable.evaluation.features import SplitFeatures, extract, renumbered, split_features, with_labels
from turntable.evaluation.numbers import compute_device
from turntable.evaluation.presets import protocol_by_name
from turntable.evaluation.protocol import Protocol
from turntable.evaluation.results import Elsewhere, Results, Row, is_baseline, write_results
from turntable.evaluation.scoring import MakeHeads, Onlooker, score
from turntable.evaluation.tasks import EvaluatedSplit, Task
from turntable.geometry import quaternion_to_matrix
from turntable.models import Method, method_label
from turntable.training import Run, TrainConfig, load_method, open_run
from turntable.training.runs import TrainingData, begin_run, new_method, plan_run

RESULTS, DETAILS = "results.json", "details.npz"
UNTRAINED = "untrained"
_HOME = "val"
"""The split of the run's data set that is scored on, by the name that notes have for it."""


def evaluate(
    run_dir: Path | str,
    dataset_dir: Path | str,
    out: Path | str | None = None,
    protocol: Protocol | None = None,
    progress: Onlooker | None = None,
    elsewhere: Sequence[Path | str] = (),
) -> Results:
    """Evaluate a finished run on a data set, its own or another.

    Args:
        run_dir: The run's folder; the features are kept there.
        dataset_dir: The data set, with a train and a val split: a folder or a URL.
        out: The JSON file; by default results.json in the run's folder. Details lie beside it.
        protocol: By default turntable's own.
        progress: Called with what is being done.
        elsewhere: More data sets on whose val split the same heads are scored: out of distribution.

    Returns:
        The scores, as written.

    Raises:
        InvalidInputError: The run is not finished, its method embeds nothing or can answer nothing that the
            protocol asks, a data set has no such split, or one is given twice.
        IntegrityError: The data or the weights are damaged.
    """
    _check_names([str(place) for place in elsewhere])
    run = open_run(run_dir)
    method = load_method(run)
    dataset, others = open_dataset(dataset_dir), [open_dataset(place) for place in elsewhere]
    tell = progress or _silent
    tell("features of the train split")
    train = split_features(run, dataset_dir, "train")
    tell("features of the val split")
    splits = {_HOME: split_features(run, dataset_dir, "val")}
    for other, place in zip(others, elsewhere, strict=True):
        tell(f"features of {other.manifest.name}")
        split = split_features(run, place, "val")
        splits[str(place)] = renumbered(split, other.manifest.categories, dataset.manifest.categories)
    target = Path(out) if out is not None else run.folder / RESULTS
    data = _Data((dataset_dir, *elsewhere), (dataset, *others))
    return _written(run, method, train, splits, data, protocol, tell, target)


def evaluate_untrained(
    config: TrainConfig,
    out_dir: Path | str,
    protocol: Protocol | None = None,
    progress: Onlooker | None = None,
) -> Results:
    """Evaluate a method as it is before its first step: what its network says without having learned.

    Args:
        config: Of the training that would be; its data set is evaluated on.
        out_dir: Gets config.json, results.json and details.npz.
        protocol: By default turntable's own.
        progress: Called with what is being done.
    """
    if config.dataset is None:
        raise InvalidInputError(
            "there is no data set to evaluate on: views that are rendered online never come again"
        )
    dataset, tell = open_dataset(config.dataset), progress or _silent
    run = plan_run(Path(out_dir), config, TrainingData.of_dataset(dataset))
    begin_run(run)
    with torch.random.fork_rng():
        torch.manual_seed(config.seed)
        method = new_method(run).eval()
    found: dict[str, SplitFeatures] = {}
    for name in ("train", "val"):
        tell(f"features of the {name} split")
        found[name] = with_labels(extract(method, config.dataset, name, config.image_size), dataset, name)
    data, splits = _Data((config.dataset,), (dataset,)), {_HOME: found["val"]}
    return _written(
        run, method, found["train"], splits, data, protocol, tell, run.folder / RESULTS, UNTRAINED
    )


def evaluate_features(
    train: SplitFeatures, val: SplitFeatures, protocol: Protocol, progress: Onlooker | None = None
) -> tuple[Row, ...]:
    """Evaluate features, wherever they come from.

    Args:
        train: What the heads are trained on.
        val: What they are scored on, with the same parts.
        protocol: What is asked; tasks that ask for abilities of a method are left out.
        progress: Called with what is being done.

    Returns:
        One row a part, then those of baselines.

    Raises:
        InvalidInputError: The protocol needs the images.
    """
    if protocol.batch_norm == "train":
        raise InvalidInputError(
            f"protocol {protocol.name} trains heads over a backbone that drifts, for which features are not"
            ' enough: evaluate a run, or use a protocol with batch_norm="eval"'
        )
    return score(train, {_HOME: val}, protocol, progress or _silent).rows[_HOME]


@dataclass(frozen=True, slots=True)
class _Data:
    """Where each data set lies, the one with the train split first, and what it is."""

    places: tuple[Path | str, ...]
    opened: tuple[Dataset, ...]


def _written(
    run: Run,
    method: Method,
    train: SplitFeatures,
    splits: Mapping[str, SplitFeatures],
    data: _Data,
    protocol: Protocol | None,
    tell: Onlooker,
    out: Path,
    name: str | None = None,
) -> Results:
    protocol = protocol or protocol_by_name("turntable")
    datasets, val = data.opened, splits[_HOME]
    if set(train.parts) != set(val.parts):
        raise InvalidInputError("the features of the two splits have different parts; evaluate again")
    drift = _drift(run, method, data, tell) if protocol.batch_norm == "train" else None
    scored = score(train, splits, protocol, tell, method.eval().to(compute_device()), drift)
    _check_answers(scored.rows[_HOME], scored.notes[_HOME], protocol, run)
    pairs = protocol.pairs.val(val) if val.num_views > 1 else None
    results = Results(
        method=name or method_label(run.config.method),
        backbone=run.config.backbone,
        seed=run.config.seed,
        dataset=datasets[0].manifest.name,
        fingerprint=datasets[0].manifest.fingerprint,
        protocol={**protocol.to_plain(), "val_pairs": pairs.digest if pairs is not None else None},
        num_train_objects=train.num_objects,
        num_val_objects=val.num_objects,
        num_val_pairs=len(pairs) if pairs is not None else 0,
        rows=scored.rows[_HOME],
        elsewhere=tuple(
            Elsewhere(
                dataset.manifest.name,
                dataset.manifest.fingerprint,
                share_of_training(split, datasets[0]),
                scored.rows[place],
                scored.notes[place],
            )
            for (place, split), dataset in zip(splits.items(), datasets, strict=True)
            if place != _HOME
        ),
        notes=scored.notes[_HOME],
    )
    write_details(out.with_name(DETAILS), scored.details)
    write_results(out, results)
    return results


def _check_answers(rows: Sequence[Row], notes: Sequence[str], protocol: Protocol, run: Run) -> None:
    if not any(row.scores for row in rows if not is_baseline(row.name)):
        why = "".join(f"; {note}" for note in notes)
        raise InvalidInputError(
            f"protocol {protocol.name} asks nothing that {run.config.method} can answer on these data{why}"
        )


def _check_names(elsewhere: Sequence[str]) -> None:
    names = [_HOME, *elsewhere]
    for name in elsewhere:
        if names.count(name) > 1:
            raise InvalidInputError(
                f"{name} cannot be told apart from another split that is scored on; give each data set once,"
                " by its whole path"
            )


def _drift(run: Run, method: Method, data: _Data, tell: Onlooker) -> MakeHeads:
    """Train heads over the backbone as it drifts."""
    size = run.config.image_size
    source, places = Source(data.places[0], "train", size), [Source(at, "val", size) for at in data.places]

    def make(tasks: Sequence[Task], train: EvaluatedSplit) -> Drifted:
        return train_drifting(method, tasks, train, source, places, tell)

    return make


def _silent(_: str) -> None:
    pass


def share_of_training(split: SplitFeatures, training: Dataset) -> float | None:
    """The share of a split's rotations that the training data's ranges of angles hold, by any of their names.

    A rotation has two triples of angles: one may lie within the ranges where the other does not.

    Args:
        split: Of the other data set.
        training: What the run was trained on.

    Returns:
        From 0, out of distribution on SO(3), to 1; None where training draws rotations in another way.
    """
    if training.manifest.recipe.get("rotation") or training.manifest.recipe.get("sequence"):
        return None
    by_name = {factor.name: factor for factor in training.manifest.factors}
    box = tuple(by_name[name] for name in ROTATION_NAMES if name in by_name)
    if len(box) < len(ROTATION_NAMES):
        return None
    matrices = quaternion_to_matrix(split.quaternions.reshape(-1, 4))
    return float(in_box(matrices, box).mean())
