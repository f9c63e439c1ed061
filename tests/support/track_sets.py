"""Small sets of tracks without pictures: worlds of particles, and boxes of one to four parts."""

from pathlib import Path

from tests.support.assemblies import HingedBoxes
from tests.support.quick_run import InProcess
from turntable.datasets import load_recipe
from turntable.renderer import generate, open_recipe_source

WORLDS = load_recipe("nbody").replace(
    views=8, sequence={"length": 4, "motion": "still"}, objects_per_shard=2, mirrored=True
)
BOXES = load_recipe("keypoints").replace(
    source="folder",
    views=6,
    sequence={"length": 3, "motion": "constant", "speed_rad": {"low": 0.1, "high": 0.2}},
    tracks={"keypoints": 8},
    objects_per_shard=2,
    val_fraction=0.0,
)


def get_worlds():
    """Ten systems of charged particles and their twins."""
    return open_recipe_source(WORLDS, None, 10)


def write_worlds(folder: Path) -> Path:
    generate(WORLDS, get_worlds(), folder, engine=InProcess())
    return folder


def write_boxes(folder: Path) -> Path:
    """Three boxes with lids, one of which has a drawer, and a plain one."""
    generate(BOXES, HingedBoxes(3, 1), folder, engine=InProcess())
    return folder
