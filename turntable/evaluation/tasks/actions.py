"""Actions between views of a split, computed from its labels, as predictors take them."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from turntable.errors import InvalidInputError
from turntable.evaluation.features import SplitFeatures
from turntable.evaluation.measurement import select_device
from turntable.geometry import QuaternionSign
from turntable.loaders.fields import LabelField, compute_labels, resolve_labels
from turntable.models import action_from_batch

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class SplitActions:
    """The actions between views of the objects of a split."""

    names: tuple[str, ...]
    """Names of the relative labels that an action consists of."""
    split: SplitFeatures
    """Split whose labels the actions are computed from."""
    sign: QuaternionSign
    """Sign of the quaternions."""

    def compute_actions(self, objects: IntArray, views: IntArray) -> Tensor:
        """Compute the actions [Q, k - 1, K] between successive views [Q, k] of objects [Q].

        Raises:
            InvalidInputError: The data set lacks a label of the action.
        """
        assert self.split.labels is not None
        values = compute_labels(
            self._resolve_fields(views.shape[1]), self.split.labels[objects[:, None], views]
        )
        tensors = {name: torch.from_numpy(array).to(select_device()) for name, array in values.items()}
        return action_from_batch(tensors, self.names)

    def find_missing_label(self) -> str | None:
        """Return a message about a label of the action that the split lacks; None if it has all."""
        try:
            self._resolve_fields(2)
        except InvalidInputError as error:
            return str(error)
        return None

    def _resolve_fields(self, num_views: int) -> tuple[LabelField, ...]:
        assert self.split.schema is not None
        return resolve_labels(self.names, self.split.schema, num_views, self.sign)
