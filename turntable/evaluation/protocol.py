"""The protocol: from features to every number of a table, the same for every method.

Linear classification of single views, and the rotation between two views of an object by a small head; both
heads see the train split and are scored on the val split's objects, which they have never seen. Beside every
method stands the constant predictor: the mean quaternion and the most frequent class of the train split.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.dataset import open_dataset
from turntable.datasets.rotations import QuaternionSign, relative_quaternion
from turntable.evaluation.features import SplitFeatures, split_features
from turntable.evaluation.metrics import majority_class
from turntable.evaluation.probes import ProbeConfig, train_classifier, train_rotation_head
from turntable.evaluation.results import Results, Row, Score, write_results
from turntable.evaluation.scores import Resampling, rotation_scores, top1_score
from turntable.loaders.samplers import Samples, random_pairs, validation_pairs
from turntable.loaders.selection import Selection, whole_split
from turntable.training import open_run

Onlooker = Callable[[str], None]
"""Called with what is being done."""


@dataclass(frozen=True, slots=True)
class ProtocolConfig:
    """What the numbers depend on beside the method and the data."""

    name: str = "turntable-1"
    classifier: ProbeConfig = field(default_factory=ProbeConfig)
    rotation: ProbeConfig = field(default_factory=ProbeConfig)
    train_pairs_per_object: int = 1
    """Drawn anew in each epoch of the rotation head."""
    val_pairs_per_object: int = 20
    """A fixed list; all pairs where an object has fewer."""
    linear_rotation: bool = True
    """Whether a linear rotation head is trained too."""
    quaternion_sign: QuaternionSign = "product"
    """Which of q and -q the heads are to predict."""
    pairs_seed: int = 0
    resampling: Resampling = field(default_factory=Resampling)

    @classmethod
    def demo(cls) -> Self:
        """Short trainings, for two CPU cores."""
        return cls(
            name="turntable-1-demo",
            classifier=ProbeConfig.demo(),
            rotation=ProbeConfig.demo(),
            train_pairs_per_object=10,
            linear_rotation=False,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Pairs of views with the quaternion between them."""

    rows: NDArray[np.int64]
    """[P, 2] rows of the split's views, object by object."""
    quaternions: NDArray[np.float32]
    """[P, 4] xyzw of R1^T R2."""


