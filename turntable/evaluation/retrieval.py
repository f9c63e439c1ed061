"""Retrieval: does what a method predicts lie nearest to the view that it predicts?

PRE, MRR and H@k as SIE defines them (Garrido et al. 2023, appendix), over directions: embeddings and
predictions are compared by their cosine. Candidates that are equally near count as in random order, so that
an encoder that says nothing gets chance.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from turntable.evaluation.probes import compute_device

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Predict = Callable[[IntArray, IntArray, IntArray], Tensor]
"""Predicted targets [Q, E] of views (objects [Q], view [Q]) from other views [Q] of the same objects."""

HITS = (1, 2, 5, 10)
_AT_ONCE = 1 << 25
_EQUAL = 1e-6
"""Cosines that differ by less are equally near."""


@dataclass(frozen=True, slots=True, eq=False)
class Ranks:
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


@torch.inference_mode()
def ranks(predict: Predict, targets: NDArray[np.floating], sources: int, *, identity: bool) -> Ranks:
    """Rank the true view among the views of its object, for every pair of a source and a true view.

    Args:
        predict: Of the method.
        targets: [N, V, E] of the split.
        sources: So many first views of each object are predicted from.
        identity: Whether a view is also to be found from itself; otherwise it is no candidate either.
    """
    count, views, _ = targets.shape
    nearer, equal = [], []
    for number in range(count):
        candidates = _directions(targets[number])
        start, end = np.divmod(np.arange(sources * views), views)
        predicted = functional.normalize(predict(np.full(len(start), number), start, end), dim=1)
        cosines = predicted @ candidates.T
        true = cosines.gather(1, torch.from_numpy(end).to(cosines.device)[:, None])
        is_nearer, is_equal = cosines > true + _EQUAL, (cosines - true).abs() <= _EQUAL
        if not identity:
            own = torch.from_numpy(start).to(cosines.device)[:, None]
            is_nearer, is_equal = is_nearer.scatter(1, own, False), is_equal.scatter(1, own, False)
        asked = torch.from_numpy(np.ones(len(start), bool) if identity else start != end)
        nearer.append(is_nearer.sum(1).cpu()[asked].double().numpy())
        equal.append(is_equal.sum(1).cpu()[asked].double().numpy())
    return Ranks(np.stack(nearer), np.stack(equal))


@torch.inference_mode()
def pose_errors(
    predict: Predict,
    targets: NDArray[np.floating],
    quaternions: FloatArray,
    sources: int,
    candidates: tuple[NDArray[np.floating], FloatArray],
) -> FloatArray:
    """PRE's errors: sin² of half the angle between each view's pose and that of the nearest candidate.

    Args:
        predict: Of the method.
        targets: [N, V, E] of the split.
        quaternions: [N, V, 4] absolute rotations of the split.
        sources: So many first views of each object are predicted from.
        candidates: Targets [M, E] and quaternions [M, 4], of any objects.

    Returns:
        [N, sources * V].
    """
    count, views, _ = targets.shape
    known, poses = _directions(candidates[0]), candidates[1]
    start, end = np.divmod(np.arange(sources * views), views)
    errors: list[FloatArray] = []
    for number in range(count):
        found: list[NDArray[np.int64]] = []
        step = max(1, _AT_ONCE // len(known))
        for at in range(0, len(start), step):
            part = slice(at, at + step)
            objects = np.full(len(start[part]), number)
            predicted = functional.normalize(predict(objects, start[part], end[part]), dim=1)
            found.append((predicted @ known.T).argmax(dim=1).cpu().numpy())
        cosines = (poses[np.concatenate(found)] * quaternions[number, end]).sum(axis=1)
        errors.append(1 - np.square(cosines))
    return np.clip(np.stack(errors), 0, 1)


@torch.inference_mode()
def residual_parts(
    predict: Predict, sources: NDArray[np.floating], targets: NDArray[np.floating]
) -> tuple[FloatArray, FloatArray]:
    """What the equivariance residual is made of, by object [N]: squared distances to the true target.

    Args:
        predict: Of the method.
        sources: [N, V, E].
        targets: [N, V, E].

    Returns:
        Of the predictions from each view to each other one, and of the sources themselves.
    """
    count, views, _ = targets.shape
    start, end = np.nonzero(~np.eye(views, dtype=bool))
    missed, moved = np.empty(count), np.empty(count)
    for number in range(count):
        predicted = predict(np.full(len(start), number), start, end)
        true = torch.from_numpy(np.ascontiguousarray(targets[number])).to(predicted.device)[end]
        before = torch.from_numpy(np.ascontiguousarray(sources[number])).to(predicted.device)[start]
        missed[number] = (predicted - true).square().sum().item()
        moved[number] = (before - true).square().sum().item()
    return missed, moved


def _directions(embeddings: NDArray[np.floating]) -> Tensor:
    array = np.ascontiguousarray(embeddings, np.float32)
    return functional.normalize(torch.from_numpy(array).to(compute_device()), dim=1)
