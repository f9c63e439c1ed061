"""Retrieval: does what a method predicts lie nearest to the view that it predicts?

PRE, MRR and H@k as SIE defines them (Garrido et al. 2023, appendix), over directions: embeddings and
predictions are compared by their cosine. Candidates that are equally near count as in random order, and poses
of those that are nearest alike as one drawn from them, so that an encoder that says nothing gets chance.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from turntable.evaluation.numbers.probes import compute_device

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Predict = Callable[[IntArray, IntArray, IntArray], Tensor]
"""Predicted targets [Q, E] of views (objects [Q], view [Q]) from other views [Q] of the same objects."""

HITS = (1, 2, 5, 10)
_AT_ONCE = 1 << 25
_EQUAL = 1e-6
"""Cosines that differ by less are equally near."""


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedViews:
    """What there is to predict."""

    sources: NDArray[np.floating]
    """[N, V, E] that predictions start from."""
    targets: NDArray[np.floating]
    """[N, V, E] where they should arrive."""
    quaternions: FloatArray
    """[N, V, 4] absolute rotations."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Where PRE looks."""

    targets: NDArray[np.floating]
    """[M, E], of any objects."""
    quaternions: FloatArray
    """[M, 4]."""

    def blind(self, asked: FloatArray) -> FloatArray:
        """PRE of a candidate at random, in expectation: 1 - q^T E[c c^T] q of quaternions q [..., 4]."""
        spread = self.quaternions.T @ self.quaternions / len(self.quaternions)
        return 1 - np.einsum("...i,ij,...j->...", asked, spread, asked)