def evaluate(
    run_dir: Path | str,
    dataset_dir: Path | str,
    out: Path | str | None = None,
    config: ProtocolConfig | None = None,
    progress: Onlooker | None = None,
) -> Results:
    """Evaluate a finished run on a data set, its own or another.

    Args:
        run_dir: The run's folder; the features are kept there.
        dataset_dir: The data set's folder, with a train and a val split.
        out: The JSON file; by default results.json in the run's folder.
        config: The protocol; by default that of the papers.
        progress: Called with what is being done.

    Returns:
        The scores, as written.

    Raises:
        InvalidInputError: The run is not finished, or the data set has no such splits.
        IntegrityError: The data or the weights are damaged.
    """
    run, dataset, tell = open_run(run_dir), open_dataset(dataset_dir), progress or _silent
    config = config or ProtocolConfig()
    tell("features of the train split")
    train = split_features(run, dataset_dir, "train")
    tell("features of the val split")
    val = split_features(run, dataset_dir, "val")
    rows = evaluate_features(train, val, config, tell)
    results = Results(
        method=run.config.method,
        dataset=dataset.manifest.name,
        fingerprint=dataset.manifest.fingerprint,
        protocol={**asdict(config), "val_pairs": _val_list(val, config).digest},
        num_train_objects=train.num_objects,
        num_val_objects=val.num_objects,
        num_val_pairs=len(_val_list(val, config)),
        rows=rows,
    )
    write_results(Path(out) if out is not None else run.folder / "results.json", results)
    return results


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
    """
    tell = progress or _silent
    rows: list[Row] = []
    for name, features in train.parts.items():
        tell(f"probes of the {name}")
        scores = _part_scores(features, val.parts[name], train, val, config)
        rows.append(Row(name, features.shape[2], scores))
    return (*rows, Row("constant", 0, _constant_scores(train, val, config)))


def _part_scores(
    train_part: NDArray[np.float32],
    val_part: NDArray[np.float32],
    train: SplitFeatures,
    val: SplitFeatures,
    config: ProtocolConfig,
) -> dict[str, Score]:
    scores = {"top1": _classification(train_part, val_part, train, val, config)}
    scores |= _rotation(train_part, val_part, train, val, config, deep=True)
    if config.linear_rotation:
        linear = _rotation(train_part, val_part, train, val, config, deep=False)
        scores |= {f"linear_{name}": score for name, score in linear.items()}
    return scores


def _classification(
    train_part: NDArray[np.float32],
    val_part: NDArray[np.float32],
    train: SplitFeatures,
    val: SplitFeatures,
    config: ProtocolConfig,
) -> Score:
    num_categories = 1 + int(max(train.categories.max(), val.categories.max()))
    targets = np.repeat(train.categories, train.num_views)
    probe = train_classifier(_views(train_part), targets, num_categories, config.classifier)
    predicted = probe(_views(val_part)).argmax(axis=1).reshape(val.num_objects, val.num_views)
    return top1_score(predicted, val.categories, config.resampling)


def _rotation(
    train_part: NDArray[np.float32],
    val_part: NDArray[np.float32],
    train: SplitFeatures,
    val: SplitFeatures,
    config: ProtocolConfig,
    *,
    deep: bool,
) -> dict[str, Score]:
    def draw_pairs(epoch: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        pairs = _with_quaternions(train, _train_list(train, config, epoch), config)
        return pairs.rows, pairs.quaternions

    probe = train_rotation_head(_views(train_part), draw_pairs, deep, config.rotation)
    pairs = _with_quaternions(val, _val_list(val, config), config)
    features = _views(val_part)[pairs.rows]
    predicted = probe(features.reshape(len(features), -1))
    return rotation_scores(predicted, pairs.quaternions, val.num_objects, config.resampling)


def _constant_scores(train: SplitFeatures, val: SplitFeatures, config: ProtocolConfig) -> dict[str, Score]:
    majority = np.full((val.num_objects, val.num_views), majority_class(train.categories))
    sample = random_pairs(_selection(train), train.num_views, config.pairs_seed, 0)
    mean = _with_quaternions(train, sample, config).quaternions.mean(axis=0, dtype=np.float64)
    targets = _with_quaternions(val, _val_list(val, config), config).quaternions
    predicted = np.broadcast_to(mean, targets.shape)
    return {
        "top1": top1_score(majority, val.categories, config.resampling),
        **rotation_scores(predicted, targets, val.num_objects, config.resampling),
    }


def _train_list(train: SplitFeatures, config: ProtocolConfig, epoch: int) -> Samples:
    return random_pairs(_selection(train), config.train_pairs_per_object, config.pairs_seed, epoch)


def _val_list(val: SplitFeatures, config: ProtocolConfig) -> Samples:
    per_object = min(config.val_pairs_per_object, val.num_views * (val.num_views - 1))
    return validation_pairs(_selection(val), per_object, config.pairs_seed)


def _selection(split: SplitFeatures) -> Selection:
    return whole_split([split.num_objects], split.num_views)


def _with_quaternions(split: SplitFeatures, pairs: Samples, config: ProtocolConfig) -> Pairs:
    rows = pairs.objects[:, None] * split.num_views + pairs.views
    absolute = split.quaternions.reshape(-1, 4)[rows]
    relative = relative_quaternion(absolute[:, 0], absolute[:, 1], config.quaternion_sign)
    return Pairs(rows, relative.astype(np.float32))


def _views(part: NDArray[np.float32]) -> NDArray[np.float32]:
    """[N, V, D] as [N * V, D]."""
    return part.reshape(-1, part.shape[2])


def _silent(_: str) -> None:
    pass
