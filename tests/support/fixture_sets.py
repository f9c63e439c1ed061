"""Data sets of ``tests/fixtures/sets``: how each is made, and what loaders give of it."""

import shutil
from collections.abc import Callable, Sequence
from contextlib import chdir
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from turntable import cli
from turntable.datasets import Manifest, open_dataset
from turntable.datasets.query import make_subset_manifest
from turntable.loaders import BatchConfig, Loader, Pairs, Sequences, Tuples, Views
from turntable.loaders.sampling import Sampler

SUBSET_WHERE = "floor_hue < 0.6 and view < 3"
_DRAWN = "--workers 1 --backend moderngl --device software"
COMMANDS: dict[str, tuple[str, ...]] = {
    "pairs": (
        "render recipes/pairs.toml --objects 155 --split lists/train_images.npy --split lists/val_images.npy"
        f" {_DRAWN} --out OUT",
    ),
    "sequences": (f"render recipes/sequences.toml --objects 2 {_DRAWN} --out OUT",),
    "outputs": (f"render recipes/outputs.toml --meshes meshes {_DRAWN} --out OUT",),
    "points": (
        "render recipes/points.toml --points 64 --objects 62"
        f" --split lists/points/train_images.npy --split lists/points/val_images.npy {_DRAWN} --out OUT",
    ),
    "imported": (
        "convert export sets/points --out WORK/published --threads 1",
        "convert import WORK/published --source zoo --channel-order rgb --threads 1 --out OUT"
        " --split WORK/published/train_images.npy --split WORK/published/val_images.npy",
    ),
}
"""Arguments of ``turntable``, started in ``tests/fixtures``; WORK is an empty folder, OUT the set's."""

_STORED_AS = {"object_points": "points"}
"""Fields that had another name when batches were stored."""
Arrays = dict[str, NDArray[np.generic]]
SETS = (*COMMANDS, "subset")
_FEW = ("relative_quaternion", "factors")
_MANY = (
    *("relative_quaternion", "relative_rotation", "relative_rotation_6d", "relative_rotation_vector"),
    *(
        "relative_rotation_world",
        "relative_angle_rad",
        "floor_hue_difference",
        "light_hue_difference_circular",
    ),
    *("translation", "position", "relative_pose", "relative_twist", "translation_difference_base"),
    *("quaternion", "rotation", "rotation_6d", "euler_angles_rad", "factors", "pose"),
)


def turntable(*arguments: object) -> None:
    """Run a command of turntable in this process.

    Raises:
        RuntimeError: It ended with another exit status than 0.
    """
    try:
        cli.main([str(argument) for argument in arguments])
    except SystemExit as ended:
        if ended.code:
            raise RuntimeError(f"turntable {' '.join(map(str, arguments))} ended with {ended.code}") from None


def make_set(name: str, fixtures: Path, work: Path, out: Path) -> None:
    """Make a set again.

    Args:
        name: One of ``SETS``.
        fixtures: The folder with recipes, lists, meshes, and the sets that this one is made of.
        work: An empty folder.
        out: Gets the set; of a subset its manifest alone.
    """
    if name == "subset":
        out.mkdir(parents=True)
        manifest = make_subset_manifest(open_dataset(fixtures / "sets" / "pairs"), SUBSET_WHERE)
        (out / "manifest.json").write_text(manifest.to_json(), encoding="utf-8")
        return
    places = {"WORK": str(work.resolve()), "OUT": str(out.resolve())}
    with chdir(fixtures):  # what a set says of its source is then the same everywhere
        for command in COMMANDS[name]:
            turntable(*(_placed(word, places) for word in command.split()))
            (work / "published" / "export.json").unlink(missing_ok=True)  # as a published folder has none


def whole_folder(name: str, fixtures: Path, work: Path) -> Path:
    """The folder of a stored set; of a subset a copy of the whole with the subset's manifest."""
    stored = fixtures / "sets" / name
    if name != "subset":
        return stored
    folder = work / "subset"
    shutil.copytree(fixtures / "sets" / "pairs", folder)
    shutil.copyfile(stored / "manifest.json", folder / "manifest.json")
    return folder


def batches(name: str, folder: Path) -> Arrays:
    """Return what loaders give in a seeded epoch, by split and field; of pictures and points the means."""
    found: Arrays = {}
    for split in open_dataset(folder).splits:
        for kind, loader in _loaders(name, folder, split).items():
            gathered: dict[str, list[NDArray[np.generic]]] = {}
            for batch in loader:
                for field, values in batch.items():
                    gathered.setdefault(field, []).append(_summary(field, np.asarray(values)))
            for field, parts in gathered.items():
                found[f"{split}/{kind}/{_STORED_AS.get(field, field)}"] = np.concatenate(parts)
    return found


def views_in_order(folder: Path, split: str, beside: Sequence[str] = ()) -> Arrays:
    """Every view of a split with its factors and further fields, in the order in which they are stored."""
    loader = _loader(folder, split, Views(shuffled=False), ("factors", *beside))
    parts = list(loader)
    return {field: np.concatenate([np.asarray(part[field]) for part in parts]) for field in parts[0]}


def _loaders(name: str, folder: Path, split: str) -> dict[str, Loader]:
    manifest = open_dataset(folder).manifest
    more = beside_pictures(manifest)
    kinds: dict[str, Callable[[], Loader]] = {
        "pairs": lambda: _loader(folder, split, Pairs(), _MANY if name == "pairs" else _FEW),
        "views": lambda: _loader(folder, split, Views(), ("factors", *more)),
        "tuples": lambda: _loader(folder, split, Tuples(3, visits=2), _FEW),
        "sequences": lambda: _loader(folder, split, Sequences(3), (*_MANY, "twist")),
    }
    loaded = {"sequences": ("views", "sequences"), "pairs": ("pairs", "tuples")}
    return {kind: kinds[kind]() for kind in loaded.get(name, ("pairs", "views"))}


def beside_pictures(manifest: Manifest) -> tuple[str, ...]:
    """Fields of all that a set keeps beside its pictures: outputs, and clouds as they are stored."""
    return (*manifest.outputs[1:], *["object_points"] * (manifest.points > 0))


def _loader(folder: Path, split: str, sampler: Sampler, fields: Sequence[str]) -> Loader:
    config = BatchConfig(
        split=split, sampler=sampler, batch_size=4, fields=fields, seed=3, last_batch="short", output="numpy"
    )
    return Loader(folder, config)


def _summary(field: str, values: NDArray[np.generic]) -> NDArray[np.generic]:
    """Means over the pixels of each picture, and over the points of each cloud; else the values."""
    if field == "object_points":
        return values.mean(axis=1, dtype=np.float64)
    if field.rstrip("_12") in ("view", "views", "mask", "depth", "normals", "coordinates"):
        return values.mean(axis=(-3, -2, -1), dtype=np.float64)
    return values


def _placed(word: str, places: dict[str, str]) -> str:
    for name, place in places.items():
        if word == name or word.startswith(f"{name}/"):
            return place + word.removeprefix(name)
    return word
