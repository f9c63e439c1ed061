"""The share of a data set's rotations that the training can show: how far it is out of distribution."""

from turntable.datasets import Dataset
from turntable.datasets.draws import is_in_box
from turntable.datasets.labels import ROTATION_NAMES
from turntable.evaluation.features import SplitFeatures
from turntable.geometry import quaternion_to_matrix


def compute_training_share(split: SplitFeatures, training: Dataset) -> float | None:
    """Compute the share of a split's rotations that lie within the training data's ranges of angles.

    A rotation has two triples of Euler angles: one may lie within the ranges although the other does not. So
    rotations are compared, not the angles by which the labels name them.

    Args:
        split: Features and labels of the other data set.
        training: Data set that the run was trained on.

    Returns:
        A share from 0, out of distribution on SO(3), to 1; None if the training data set draws rotations in
        another way than from ranges of angles.
    """
    if training.manifest.recipe.get("rotation") or training.manifest.recipe.get("sequence"):
        return None
    by_name = {factor.name: factor for factor in training.manifest.factors}
    box = tuple(by_name[name] for name in ROTATION_NAMES if name in by_name)
    if len(box) < len(ROTATION_NAMES):
        return None
    matrices = quaternion_to_matrix(split.quaternions.reshape(-1, 4))
    return float(is_in_box(matrices, box).mean())
