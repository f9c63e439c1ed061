"""Predictions of views: do they lie where the views that are predicted do? The row "predictor"."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from turntable.evaluation.details import Retrieval, Shown
from turntable.evaluation.features import SplitFeatures
from turntable.evaluation.numbers import (
    HITS,
    Candidates,
    EmbeddedViews,
    Measured,
    Predict,
    Resamples,
    Scores,
    compute_device,
    measure_moves,
    measure_retrieval,
)
from turntable.evaluation.results import CONSTANT, Score
from turntable.evaluation.tables import ScoreColumn, ScoreFinding, ScoreTable
from turntable.evaluation.tasks.actions import Actions
from turntable.evaluation.tasks.task import EvaluatedSplit, Fitted, Scorer
from turntable.geometry import QuaternionSign
from turntable.models import Predicts

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
CandidateViews = Literal["val", "train", "both"]

_EXAMPLES = 12
_FOUND = 5
_IN_TRAIN = "_in_train"


def _ranks(suffix: str, short: str) -> tuple[ScoreColumn, ...]:
    hits = (ScoreColumn(f"h_at_{k}{suffix}", f"H@{k}", "%", 100, 1, short=f"H@{k}{short}") for k in HITS)
    return (ScoreColumn(f"mrr{suffix}", "MRR", short=f"MRR{short}"), *hits)


_TABLE = ScoreTable(
    "What the predictor finds",
    "Predictions of every view from others of its object. PRE is sin² of half the angle to the pose"
    " found, 0 at best; MRR and H@k rank the true view among those of its object; the residual compares"
    " the prediction's miss with that of staying where one is, which is 1.",
    (
        ScoreColumn("pre", "PRE", lower_is_better=True),
        ScoreColumn("pre_in_train", "PRE in train", lower_is_better=True),
        ScoreColumn("pre_in_both", "PRE in both", lower_is_better=True),
        *_ranks("", ""),
        ScoreColumn("equivariance_residual", "residual", lower_is_better=True),
    ),
    ScoreFinding(
        "equivariance_residual",
        "{who} misses the truth by {equivariance_residual} of the way between the views",
        "staying there, or predicting the same for all, misses by {equivariance_residual}",
        {"equivariance_residual": 1.0},
    ),
)
_OTHERS = ScoreTable(
    "What it finds among the other views",
    "Without the view that is predicted from: identity is neither asked nor an answer.",
    _ranks("_without_identity", " without identity"),
    ScoreFinding(
        "mrr_without_identity",
        "The true view is the first that {who} finds for {h_at_1_without_identity} % of the questions"
        " (MRR {mrr_without_identity})",
        "an order by chance has it first for {h_at_1_without_identity} % (MRR {mrr_without_identity})",
    ),
)


@dataclass(frozen=True, slots=True)
class Prediction:
    """Retrieval of views by what the method predicts of them, and by how much predictions miss."""

    sources: Literal["all", "first"] = "all"
    """Views that are predicted from: every view of an object, or its first alone as in SIE's script."""
    candidates: tuple[CandidateViews, ...] = ("val",)
    """Where PRE looks for the nearest view: of val's views in val, of train's in train, of val's in both."""
    sign: QuaternionSign = "product"
    """The sign of the quaternions that tell actions."""

    name = "predictions"
    title = "predictions"
    asks = (Predicts,)
    tables = (_TABLE, _OTHERS)
    main = ("mrr_without_identity", "equivariance_residual")

    def lacks(self, split: SplitFeatures, method: Any = None) -> str | None:
        """Say why a method cannot be asked to predict views of a split."""
        if split.source is None or split.labels is None:
            return "there are no embeddings to predict from, or no labels of what was done"
        if split.num_views < 2:
            return "each object has one view"
        return Actions(method.action, split, self.sign).lacks()

    def rows(self, train: EvaluatedSplit, method: Any = None) -> tuple[str, ...]:
        """Name its row."""
        del train, method
        return ("predictor",)

    def fit(self, row: str, train: EvaluatedSplit, method: Any = None) -> Fitted:
        """Train nothing."""
        del row
        assert train.split.source is not None

        def score(place: EvaluatedSplit) -> Scores:
            where = self._where(train, place)
            found = measured(self._predictor(method, place), place.split, self._sources(place), where)
            scores = predictor_scores(found, place.resamples)
            if self._looks_in_train(place):
                there = measured(
                    self._predictor(method, train), train.split, self._sources(place), _itself(train)
                )
                scores |= pose_scores(there, train.resamples)
            return scores

        def show(place: EvaluatedSplit) -> Shown:
            examples_of = examples(self._predictor(method, place), place.split, place.pairs.seed)
            return Shown(retrieval=examples_of)

        return Fitted(score, train.split.source.shape[2], show)

    def baselines(self, train: EvaluatedSplit) -> Mapping[str, Scorer]:
        """An order by chance, any pose, and the mean of the targets."""

        def score(place: EvaluatedSplit) -> Scores:
            sources, where = self._sources(place), self._where(train, place)
            scores = blind_scores(place.split, train.split, sources, where, place.resamples)
            if self._looks_in_train(place):
                scores |= blind_pose_scores(train.split, _itself(train), train.resamples)
            return scores

        return {CONSTANT: score}

    def _sources(self, place: EvaluatedSplit) -> int:
        return place.split.num_views if self.sources == "all" else 1

    def _where(self, train: EvaluatedSplit, place: EvaluatedSplit) -> dict[str, SplitFeatures]:
        """Where PRE of the place's views looks, by the suffix of its name."""
        where: dict[str, SplitFeatures] = {}
        if "val" in self.candidates:
            where[""] = place.split
        if "both" in self.candidates:
            where["_in_both"] = joined(train.split, place.split)
        return where

    def _looks_in_train(self, place: EvaluatedSplit) -> bool:
        return "train" in self.candidates and place.is_home

    def _predictor(self, method: Predicts, place: EvaluatedSplit) -> "SplitPredictor":
        return SplitPredictor(method, place.split, Actions(method.action, place.split, self.sign))


