"""Classification by nearest neighbours: what features say without any head."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from turntable.evaluation.probes import compute_device

FloatArray = NDArray[np.floating]
IntArray = NDArray[np.int64]

_AT_ONCE = 1 << 25
"""Similarities in memory."""


def nearest_categories(
    train: FloatArray, categories: IntArray, val: FloatArray, neighbours: int, num_categories: int
) -> IntArray:
    """The category that most of the nearest training views have, each vote weighing the cosine to it.

    Args:
        train: [M, D].
        categories: [M].
        val: [Q, D].
        neighbours: k; all of the M where it is more.
        num_categories: Votes are counted for so many.

    Returns:
        [Q] categories.
    """
    known = functional.normalize(torch.from_numpy(train).to(compute_device()), dim=1)
    votes_for = torch.from_numpy(categories).to(known.device)
    chosen: list[torch.Tensor] = []
    for part in torch.from_numpy(val).split(max(1, _AT_ONCE // len(known))):
        cosines = functional.normalize(part.to(known.device), dim=1) @ known.T
        nearest = cosines.topk(min(neighbours, len(known)), dim=1)
        votes = torch.zeros(len(part), num_categories, device=known.device)
        votes.scatter_add_(1, votes_for[nearest.indices], nearest.values.clamp_min(0))
        chosen.append(votes.argmax(dim=1).cpu())
    return torch.cat(chosen).numpy()
