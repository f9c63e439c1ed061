"""Rotations: of a view, and between two."""

from functools import cache

from turntable.evaluation.features import SplitFeatures
from turntable.evaluation.numbers import rotation_scores
from turntable.evaluation.tasks.regression import Quantity
from turntable.evaluation.tasks.samples import rows_of
from turntable.evaluation.tasks.task import FloatArray
from turntable.geometry import QuaternionSign, canonical_quaternion, relative_quaternion
from turntable.loaders import Samples


@cache
def relative_rotation(sign: QuaternionSign) -> Quantity:
    """The quaternion of R1^T R2, xyzw, its sign by a rule."""

    def target(split: SplitFeatures, samples: Samples) -> FloatArray:
        absolute = split.quaternions.reshape(-1, 4)[rows_of(split, samples)]
        return relative_quaternion(absolute[:, 0], absolute[:, 1], sign)

    return Quantity("rotation between two views", 2, lambda _: None, target, rotation_scores)


@cache
def absolute_rotation() -> Quantity:
    """The quaternion of R, xyzw with w >= 0."""

    def target(split: SplitFeatures, samples: Samples) -> FloatArray:
        return canonical_quaternion(split.quaternions.reshape(-1, 4)[rows_of(split, samples)[:, 0]])

    return Quantity("rotation of a view", 1, lambda _: None, target, rotation_scores)
