"""The protocol: from features to every number of a table, the same for every method.

Heads see the train split and are scored on the val split's objects, which they have never seen, and on other
data sets where some are given. Beside every method stands what sees no image: the mean of the targets and the
most frequent class of the train split.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from turntable.datasets.dataset import Dataset, open_dataset
from turntable.errors import InvalidInputError
from turntable.evaluation import metrics
from turntable.evaluation.details import Details, write_details
from turntable.evaluation.features import SplitFeatures, extract, split_features, with_labels
from turntable.evaluation.predicting import (
    Actions,
    Predictor,
    aggregated,
    blind_scores,
    examples,
    joined,
    predictor_scores,
)
from turntable.evaluation.presets import Candidates, ProtocolConfig
from turntable.evaluation.probes import compute_device
from turntable.evaluation.resampling import Resamples
from turntable.evaluation.results import Elsewhere, Results, Row, Score, write_results
from turntable.evaluation.tasks import Classification, FittedRegression, Regression, Task
from turntable.evaluation.training_share import share_of_training
from turntable.models import Aggregates, Method, Predicts
from turntable.training import Run, TrainConfig, load_method, open_run
from turntable.training.runs import begin_run, new_method, plan_run

Onlooker = Callable[[str], None]
"""Called with what is being done."""

RESULTS, DETAILS = "results.json", "details.npz"
UNTRAINED = "untrained"
_POINTS = 1000
"""Views of a projection."""


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Somewhere to score: a split of a data set, and its name."""

    name: str
    split: SplitFeatures


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """What an evaluation found: rows by place, and what pictures need of the first."""

    rows: dict[str, tuple[Row, ...]]
    details: Details


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
        places.append(Place(str(place), split_features(run, place, "val")))
    target = Path(out) if out is not None else run.folder / RESULTS
    return _written(run, method, train, places, (dataset, *others), config, tell, target)


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
    return _written(
        run, method, train, [Place("val", val)], (dataset,), protocol, tell, run.folder / RESULTS, UNTRAINED
    )


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
    return score(train, [Place("val", val)], config, progress or _silent).rows["val"]


def score(
    train: SplitFeatures,
    places: Sequence[Place],
    config: ProtocolConfig,
    tell: Onlooker,
    method: Method | None = None,
) -> Scored:
    """Every row of every place.

    Args:
        train: What heads are trained on.
        places: What they are scored on; the first gives the details.
        config: The protocol.
        tell: Called with what is being done.
        method: Asked for predictions and aggregates, where it makes such.
    """
    rows: dict[str, list[Row]] = {place.name: [] for place in places}
    resamples = {place.name: Resamples(place.split.num_objects, config.resampling) for place in places}
    tasks = [task for task in config.tasks() if task.applies(train)]
    errors: dict[str, NDArray[np.float64]] = {}
    for name, features in train.parts.items():
        tell(f"probes of the {name}")
        found: dict[str, dict[str, Score]] = {place.name: {} for place in places}
        for task in tasks:
            fitted = task.fit(features, train)
            for place in places:
                if task.applies(place.split):
                    part = place.split.parts[name]
                    found[place.name] |= fitted(part, place.split, resamples[place.name])
            if _is_main_rotation(task) and isinstance(fitted, FittedRegression):
                split = places[0].split
                predicted = fitted.predict(split.parts[name], split)
                errors[name] = metrics.geodesic_deg(predicted, fitted.task.target(split))
        for place in places:
            rows[place.name].append(Row(name, features.shape[2], found[place.name]))
    examples_found = None
    for place in places:
        extra, shown = _of_method(method, train, place.split, config, tell, resamples[place.name])
        rows[place.name] += extra
        examples_found = examples_found or shown
        blind = _blind(tasks, train, place, resamples[place.name])
        if any(row.name == "predictor" for row in extra):
            blind |= blind_scores(place.split.num_views)
        rows[place.name].append(Row("constant", 0, blind))
    details = _details(places[0].split, config, errors)
    if examples_found is not None:
        details = _with_examples(details, examples_found)
    return Scored({name: tuple(found) for name, found in rows.items()}, details)


def _blind(
    tasks: Sequence[Task], train: SplitFeatures, place: Place, resamples: Resamples
) -> dict[str, Score]:
    scores: dict[str, Score] = {}
    for task in tasks:
        fitted = task.blind(train)
        if fitted is not None and task.applies(place.split):
            scores |= fitted(None, place.split, resamples)
    return scores


