"""The protocol: from features to every number of a table, the same for every method.

Heads see the train split and are scored on the val split's objects, which they have never seen, and on other
data sets where some are given. Beside every method stands what sees no image: the mean of the targets and the
most frequent class of the train split.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
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
from turntable.evaluation.presets import ProtocolConfig
from turntable.evaluation.results import Elsewhere, Results, Row, write_results
from turntable.evaluation.scoring import Onlooker, Place, score, tasks_of
from turntable.geometry import quaternion_to_matrix
from turntable.models import Method
from turntable.training import Run, TrainConfig, load_method, open_run
from turntable.training.runs import begin_run, new_method, plan_run

RESULTS, DETAILS = "results.json", "details.npz"
UNTRAINED = "untrained"


def evaluate(
    run_dir: Path | str,
    dataset_dir: Path | str,
    out: Path | str | None = None,
    config: ProtocolConfig | None = None,
    progress: Onlooker | None = None,
    elsewhere: Sequence[Path | str] = (),
) -> Results:
    """Evaluate a finished run on a data set, its own or another.

    Args:
        run_dir: The run's folder; the features are kept there.
        dataset_dir: The data set, with a train and a val split: a folder or a URL.
        out: The JSON file; by default results.json in the run's folder. Details lie beside it.
        config: The protocol; by default turntable's own.
        progress: Called with what is being done.
        elsewhere: More data sets on whose val split the same heads are scored: out of distribution.

    Returns:
        The scores, as written.

    Raises:
        InvalidInputError: The run is not finished, or a data set has no such split.
        IntegrityError: The data or the weights are damaged.
    """
    run = open_run(run_dir)
    method = load_method(run)
    dataset, others = open_dataset(dataset_dir), [open_dataset(place) for place in elsewhere]
    tell = progress or _silent
    tell("features of the train split")
    train = split_features(run, dataset_dir, "train")
    tell("features of the val split")
    places = [Place("val", split_features(run, dataset_dir, "val"))]
    for other, place in zip(others, elsewhere, strict=True):
        tell(f"features of {other.manifest.name}")
        split = split_features(run, place, "val")
        numbered = renumbered(split, other.manifest.categories, dataset.manifest.categories)
        places.append(Place(str(place), numbered))
    target = Path(out) if out is not None else run.folder / RESULTS
    data = _Data((dataset_dir, *elsewhere), (dataset, *others))
    return _written(run, method, train, places, data, config, tell, target)


def evaluate_untrained(
    config: TrainConfig,
    out_dir: Path | str,
    protocol: ProtocolConfig | None = None,
    progress: Onlooker | None = None,
) -> Results:
    """Evaluate a method as it is before its first step: what its network says without having learned.

    Args:
        config: Of the training that would be; its data set is evaluated on.
        out_dir: Gets config.json, results.json and details.npz.
        protocol: By default turntable's own.
        progress: Called with what is being done.
    """
    dataset, tell = open_dataset(config.dataset), progress or _silent
    run = plan_run(Path(out_dir), config, dataset)
    begin_run(run)
    with torch.random.fork_rng():
        torch.manual_seed(config.seed)
        method = new_method(run).eval()
    splits = []
    for name in ("train", "val"):
        tell(f"features of the {name} split")
        splits.append(with_labels(extract(method, config.dataset, name, config.image_size), dataset, name))
    train, val = splits
    data, places = _Data((config.dataset,), (dataset,)), [Place("val", val)]
    return _written(run, method, train, places, data, protocol, tell, run.folder / RESULTS, UNTRAINED)


def evaluate_features(
    train: SplitFeatures, val: SplitFeatures, config: ProtocolConfig, progress: Onlooker | None = None
) -> tuple[Row, ...]:
    """Evaluate features, wherever they come from.

    Args:
        train: What the heads are trained on.
        val: What they are scored on, with the same parts.
        config: The protocol.
        progress: Called with what is being done.

    Returns:
        One row a part, then the constant predictor's.

    Raises:
        InvalidInputError: The protocol needs the images.
    """
    if config.batch_norm == "train":
        raise InvalidInputError(
            f"protocol {config.name} trains heads over a backbone that drifts, for which features are not"
            ' enough: evaluate a run, or use a protocol with batch_norm="eval"'
        )
    return score(train, [Place("val", val)], config, progress or _silent).rows["val"]


@dataclass(frozen=True, slots=True)
class _Data:
    """Where each data set lies, the one with the train split first, and what it is."""

    places: tuple[Path | str, ...]
    opened: tuple[Dataset, ...]


def _written(
    run: Run,
    method: Method,
    train: SplitFeatures,
    places: Sequence[Place],
    data: _Data,
    config: ProtocolConfig | None,
    tell: Onlooker,
    out: Path,
    name: str | None = None,
) -> Results:
    config = config or ProtocolConfig()
    datasets, val = data.opened, places[0].split
    if set(train.parts) != set(val.parts):
        raise InvalidInputError("the features of the two splits have different parts; evaluate again")
    heads = _drifting(run, method, train, data, config, tell) if config.batch_norm == "train" else None
    scored = score(train, places, config, tell, method.eval().to(compute_device()), heads)
    pairs = config.pairs.val(val) if val.num_views > 1 else None
    results = Results(
        method=name or run.config.method,
        backbone=run.config.backbone,
        seed=run.config.seed,
        dataset=datasets[0].manifest.name,
        fingerprint=datasets[0].manifest.fingerprint,
        protocol={
            **asdict(config),
            "val_pairs": pairs.digest if pairs is not None else None,
        },
        num_train_objects=train.num_objects,
        num_val_objects=val.num_objects,
        num_val_pairs=len(pairs) if pairs is not None else 0,
        rows=scored.rows["val"],
        elsewhere=tuple(
            Elsewhere(
                dataset.manifest.name,
                dataset.manifest.fingerprint,
                share_of_training(place.split, datasets[0]),
                scored.rows[place.name],
                scored.notes[place.name],
            )
            for place, dataset in zip(places[1:], datasets[1:], strict=True)
        ),
        notes=scored.notes["val"],
    )
    write_details(out.with_name(DETAILS), scored.details)
    write_results(out, results)
    return results


def _drifting(
    run: Run, method: Method, train: SplitFeatures, data: _Data, config: ProtocolConfig, tell: Onlooker
) -> Drifted:
    size = run.config.image_size
    return train_drifting(
        method,
        tasks_of(config, train),
        train,
        Source(data.places[0], "train", size),
        [Source(place, "val", size) for place in data.places],
        config.train_pairs_per_object,
        config.pairs_seed,
        tell,
    )


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
