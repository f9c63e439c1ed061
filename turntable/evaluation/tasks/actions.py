"""Actions: what is done to an object between two of its views, as the labels of a split tell it."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from turntable.errors import InvalidInputError
from turntable.evaluation.features import SplitFeatures
from turntable.evaluation.numbers import compute_device
from turntable.geometry import QuaternionSign
from turntable.loaders.fields import LabelField, compute_labels, label_fields
from turntable.models import action_of

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Actions:
    """The steps from views of objects to others, as the labels of a split tell them."""

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
        """Say which label the split does not have; None where it has all."""
        try:
            self._fields(2)
        except InvalidInputError as error:
            return str(error)
        return None

    def _fields(self, views: int) -> tuple[LabelField, ...]:
        assert self.split.schema is not None
        return label_fields(self.names, self.split.schema, views, self.sign)
