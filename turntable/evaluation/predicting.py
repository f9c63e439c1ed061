"""What a method predicts of views, beside what it says of them: the rows "predictor" and "aggregate_M"."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from turntable.errors import InvalidInputError
from turntable.evaluation.details import Retrieval
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
    measure_retrieval,
)
from turntable.evaluation.results import Score
from turntable.evaluation.tasks import selection
from turntable.geometry import QuaternionSign
from turntable.loaders import Tuples
from turntable.loaders.fields import LabelField, compute_labels, label_fields
from turntable.models import Aggregates, Predicts, action_of

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

_EXAMPLES = 12
_FOUND = 5


@dataclass(frozen=True, slots=True, eq=False)
class Actions:
    """What is done to an object between two of its views, as the labels of a split tell it."""

    names: tuple[str, ...]
    split: SplitFeatures
    sign: QuaternionSign

    def between(self, objects: IntArray, views: IntArray) -> Tensor:
        """[Q, k - 1, K] of the steps between views [Q, k] of objects [Q].

        Raises:
            InvalidInputError: The data set lacks a label of the action.
        """
        assert self.split.labels is not None
        values = compute_labels(self._fields(views.shape[1]), self.split.labels[objects[:, None], views])
        tensors = {name: torch.from_numpy(array).to(compute_device()) for name, array in values.items()}
        return action_of(tensors, self.names)

    def lacks(self) -> str | None:
        """Which label the split does not have; None where it has all."""
        try:
            self._fields(2)
        except InvalidInputError as error:
            return str(error)
        return None

    def _fields(self, views: int) -> tuple[LabelField, ...]:
        assert self.split.schema is not None
        return label_fields(self.names, self.split.schema, views, self.sign)


@dataclass(frozen=True, slots=True, eq=False)
class Predictor:
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
    """What is measured of predictions of every view of a split.

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
    found: Measured,
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
    return scores | {"equivariance_residual": _residual(missed, found.moved, resamples)}


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


@torch.inference_mode()
def aggregated(
    method: Aggregates, split: SplitFeatures, actions: Actions, views: int, seed: int
) -> NDArray[np.float32]:
    """One embedding of several views, V times for each object: [N, V, A], of random views in random order."""
    representation = split.parts["representation"]
    samples = Tuples(views, split.num_views).samples(selection(split), None, seed, 0)
    order = np.argsort(samples.objects, kind="stable")
    parts = []
    for chosen in np.array_split(order, max(1, len(order) // 4096)):
        objects, numbers = samples.objects[chosen], samples.views[chosen]
        seen = torch.from_numpy(np.ascontiguousarray(representation[objects[:, None], numbers]))
        told = actions.between(objects, numbers) if views > 1 else _none(len(objects), actions)
        parts.append(method.aggregate(seen.to(compute_device()), told).float().cpu().numpy())
    return np.concatenate(parts).reshape(split.num_objects, split.num_views, -1)


def _none(count: int, actions: Actions) -> Tensor:
    """No actions [B, 0, K]."""
    pair = actions.between(np.zeros(1, np.int64), np.array([[0, min(1, actions.split.num_views - 1)]]))
    return pair[:, :0].expand(count, -1, -1)


def _candidates(split: SplitFeatures) -> Candidates:
    assert split.target is not None
    targets = split.target.reshape(-1, split.target.shape[2])
    return Candidates(targets, split.quaternions.reshape(-1, 4))