def _of_method(
    method: Method | None,
    train: SplitFeatures,
    split: SplitFeatures,
    config: ProtocolConfig,
    tell: Onlooker,
    resamples: Resamples,
) -> tuple[list[Row], Any]:
    """The rows "aggregate_M" and "predictor", and examples of retrieval."""
    rows: list[Row] = []
    shown = None
    if isinstance(method, Aggregates) and split.labels is not None:
        tell("aggregates")
        rows += _aggregate_rows(method, train, split, config, resamples)
    if isinstance(method, Predicts) and split.source is not None and split.num_views > 1:
        actions = Actions(method.action, split, config.quaternion_sign)
        if actions.are_told():
            tell("predictions")
            predict = Predictor(method, split, actions)
            sources = split.num_views if config.retrieval_sources == "all" else 1
            where = {_SUFFIXES[name]: _candidates(name, train, split) for name in config.pre_candidates}
            scores = predictor_scores(predict, split, sources, where, resamples)
            rows.append(Row("predictor", split.source.shape[2], scores))
            shown = examples(predict, split, config.pairs_seed)
    return rows, shown


_SUFFIXES: dict[Candidates, str] = {"val": "", "train": "_in_train", "both": "_in_both"}


def _candidates(name: Candidates, train: SplitFeatures, split: SplitFeatures) -> SplitFeatures:
    return {"val": lambda: split, "train": lambda: train, "both": lambda: joined(train, split)}[name]()


def _aggregate_rows(
    method: Aggregates,
    train: SplitFeatures,
    split: SplitFeatures,
    config: ProtocolConfig,
    resamples: Resamples,
) -> list[Row]:
    task = Classification("top1", config.classifier)
    if not task.applies(train):
        return []
    rows = []
    for views in config.aggregate_views:
        if views > min(train.num_views, split.num_views):
            continue
        of_train, of_split = (
            aggregated(method, s, Actions(method.action, s, config.quaternion_sign), views, config.pairs_seed)
            for s in (train, split)
        )
        scores = task.fit(of_train, train)(of_split, split, resamples)
        rows.append(Row(f"aggregate_{views}", of_train.shape[2], scores))
    return rows


def _details(split: SplitFeatures, config: ProtocolConfig, errors: dict[str, NDArray[np.float64]]) -> Details:
    turns = np.zeros(0)
    for task in config.tasks():
        if isinstance(task, Regression) and _is_main_rotation(task) and task.applies(split):
            target = task.target(split)
            turns = metrics.geodesic_deg(np.broadcast_to([0.0, 0, 0, 1], target.shape), target)
    random = np.random.Generator(np.random.Philox(config.pairs_seed))
    total = split.num_objects * split.num_views
    chosen = np.sort(random.choice(total, min(_POINTS, total), replace=False))
    objects, views = np.divmod(chosen, split.num_views)
    projections = {
        name: _principal(np.asarray(part[objects, views], np.float64)) for name, part in split.parts.items()
    }
    return Details(turns, errors, projections, objects, views, split.categories[objects])


def _with_examples(details: Details, retrieval: Any) -> Details:
    return Details(
        details.turn_deg,
        details.errors_deg,
        details.projections,
        details.projected_objects,
        details.projected_views,
        details.projected_categories,
        retrieval,
    )


def _principal(points: NDArray[np.float64]) -> NDArray[np.float32]:
    """[M, 2]: points [M, D] along the two directions in which they vary most."""
    centred = points - points.mean(axis=0)
    left, scales, _ = np.linalg.svd(centred, full_matrices=False)
    kept = (left * scales)[:, :2]
    return np.pad(kept, ((0, 0), (0, 2 - kept.shape[1]))).astype(np.float32)


def _is_main_rotation(task: Task) -> bool:
    """Whether it is the one whose errors pictures show."""
    return isinstance(task, Regression) and task.deep and task.prefix == "" and task.quantity.views == 2


def _written(
    run: Run,
    method: Method,
    train: SplitFeatures,
    places: Sequence[Place],
    datasets: Sequence[Dataset],
    config: ProtocolConfig | None,
    tell: Onlooker,
    out: Path,
    name: str | None = None,
) -> Results:
    config = config or ProtocolConfig()
    val = places[0].split
    if set(train.parts) != set(val.parts):
        raise InvalidInputError("the features of the two splits have different parts; evaluate again")
    scored = score(train, places, config, tell, method.eval().to(compute_device()))
    pairs = config.pairs.val(val) if val.num_views > 1 else None
    results = Results(
        method=name or run.config.method,
        backbone=run.config.backbone,
        seed=run.config.seed,
        dataset=datasets[0].manifest.name,
        fingerprint=datasets[0].manifest.fingerprint,
        protocol={
            **asdict(config),
            "batch_norm": "eval",
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
            )
            for place, dataset in zip(places[1:], datasets[1:], strict=True)
        ),
    )
    write_details(out.with_name(DETAILS), scored.details)
    write_results(out, results)
    return results


def _silent(_: str) -> None:
    pass