@dataclass(frozen=True, slots=True, eq=False)
class ViewRanks:
    """Where the true view stands among the views of its object, by object and query [N, Q]."""

    nearer: FloatArray
    """How many candidates are nearer."""
    equal: FloatArray
    """How many are as near, the true one among them."""

    def reciprocal(self) -> FloatArray:
        """1 / rank, expected over the order of those equally near [N, Q]."""
        last = int((self.nearer + self.equal).max())
        harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, last + 1))])
        first = self.nearer.astype(int)
        return (harmonic[first + self.equal.astype(int)] - harmonic[first]) / self.equal

    def hits(self, k: int) -> FloatArray:
        """The chance that the true view is among the first k [N, Q]."""
        return np.clip((k - self.nearer) / self.equal, 0, 1)


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What is measured of predictions, by object and query."""

    ranks: ViewRanks
    """Where each view stands that is predicted from any of the sources, itself among them."""
    ranks_without_identity: ViewRanks
    """Where a view is not to be found from itself; then it is no candidate either."""
    pose_errors: Mapping[str, FloatArray]
    """PRE's [N, sources * V], by the candidates' name: sin² of half the angle between each view's pose and
    that of the nearest candidate."""
    missed: FloatArray
    """[N]: squared distances of predictions of other views to the true targets, added up."""
    moved: FloatArray
    """[N]: of the sources themselves to them."""


@torch.inference_mode()
def measure_retrieval(
    predict: Predict, views: EmbeddedViews, sources: int, candidates: Mapping[str, Candidates]
) -> Measured:
    """Predict every view of every object from its first ones, once, and measure the predictions.

    Args:
        predict: Of the method.
        views: Of a split.
        sources: So many first views of each object are predicted from.
        candidates: Where PRE looks for the nearest view, by name.
    """
    count, num_views, _ = views.targets.shape
    start, end = np.divmod(np.arange(sources * num_views), num_views)
    known = {name: _Known.of(of) for name, of in candidates.items()}
    with_identity, without = _Counts(), _Counts()
    errors: dict[str, list[FloatArray]] = {name: [] for name in candidates}
    missed = np.empty(count)
    for number in range(count):
        predicted = predict(np.full(len(start), number), start, end)
        directions = functional.normalize(predicted, dim=1)
        cosines = directions @ _directions(views.targets[number]).T
        with_identity.add(cosines, start, end, identity=True)
        without.add(cosines, start, end, identity=False)
        for name, of in known.items():
            errors[name].append(of.pose_errors(directions, views.quaternions[number, end]))
        true = _on_device(views.targets[number])[end]
        other = torch.from_numpy(start != end).to(predicted.device)
        missed[number] = (predicted - true)[other].square().sum().item()
    of_names = {name: np.clip(np.stack(found), 0, 1) for name, found in errors.items()}
    return Measured(with_identity.ranks(), without.ranks(), of_names, missed, measure_moves(views, sources))


@torch.inference_mode()
def measure_moves(views: EmbeddedViews, sources: int) -> FloatArray:
    """Measure how far sources lie from the targets of other views of their object.

    Args:
        views: Of a split.
        sources: So many first views of each object are predicted from.

    Returns:
        [N] squared distances, added up: what predicting the source itself misses by.
    """
    count, num_views, _ = views.targets.shape
    start, end = np.divmod(np.arange(sources * num_views), num_views)
    other = torch.from_numpy(start != end).to(compute_device())
    moved = np.empty(count)
    for number in range(count):
        true = _on_device(views.targets[number])[end]
        before = _on_device(views.sources[number])[start]
        moved[number] = (before - true)[other].square().sum().item()
    return moved


class _Counts:
    """Collects, object by object, how many candidates are nearer than the true view, or as near."""

    def __init__(self) -> None:
        self._nearer: list[FloatArray] = []
        self._equal: list[FloatArray] = []

    def add(self, cosines: Tensor, start: IntArray, end: IntArray, *, identity: bool) -> None:
        """Count in cosines [Q, V] of predictions from ``start`` to views, of which ``end`` are true."""
        true = cosines.gather(1, torch.from_numpy(end).to(cosines.device)[:, None])
        nearer, equal = cosines > true + _EQUAL, (cosines - true).abs() <= _EQUAL
        asked = np.ones(len(start), dtype=bool)
        if not identity:
            own = torch.from_numpy(start).to(cosines.device)[:, None]
            nearer, equal = nearer.scatter(1, own, value=False), equal.scatter(1, own, value=False)
            asked = start != end
        self._nearer.append(nearer.sum(1).cpu().numpy()[asked].astype(np.float64))
        self._equal.append(equal.sum(1).cpu().numpy()[asked].astype(np.float64))

    def ranks(self) -> ViewRanks:
        """Of all objects."""
        return ViewRanks(np.stack(self._nearer), np.stack(self._equal))


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """Candidates where they are compared."""

    directions: Tensor
    """[M, E]."""
    quaternions: Tensor
    """[M, 4]."""

    @classmethod
    def of(cls, candidates: Candidates) -> Self:
        directions = _directions(candidates.targets)
        poses = np.ascontiguousarray(candidates.quaternions, np.float64)
        return cls(directions, torch.from_numpy(poses).to(directions.device))

    def pose_errors(self, directions: Tensor, asked: FloatArray) -> FloatArray:
        """[Q]: sin² of half the angle from poses asked for [Q, 4] to that of the nearest of [Q, E]."""
        poses = torch.from_numpy(asked).to(directions.device)
        step = max(1, _AT_ONCE // len(self.directions))
        parts = zip(directions.split(step), poses.split(step), strict=True)
        return torch.cat([self._errors(*part) for part in parts]).cpu().numpy()

    def _errors(self, directions: Tensor, asked: Tensor) -> Tensor:
        cosines = directions @ self.directions.T
        best = cosines.max(dim=1)
        errors = 1 - (self.quaternions[best.indices] * asked).sum(1).square()
        near = cosines >= best.values[:, None] - _EQUAL
        count = near.sum(1)
        tied = count > 1
        if tied.any():
            # The mean over the nearest c of (c^T q)^2 is q^T (the mean of c c^T) q.
            outer = (self.quaternions[:, :, None] * self.quaternions[:, None]).flatten(1).float()
            spread = (near[tied].float() @ outer).double() / count[tied, None]
            q = asked[tied]
            errors[tied] = 1 - torch.einsum("qi,qij,qj->q", q, spread.unflatten(1, (4, 4)), q)
        return errors


def _on_device(embeddings: NDArray[np.floating]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(embeddings, np.float32)).to(compute_device())


def _directions(embeddings: NDArray[np.floating]) -> Tensor:
    return functional.normalize(_on_device(embeddings), dim=1)
