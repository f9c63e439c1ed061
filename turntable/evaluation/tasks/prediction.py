"""The task of retrieving views by the predictions of the method's predictor."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from turntable.evaluation.evaluation_results import CONSTANT_ROW, Score
from turntable.evaluation.features import SplitFeatures
from turntable.evaluation.figure_data import RetrievalExamples, TaskFigureData
from turntable.evaluation.measurement import (
    HIT_RANKS,
    BootstrapResamples,
    EmbeddedViews,
    PoseCandidates,
    PredictTargets,
    RetrievalMeasurements,
    Scores,
    compute_identity_errors,
    measure_retrieval,
    select_device,
)
from turntable.evaluation.score_table_specs import ScoreColumn, ScoreFinding, ScoreTable
from turntable.evaluation.tasks.actions import SplitActions
from turntable.evaluation.tasks.task import EvaluatedSplit, FittedTask, Scorer
from turntable.geometry import QuaternionSign
from turntable.models import Predicts

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
CandidateViews = Literal["val", "train", "both"]
"""Views among which the nearest one is searched for PRE."""

_MAX_EXAMPLES = 12
"""Maximal number of retrieval examples for figures."""
_NUM_FOUND = 5
"""Number of retrieved views of an example."""
_IN_TRAIN_SUFFIX = "_in_train"


def _make_rank_columns(suffix: str, short: str) -> tuple[ScoreColumn, ...]:
    hits = (ScoreColumn(f"h_at_{k}{suffix}", f"H@{k}", "%", 100, 1, short=f"H@{k}{short}") for k in HIT_RANKS)
    return (ScoreColumn(f"mrr{suffix}", "MRR", short=f"MRR{short}"), *hits)


_PREDICTOR_TABLE = ScoreTable(
    "Retrieval by the predictor",
    "Every view is predicted from other views of its object. PRE is sin² of half the angle to the pose of"
    " the nearest view, 0 at best. MRR and H@k rank the true view among the views of its object. The"
    " residual is the prediction's distance to the truth, relative to that of the source view: 1 is no"
    " better than identity.",
    (
        ScoreColumn("pre", "PRE", lower_is_better=True),
        ScoreColumn("pre_in_train", "PRE in train", lower_is_better=True),
        ScoreColumn("pre_in_both", "PRE in both", lower_is_better=True),
        *_make_rank_columns("", ""),
        ScoreColumn("equivariance_residual", "residual", lower_is_better=True),
    ),
    ScoreFinding(
        "equivariance_residual",
        "{who}: equivariance residual {equivariance_residual}",
        "constant baseline {equivariance_residual}",
        {"equivariance_residual": 1.0},
    ),
)
_OTHER_VIEWS_TABLE = ScoreTable(
    "Retrieval by the predictor, without identity",
    "The same without the source view: it is neither a target nor a candidate.",
    _make_rank_columns("_without_identity", " without identity"),
    ScoreFinding(
        "mrr_without_identity",
        "{who}: MRR {mrr_without_identity}",
        "constant baseline {mrr_without_identity}",
    ),
)


@dataclass(frozen=True, slots=True)
class Prediction:
    """Retrieval of views by the predictor, and the errors of its predictions: row "predictor"."""

    sources: Literal["all", "first"] = "all"
    """Views that are predicted from: every view of an object, or only its first as in SIE's script."""
    candidates: tuple[CandidateViews, ...] = ("val",)
    """Views among which PRE searches the nearest: "val" and "both" are for views of the val split, "train"
    is for views of the train split among themselves."""
    sign: QuaternionSign = "product"
    """Sign of the quaternions in actions."""

    name = "predictions"
    title = "predictions"
    required_abilities = (Predicts,)
    tables = (_PREDICTOR_TABLE, _OTHER_VIEWS_TABLE)
    main_metrics = ("mrr_without_identity", "equivariance_residual")

    def find_obstacle(self, split: SplitFeatures, method: Any = None) -> str | None:
        """Return why views of a split cannot be predicted; None if they can."""
        if split.source is None or split.labels is None:
            return "there are no embeddings to predict from, or no labels to compute actions from"
        if split.num_views < 2:
            return "there is only one view of each object"
        return SplitActions(method.action, split, self.sign).find_missing_label()

    def list_rows(self, train: EvaluatedSplit, method: Any = None) -> tuple[str, ...]:
        """List its only row."""
        del train, method
        return ("predictor",)

    def fit(self, row: str, train: EvaluatedSplit, method: Any = None) -> FittedTask:
        """Return the predictor as a fitted task; nothing is trained."""
        del row
        assert train.split.source is not None

        def score(eval_split: EvaluatedSplit) -> Scores:
            num_sources = self._count_sources(eval_split)
            predict = self._make_predictor(method, eval_split)
            candidates = self._select_candidates(train, eval_split)
            measured = measure_split(predict, eval_split.split, num_sources, candidates)
            scores = compute_predictor_scores(measured, eval_split.resamples)
            if self._needs_train_candidates(eval_split):
                predict_train = self._make_predictor(method, train)
                in_train = _make_train_candidates(train)
                measured_train = measure_split(predict_train, train.split, num_sources, in_train)
                scores |= compute_pose_scores(measured_train, train.resamples)
            return scores

        def make_figure_data(eval_split: EvaluatedSplit) -> TaskFigureData:
            predict = self._make_predictor(method, eval_split)
            examples = find_retrieval_examples(predict, eval_split.split, eval_split.pairs.seed)
            return TaskFigureData(retrieval=examples)

        return FittedTask(score, train.split.source.shape[2], make_figure_data)

    def build_baselines(self, train: EvaluatedSplit) -> Mapping[str, Scorer]:
        """Build the constant baseline: views in random order, a random pose, and the mean of the targets."""

        def score(eval_split: EvaluatedSplit) -> Scores:
            num_sources = self._count_sources(eval_split)
            candidates = self._select_candidates(train, eval_split)
            scores = compute_constant_scores(
                eval_split.split, train.split, num_sources, candidates, eval_split.resamples
            )
            if self._needs_train_candidates(eval_split):
                scores |= compute_constant_pose_scores(
                    train.split, _make_train_candidates(train), train.resamples
                )
            return scores

        return {CONSTANT_ROW: score}

    def _count_sources(self, eval_split: EvaluatedSplit) -> int:
        return eval_split.split.num_views if self.sources == "all" else 1

    def _select_candidates(
        self, train: EvaluatedSplit, eval_split: EvaluatedSplit
    ) -> dict[str, SplitFeatures]:
        """Return the candidates of PRE for views of a split, by the suffix of the metric's name."""
        selected: dict[str, SplitFeatures] = {}
        if "val" in self.candidates:
            selected[""] = eval_split.split
        if "both" in self.candidates:
            selected["_in_both"] = join_splits(train.split, eval_split.split)
        return selected

    def _needs_train_candidates(self, eval_split: EvaluatedSplit) -> bool:
        return "train" in self.candidates and eval_split.is_own_dataset

    def _make_predictor(self, method: Predicts, eval_split: EvaluatedSplit) -> "SplitPredictor":
        return SplitPredictor(
            method, eval_split.split, SplitActions(method.action, eval_split.split, self.sign)
        )


