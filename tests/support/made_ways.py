"""Tiny data sets of every kind of assembly and law, and ways to make them that need processes of their own.

python -m tests.support.made_ways ray|killed FOLDER
"""

import os
import signal
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.quick_run import InProcess
from turntable.datasets import Recipe, load_recipe
from turntable.renderer import generate, open_recipe_source
from turntable.renderer.meshes.sources import MeshSource
from turntable.renderer.runs import RunListener

TINY: dict[str, Any] = {"image_size_px": 32, "quality": "fast", "objects_per_shard": 2, "val_fraction": 0.4}
MOTION = {"length": 2, "motion": "still"}
TURN = {"length": 2, "motion": "constant", "speed_rad": {"low": 0.2, "high": 0.3}}
PARTS = ["rgb", "mask", "parts", "flow"]
RAY_NAMES = ("scenes", "dynamics", "twins", "street", "molecules")
"""Names of the sets that Ray makes: each needs seconds of its own to begin."""


def load(name: str, views: int = 2, **keys: Any) -> Recipe:
    return load_recipe(name).replace(views=views, **TINY, **keys)


def list_sets() -> dict[str, Recipe]:
    """The recipes by name."""
    hue = {"low": 0, "high": 0.2}
    factors = load_recipe("zoo").to_dict()["factors"]
    return {
        "scenes": load("scenes", outputs=["rgb", "parts"]),
        "articulated": load("articulated", sequence=TURN, outputs=PARTS),
        "dynamics": load("charged", 4, sequence=MOTION, outputs=PARTS),
        "twins": load(
            "articulated",
            mirrored=True,
            sequence=TURN,
            points=32,
            graph={"vertices": 60},
            tracks={"keypoints": 4},
        ),
        "solids": load("solids", points=32),
        "street": load("street", scan={"beams": 4, "azimuth_step_deg": 10}),
        "molecules": load("molecules", molecules={"max_heavy_atoms": 6}),
        "environments": load(
            "zoo",
            pose_bank=5,
            factors={**factors, "floor_hue": {"low": 0, "high": 1}},
            environment=[
                {"name": "low", "factors": {"floor_hue": hue}},
                {"name": "high", "slopes": {"light_hue": -0.3}},
            ],
            coupling=[{"factor": "light_hue", "on": "floor_hue", "slope": 0.3, "noise": 0.05}],
        ),
    }


def open_objects(recipe: Recipe) -> MeshSource:
    """Three objects, or two scenes or streets."""
    if recipe.scene is not None or recipe.street is not None:
        return open_recipe_source(recipe, None, 2, num_base_objects=24)
    return open_recipe_source(recipe, None, 3)


def make(name: str, folder: Path, **how: Any) -> None:
    recipe = list_sets()[name]
    generate(recipe, open_objects(recipe), folder, **how)


def make_each_on_ray(folder: Path) -> None:
    """Sets of every modality, made by a Ray cluster of this machine."""
    import ray

    from turntable.renderer.runs.engines import RayEngine

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        for name in RAY_NAMES:
            make(name, folder / name, engine=RayEngine())
    finally:
        ray.shutdown()


def make_each_and_be_killed(folder: Path) -> None:
    """Every set, begun in a fork that is killed as soon as its first shard is there."""
    for name in list_sets():
        end_forked(lambda name=name: make(name, folder / name, engine=InProcess(), listener=killing()))


def killing() -> RunListener:
    return RunListener(emit=lambda event, **_: event != "shard" or signal.raise_signal(signal.SIGKILL))


def end_forked(work: Callable[[], None]) -> None:
    """Do something in a fork, and see it killed."""
    pid = os.fork()
    if pid == 0:
        work()
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGKILL


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    ways = {"ray": make_each_on_ray, "killed": make_each_and_be_killed}
    ways[sys.argv[1]](Path(sys.argv[2]))
