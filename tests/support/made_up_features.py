"""Features that no network made, whose parts say of each factor what the test wants."""

from pathlib import Path

import numpy as np

from turntable.datasets.labels import STANDARD_FACTORS_BY_NAME, LabelSchema
from turntable.evaluation import SplitFeatures
from turntable.models import DataInfo
from turntable.studies import StudiedRun, StudyInput
from turntable.training import Run, make_demo_config

NAMES = ("rotation_x_rad", "rotation_y_rad", "rotation_z_rad", "floor_hue", "light_theta_rad")
CLASSES = ("car", "chair", "cup")


def made_up_split(parts, objects=60, views=4, seed=0, names=NAMES, fixed=(), classes=3, prefix="object"):
    """A split with factors at random over their ranges.

    Args:
        parts: From the generator and the split without any to its parts by name, [N, V, D].
        objects: How many.
        views: Of each.
        seed: Of the factors and the parts.
        names: Of the factors.
        fixed: Those of them that never vary.
        classes: How many categories take turns.
        prefix: Of the objects' ids.
    """
    random = np.random.default_rng(seed)
    factors = [STANDARD_FACTORS_BY_NAME[name].factor for name in names]
    factors = [f.with_value(f.low) if f.name in fixed else f for f in factors]
    labels = np.stack([random.uniform(f.low, f.high, (objects, views)) for f in factors], -1).astype(
        np.float32
    )
    ids = tuple(f"{prefix}/{number:04d}" for number in range(objects))
    numbers = np.arange(objects) % classes
    schema = LabelSchema(tuple(factors))
    split = SplitFeatures({}, np.zeros((objects, views, 4)), numbers, ids, labels, schema)
    return with_parts(split, parts(random, split))


def with_parts(split, parts):
    """The split with other features."""
    kept = {name: np.asarray(part, np.float32) for name, part in parts.items()}
    return SplitFeatures(
        kept, split.quaternions, split.categories, split.object_ids, split.labels, split.schema
    )


def values(split, name):
    """A factor's values [N, V]."""
    return split.labels[..., split.schema.get_column(name)].astype(np.float64)


def circle(split, name, period=2 * np.pi):
    """Its points on the circle [N, V, 2]."""
    angle = 2 * np.pi * values(split, name) / period
    return np.stack([np.cos(angle), np.sin(angle)], -1)


def no_run(label):
    """A run that nobody trained."""
    data = DataInfo(len(CLASSES), (0.5, 0.5, 0.5), (0.25, 0.25, 0.25), 32)
    return Run(Path("runs") / label, make_demo_config("vicreg", "nowhere"), data, CLASSES, "f" * 64)


def material(train, val, heads="linear", labels=("made up",), split="val"):
    """Give the study of factors runs with these features."""
    features = {"train": train, "val": val}.__getitem__
    runs = tuple(StudiedRun(label, no_run(label), features) for label in labels)
    return StudyInput(runs, None, split, {"heads": heads}, lambda _: None)