def _make_train_candidates(train: EvaluatedSplit) -> dict[str, SplitFeatures]:
    return {_IN_TRAIN_SUFFIX: train.split}


@dataclass(frozen=True, slots=True, eq=False)
class SplitPredictor:
    """A method's predictor, applied to views of a split."""

    method: Predicts
    """Method that predicts."""
    split: SplitFeatures
    """Split with the embeddings to predict from."""
    actions: SplitActions
    """Actions between views of the split."""

    @torch.inference_mode()
    def __call__(self, objects: IntArray, start: IntArray, end: IntArray) -> Tensor:
        """Predict the target embeddings [Q, E] of views ``end`` from views ``start`` of objects [Q]."""
        assert self.split.source is not None
        source = torch.from_numpy(np.ascontiguousarray(self.split.source[objects, start]))
        action = self.actions.compute_actions(objects, np.stack([start, end], axis=1))[:, 0]
        return self.method.predict(source.to(select_device()), action).float()


def measure_split(
    predict: PredictTargets, split: SplitFeatures, num_sources: int, candidates: Mapping[str, SplitFeatures]
) -> RetrievalMeasurements:
    """Measure the predictions of every view of a split.

    Args:
        predict: The method's predictor over the split.
        split: Split with source and target embeddings.
        num_sources: Number of first views of each object that are predicted from.
        candidates: Candidates of PRE, by the suffix of the metric's name.
    """
    assert split.source is not None
    assert split.target is not None
    return measure_retrieval(
        predict,
        EmbeddedViews(split.source, split.target, split.quaternions),
        num_sources,
        {suffix: _make_candidates(other) for suffix, other in candidates.items()},
    )


def compute_predictor_scores(measurements: RetrievalMeasurements, resamples: BootstrapResamples) -> Scores:
    """Compute PRE, MRR and H@k with and without identity, and the equivariance residual.

    Args:
        measurements: Measurements by ``measure_split``.
        resamples: Resamples of the split's objects.
    """
    scores: Scores = {}
    for suffix, ranks in (
        ("", measurements.ranks),
        ("_without_identity", measurements.ranks_without_identity),
    ):
        scores[f"mrr{suffix}"] = resamples.compute_mean(ranks.compute_reciprocal_ranks())
        for k in HIT_RANKS:
            scores[f"h_at_{k}{suffix}"] = resamples.compute_mean(ranks.compute_hits(k))
    scores |= compute_pose_scores(measurements, resamples)
    scores["equivariance_residual"] = _compute_residual(
        measurements.prediction_errors, measurements.identity_errors, resamples
    )
    return scores


