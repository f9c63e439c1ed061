"""Whether a data set is out of distribution on SO(3): how many of its rotations training could have shown."""

from turntable.datasets.dataset import Dataset
from turntable.datasets.labels import ROTATION_NAMES
from turntable.datasets.rotation_overlap import in_box
from turntable.datasets.rotations import quaternion_to_matrix
from turntable.evaluation.features import SplitFeatures


def share_of_training(split: SplitFeatures, training: Dataset) -> float | None:
    """The share of a split's rotations that the training data's ranges of angles hold, by any of their names.

    A rotation has two triples of angles: one may lie within the ranges where the other does not.

    Args:
        split: Of the other data set.
        training: What the run was trained on.

    Returns:
        From 0, out of distribution on SO(3), to 1; None where training draws rotations in another way.
    """
    if training.manifest.recipe.get("rotation") or training.manifest.recipe.get("sequence"):
        return None
    by_name = {factor.name: factor for factor in training.manifest.factors}
    box = tuple(by_name[name] for name in ROTATION_NAMES if name in by_name)
    if len(box) < len(ROTATION_NAMES):
        return None
    matrices = quaternion_to_matrix(split.quaternions.reshape(-1, 4))
    return float(in_box(matrices, box).mean())