def _itself(train: EvaluatedSplit) -> dict[str, SplitFeatures]:
    return {_IN_TRAIN: train.split}


@dataclass(frozen=True, slots=True, eq=False)
class SplitPredictor:
    """A method's predictor over a split."""

    method: Predicts
    split: SplitFeatures
    actions: Actions

    @torch.inference_mode()
    def __call__(self, objects: IntArray, start: IntArray, end: IntArray) -> Tensor:
        """Targets [Q, E] of views ``end`` as predicted from views ``start`` of the same objects [Q]."""
        assert self.split.source is not None
        source = torch.from_numpy(np.ascontiguousarray(self.split.source[objects, start]))
        action = self.actions.between(objects, np.stack([start, end], axis=1))[:, 0]
        return self.method.predict(source.to(compute_device()), action).float()


def measured(
    predict: Predict, split: SplitFeatures, sources: int, candidates: Mapping[str, SplitFeatures]
) -> Measured:
    """Measure predictions of every view of a split.

    Args:
        predict: Of the method, over the split.
        split: With source and target.
        sources: So many first views of each object are predicted from.
        candidates: Where PRE looks, by the suffix of its name.
    """
    assert split.source is not None
    assert split.target is not None
    return measure_retrieval(
        predict,
        EmbeddedViews(split.source, split.target, split.quaternions),
        sources,
        {suffix: _candidates(others) for suffix, others in candidates.items()},
    )


def predictor_scores(found: Measured, resamples: Resamples) -> Scores:
    """PRE, MRR, H@k with and without identity, and the equivariance residual.

    Args:
        found: By ``measured``.
        resamples: Of the split's objects.
    """
    scores: Scores = {}
    for suffix, ranks in (("", found.ranks), ("_without_identity", found.ranks_without_identity)):
        scores[f"mrr{suffix}"] = resamples.mean(ranks.reciprocal())
        for k in HITS:
            scores[f"h_at_{k}{suffix}"] = resamples.mean(ranks.hits(k))
    scores |= pose_scores(found, resamples)
    scores["equivariance_residual"] = _residual(found.missed, found.moved, resamples)
    return scores