def compute_pose_scores(measurements: RetrievalMeasurements, resamples: BootstrapResamples) -> Scores:
    """Compute PRE alone, for each set of candidates."""
    return {
        f"pre{suffix}": resamples.compute_mean(errors) for suffix, errors in measurements.pose_errors.items()
    }


def compute_constant_scores(
    split: SplitFeatures,
    train: SplitFeatures,
    num_sources: int,
    candidates: Mapping[str, SplitFeatures],
    resamples: BootstrapResamples,
) -> Scores:
    """Compute the same metrics of the constant baseline, which sees no image.

    It orders the views of an object at random, takes the pose of a random candidate, and predicts the mean of
    the train split's targets. Its residual is below that of identity (1) if most of the variance of the
    targets is within objects.

    Args:
        split: Split that is scored.
        train: Train split.
        num_sources: Number of first views of each object that are predicted from.
        candidates: Candidates of PRE, by the suffix of the metric's name.
        resamples: Resamples of the split's objects.
    """
    assert split.source is not None
    assert split.target is not None
    assert train.target is not None
    scores: Scores = {}
    for suffix, count in (("", split.num_views), ("_without_identity", split.num_views - 1)):
        by_chance = {"mrr": float(np.mean(1 / np.arange(1, count + 1)))}
        by_chance |= {f"h_at_{k}": min(1.0, k / count) for k in HIT_RANKS}
        scores |= {f"{name}{suffix}": Score(value, value, value) for name, value in by_chance.items()}
    scores |= compute_constant_pose_scores(split, candidates, resamples)
    # The number of times that each view is predicted from another one: a source is not predicted from itself.
    num_queries = num_sources - (np.arange(split.num_views) < num_sources)
    mean = train.target.mean(axis=(0, 1), dtype=np.float64)
    mean_errors = np.stack([np.square(target - mean).sum(axis=1) @ num_queries for target in split.target])
    views = EmbeddedViews(split.source, split.target, split.quaternions)
    identity_errors = compute_identity_errors(views, num_sources)
    return scores | {"equivariance_residual": _compute_residual(mean_errors, identity_errors, resamples)}


def compute_constant_pose_scores(
    split: SplitFeatures, candidates: Mapping[str, SplitFeatures], resamples: BootstrapResamples
) -> Scores:
    """Compute the PRE of a random candidate, for each set of candidates."""
    return {
        f"pre{suffix}": resamples.compute_mean(_make_candidates(other).compute_chance_pre(split.quaternions))
        for suffix, other in candidates.items()
    }


def _compute_residual(
    prediction_errors: FloatArray, identity_errors: FloatArray, resamples: BootstrapResamples
) -> Score:
    # Where all embeddings of an object are equal, the identity errors are 0: avoid a division by zero.
    denominator = np.maximum(resamples.compute_sums(identity_errors), np.finfo(float).tiny)
    return resamples.compute_score(np.sqrt(resamples.compute_sums(prediction_errors) / denominator))


def join_splits(one: SplitFeatures, other: SplitFeatures) -> SplitFeatures:
    """Return the views of two splits as one, with targets and poses only: enough for candidates."""
    assert one.target is not None
    assert other.target is not None
    return SplitFeatures(
        {},
        np.concatenate([one.quaternions.reshape(-1, 1, 4), other.quaternions.reshape(-1, 1, 4)]),
        np.concatenate([np.repeat(s.categories, s.num_views) for s in (one, other)]),
        target=np.concatenate([s.target.reshape(-1, 1, s.target.shape[2]) for s in (one, other)]),  # pyright: ignore[reportOptionalMemberAccess]
    )


@torch.inference_mode()
def find_retrieval_examples(predict: PredictTargets, split: SplitFeatures, seed: int) -> RetrievalExamples:
    """Return some random queries with the nearest views of the same object, for figures.

    Args:
        predict: The method's predictor over the split.
        split: Split with target embeddings.
        seed: Seed of the choice of queries.
    """
    assert split.target is not None
    rng = np.random.Generator(np.random.Philox(seed))
    count = min(_MAX_EXAMPLES, split.num_objects)
    objects = np.sort(rng.choice(split.num_objects, count, replace=False))
    views = np.stack([rng.choice(split.num_views, 2, replace=False) for _ in range(count)])
    found = []
    for index, (start, end) in zip(objects, views, strict=True):
        predicted = predict(np.array([index]), np.array([start]), np.array([end]))
        targets = torch.from_numpy(np.ascontiguousarray(split.target[index])).to(predicted.device)
        cosines = torch.nn.functional.cosine_similarity(predicted, targets, dim=1)
        cosines[start] = -2  # below every cosine: the source view is no candidate
        found.append(cosines.argsort(descending=True)[:_NUM_FOUND].cpu().numpy())
    return RetrievalExamples(objects, views[:, 0], views[:, 1], np.stack(found))


def _make_candidates(split: SplitFeatures) -> PoseCandidates:
    assert split.target is not None
    targets = split.target.reshape(-1, split.target.shape[2])
    return PoseCandidates(targets, split.quaternions.reshape(-1, 4))
