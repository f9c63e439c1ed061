"""Retrieval of views by predicted embeddings: PRE, MRR and H@k as SIE defines them.

See Garrido et al. 2023, appendix. Embeddings and predictions are compared by cosine similarity. Ties are
resolved in expectation: candidates that are equally near count as if in random order, and PRE averages over
the nearest ones. So a collapsed encoder, for which all views are equal, scores at chance.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from turntable.evaluation.measurement.probes import select_device

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
PredictTargets = Callable[[IntArray, IntArray, IntArray], Tensor]
"""Function from objects [Q], source views [Q] and target views [Q] to predicted target embeddings [Q, E]."""

HIT_RANKS = (1, 2, 5, 10)
"""The ranks k of H@k."""
_MAX_COSINES_AT_ONCE = 1 << 25
"""Maximal number of cosines that are in memory at a time."""
_TIE_TOLERANCE = 1e-6
"""Difference of cosines up to which candidates are equally near."""


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedViews:
    """The embeddings and poses of all views of a split."""

    sources: NDArray[np.floating]
    """Embeddings that predictions start from, [N, V, E]."""
    targets: NDArray[np.floating]
    """Embeddings that predictions should arrive at, [N, V, E]."""
    quaternions: FloatArray
    """Absolute rotations, [N, V, 4]."""


@dataclass(frozen=True, slots=True, eq=False)
class PoseCandidates:
    """The views among which PRE searches the nearest one."""

    targets: NDArray[np.floating]
    """Embeddings of views of any objects, [M, E]."""
    quaternions: FloatArray
    """Their absolute rotations, [M, 4]."""

    def compute_chance_pre(self, query_quaternions: FloatArray) -> FloatArray:
        """Compute the expected PRE of a random candidate, 1 - q^T E[c c^T] q, of quaternions q [..., 4]."""
        moment = self.quaternions.T @ self.quaternions / len(self.quaternions)
        return 1 - np.einsum("...i,ij,...j->...", query_quaternions, moment, query_quaternions)


@dataclass(frozen=True, slots=True, eq=False)
class ViewRanks:
    """The ranks of the true views among the views of their object, by object and query."""

    num_nearer: FloatArray
    """Number of candidates that are nearer to the prediction than the true view, [N, Q]."""
    num_equal: FloatArray
    """Number of candidates that are equally near, including the true view, [N, Q]."""

    def compute_reciprocal_ranks(self) -> FloatArray:
        """Compute the expectation of 1 / rank over the random order of ties, [N, Q].

        The possible ranks are num_nearer + 1 to num_nearer + num_equal, so it is a difference of harmonic
        numbers divided by num_equal.
        """
        last = int((self.num_nearer + self.num_equal).max())
        harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, last + 1))])
        first = self.num_nearer.astype(int)
        return (harmonic[first + self.num_equal.astype(int)] - harmonic[first]) / self.num_equal

    def compute_hits(self, k: int) -> FloatArray:
        """Compute the probability over the random order of ties that the true view is among the first k."""
        return np.clip((k - self.num_nearer) / self.num_equal, 0, 1)


@dataclass(frozen=True, slots=True, eq=False)
class RetrievalMeasurements:
    """The measurements of a predictor, by object and query."""

    ranks: ViewRanks
    """Ranks of all views predicted from all sources, each source also from itself."""
    ranks_without_identity: ViewRanks
    """Ranks where the source view is neither a query nor a candidate."""
    pose_errors: Mapping[str, FloatArray]
    """PRE by name of the candidates, [N, num_sources * V]: sin² of half the angle between a view's pose and
    that of the nearest candidate."""
    prediction_errors: FloatArray
    """Sum over the views other than the source of the squared distance of prediction and target, [N]."""
    identity_errors: FloatArray
    """Sum of the squared distances of source and target, over the same views, [N]."""


@torch.inference_mode()
def measure_retrieval(
    predict: PredictTargets, views: EmbeddedViews, num_sources: int, candidates: Mapping[str, PoseCandidates]
) -> RetrievalMeasurements:
    """Predict every view of every object from its first views, and measure the predictions.

    Args:
        predict: The method's predictor.
        views: Views of a split.
        num_sources: Number of first views of each object that are predicted from.
        candidates: Views among which PRE searches the nearest one, by name.
    """
    num_objects, num_views, _ = views.targets.shape
    start, end = np.divmod(np.arange(num_sources * num_views), num_views)
    tensors = {name: _CandidateTensors.from_candidates(given) for name, given in candidates.items()}
    with_identity, without = _RankCounter(), _RankCounter()
    pose_errors: dict[str, list[FloatArray]] = {name: [] for name in candidates}
    prediction_errors = np.empty(num_objects)
    for index in range(num_objects):
        predicted = predict(np.full(len(start), index), start, end)
        directions = functional.normalize(predicted, dim=1)
        cosines = directions @ _compute_directions(views.targets[index]).T
        with_identity.add(cosines, start, end, with_identity=True)
        without.add(cosines, start, end, with_identity=False)
        for name, candidate in tensors.items():
            errors = candidate.compute_pose_errors(directions, views.quaternions[index, end])
            pose_errors[name].append(errors)
        targets = _to_device(views.targets[index])[end]
        is_other = torch.from_numpy(start != end).to(predicted.device)
        prediction_errors[index] = (predicted - targets)[is_other].square().sum().item()
    return RetrievalMeasurements(
        with_identity.to_ranks(),
        without.to_ranks(),
        {name: np.clip(np.stack(errors), 0, 1) for name, errors in pose_errors.items()},
        prediction_errors,
        compute_identity_errors(views, num_sources),
    )


@torch.inference_mode()
def compute_identity_errors(views: EmbeddedViews, num_sources: int) -> FloatArray:
    """Compute the errors of the identity, which predicts the source embedding for every view.

    Args:
        views: Views of a split.
        num_sources: Number of first views of each object that are predicted from.

    Returns:
        Sum over the views other than the source of the squared distance of source and target, [N].
    """
    num_objects, num_views, _ = views.targets.shape
    start, end = np.divmod(np.arange(num_sources * num_views), num_views)
    is_other = torch.from_numpy(start != end).to(select_device())
    errors = np.empty(num_objects)
    for index in range(num_objects):
        targets = _to_device(views.targets[index])[end]
        sources = _to_device(views.sources[index])[start]
        errors[index] = (sources - targets)[is_other].square().sum().item()
    return errors


class _RankCounter:
    """The numbers of nearer and equally near candidates, collected object by object."""

    def __init__(self) -> None:
        self._nearer: list[FloatArray] = []
        self._equal: list[FloatArray] = []

    def add(self, cosines: Tensor, start: IntArray, end: IntArray, *, with_identity: bool) -> None:
        """Count the candidates of one object.

        Args:
            cosines: Cosines of predictions and views, [Q, V].
            start: Source view of each prediction, [Q].
            end: True view of each prediction, [Q].
            with_identity: True if the source view is a query and a candidate.
        """
        true = cosines.gather(1, torch.from_numpy(end).to(cosines.device)[:, None])
        nearer, equal = cosines > true + _TIE_TOLERANCE, (cosines - true).abs() <= _TIE_TOLERANCE
        is_query = np.ones(len(start), dtype=bool)
        if not with_identity:
            source = torch.from_numpy(start).to(cosines.device)[:, None]
            nearer, equal = nearer.scatter(1, source, value=False), equal.scatter(1, source, value=False)
            is_query = start != end
        self._nearer.append(nearer.sum(1).cpu().numpy()[is_query].astype(np.float64))
        self._equal.append(equal.sum(1).cpu().numpy()[is_query].astype(np.float64))

    def to_ranks(self) -> ViewRanks:
        """Return the counts of all objects."""
        return ViewRanks(np.stack(self._nearer), np.stack(self._equal))


@dataclass(frozen=True, slots=True, eq=False)
class _CandidateTensors:
    """Candidates of PRE on the device where they are compared."""

    directions: Tensor
    """Embeddings of length 1, [M, E]."""
    quaternions: Tensor
    """Absolute rotations, [M, 4]."""

    @classmethod
    def from_candidates(cls, candidates: PoseCandidates) -> Self:
        directions = _compute_directions(candidates.targets)
        poses = np.ascontiguousarray(candidates.quaternions, np.float64)
        return cls(directions, torch.from_numpy(poses).to(directions.device))

    def compute_pose_errors(self, directions: Tensor, query_quaternions: FloatArray) -> FloatArray:
        """Compute sin² of half the angle between true poses and those of the nearest candidates, [Q].

        Args:
            directions: Predictions of length 1, [Q, E].
            query_quaternions: True poses, [Q, 4].
        """
        poses = torch.from_numpy(query_quaternions).to(directions.device)
        step = max(1, _MAX_COSINES_AT_ONCE // len(self.directions))
        parts = zip(directions.split(step), poses.split(step), strict=True)
        return torch.cat([self._compute_chunk_errors(*part) for part in parts]).cpu().numpy()

    def _compute_chunk_errors(self, directions: Tensor, query_quaternions: Tensor) -> Tensor:
        cosines = directions @ self.directions.T
        best = cosines.max(dim=1)
        errors = 1 - (self.quaternions[best.indices] * query_quaternions).sum(1).square()
        is_nearest = cosines >= best.values[:, None] - _TIE_TOLERANCE
        count = is_nearest.sum(1)
        tied = count > 1
        if tied.any():
            # The mean of (c^T q)^2 over the nearest c is q^T M q, where M is the mean of c c^T.
            outer = (self.quaternions[:, :, None] * self.quaternions[:, None]).flatten(1).float()
            moment = (is_nearest[tied].float() @ outer).double() / count[tied, None]
            q = query_quaternions[tied]
            errors[tied] = 1 - torch.einsum("qi,qij,qj->q", q, moment.unflatten(1, (4, 4)), q)
        return errors


def _to_device(embeddings: NDArray[np.floating]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(embeddings, np.float32)).to(select_device())


def _compute_directions(embeddings: NDArray[np.floating]) -> Tensor:
    return functional.normalize(_to_device(embeddings), dim=1)