def pose_scores(found: Measured, resamples: Resamples) -> Scores:
    """PRE alone, by where it looks."""
    return {f"pre{suffix}": resamples.mean(errors) for suffix, errors in found.pose_errors.items()}


def blind_scores(
    split: SplitFeatures,
    train: SplitFeatures,
    sources: int,
    candidates: Mapping[str, SplitFeatures],
    resamples: Resamples,
) -> Scores:
    """The same metrics of what sees no image.

    It orders the views of an object at random, finds any candidate's pose, and predicts the mean of the train
    split's targets, which misses by less than staying (1) where targets differ by little else than the turn.
    """
    assert split.source is not None
    assert split.target is not None
    assert train.target is not None
    scores: Scores = {}
    for suffix, count in (("", split.num_views), ("_without_identity", split.num_views - 1)):
        by_chance = {"mrr": float(np.mean(1 / np.arange(1, count + 1)))}
        by_chance |= {f"h_at_{k}": min(1.0, k / count) for k in HITS}
        scores |= {f"{name}{suffix}": Score(value, value, value) for name, value in by_chance.items()}
    scores |= blind_pose_scores(split, candidates, resamples)
    asked = sources - (np.arange(split.num_views) < sources)  # how often each view is predicted from another
    mean = train.target.mean(axis=(0, 1), dtype=np.float64)
    missed = np.stack([np.square(of_object - mean).sum(axis=1) @ asked for of_object in split.target])
    moved = measure_moves(EmbeddedViews(split.source, split.target, split.quaternions), sources)
    return scores | {"equivariance_residual": _residual(missed, moved, resamples)}


def blind_pose_scores(
    split: SplitFeatures, candidates: Mapping[str, SplitFeatures], resamples: Resamples
) -> Scores:
    """PRE of a candidate at random."""
    return {
        f"pre{suffix}": resamples.mean(_candidates(others).blind(split.quaternions))
        for suffix, others in candidates.items()
    }


def _residual(missed: FloatArray, moved: FloatArray, resamples: Resamples) -> Score:
    least = np.finfo(float).tiny
    return resamples.score(np.sqrt(resamples.sums(missed) / np.maximum(resamples.sums(moved), least)))


def joined(one: SplitFeatures, other: SplitFeatures) -> SplitFeatures:
    """The objects of two splits, as candidates: targets and poses alone."""
    assert one.target is not None
    assert other.target is not None
    return SplitFeatures(
        {},
        np.concatenate([one.quaternions.reshape(-1, 1, 4), other.quaternions.reshape(-1, 1, 4)]),
        np.concatenate([np.repeat(s.categories, s.num_views) for s in (one, other)]),
        target=np.concatenate([s.target.reshape(-1, 1, s.target.shape[2]) for s in (one, other)]),  # pyright: ignore[reportOptionalMemberAccess]
    )


@torch.inference_mode()
def examples(predict: Predict, split: SplitFeatures, seed: int) -> Retrieval:
    """Some queries and what is found of the same object, for pictures."""
    assert split.target is not None
    random = np.random.Generator(np.random.Philox(seed))
    count = min(_EXAMPLES, split.num_objects)
    objects = np.sort(random.choice(split.num_objects, count, replace=False))
    views = np.stack([random.choice(split.num_views, 2, replace=False) for _ in range(count)])
    found = []
    for number, (start, end) in zip(objects, views, strict=True):
        predicted = predict(np.array([number]), np.array([start]), np.array([end]))
        targets = torch.from_numpy(np.ascontiguousarray(split.target[number])).to(predicted.device)
        cosines = torch.nn.functional.cosine_similarity(predicted, targets, dim=1)
        cosines[start] = -2  # the view that is predicted from is no answer
        found.append(cosines.argsort(descending=True)[:_FOUND].cpu().numpy())
    return Retrieval(objects, views[:, 0], views[:, 1], np.stack(found))


def _candidates(split: SplitFeatures) -> Candidates:
    assert split.target is not None
    targets = split.target.reshape(-1, split.target.shape[2])
    return Candidates(targets, split.quaternions.reshape(-1, 4))
