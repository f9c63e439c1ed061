"""A folder that should be ShapeNetCore: which version it is, what it holds, and what is wrong with it."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal, NoReturn

from turntable.errors import InvalidInputError, shown
from turntable.renderer.meshes.sources.known_shapenet import EMPTY, synset_named
from turntable.renderer.meshes.sources.source import existing_folder, files_below

Version = Literal["v1", "v2"]
Kind = Literal["v2", "v1", "v2-glb"]

V2_MODEL = Path("models") / "model_normalized.obj"
V1_MODEL = Path("model.obj")

FEWEST_MISSING, SHARE_MISSING = 10, 0.01
"""With more folders without a model than both, a download or unpacking did not come to its end."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What was found."""

    kind: Kind
    models: tuple[tuple[str, str], ...]
    """Synset and model id, sorted."""
    missing: tuple[str, ...]
    """Folders "synset/id" that should hold a model and do not; not those of ``EMPTY``."""
    known_empty: int
    """How many of those cars there are."""
    zipped: tuple[str, ...]
    """Archives that lie beside the folders and were not unpacked."""

    @property
    def version(self) -> Version:
        """Of ShapeNetCore."""
        return "v1" if self.kind == "v1" else "v2"


def read_layout(root: Path, version: Version) -> Layout:
    """What a folder holds.

    Raises:
        InvalidInputError: It is not ShapeNetCore of this version, whole and unpacked; the message says what
            it seems to be and what to do.
    """
    existing_folder(root, "the folder of ShapeNet's synsets")
    found: dict[Kind, list[tuple[str, str]]] = {"v2": [], "v1": [], "v2-glb": []}
    missing: list[str] = []
    for folder in _folders(root):
        for model, kind in _models(folder):
            if kind is None:
                missing.append(f"{folder.name}/{model}")
            else:
                synset = synset_named(folder.name) if kind == "v2-glb" else folder.name
                found[kind].append((synset or folder.name, model))
    kinds: list[Kind] = [kind for kind in found if found[kind]]
    if not kinds:
        _complain_of_nothing(root)
    _check_kinds(root, kinds, version)
    models = found[kinds[0]]
    _check_names(root, kinds[0], models)
    known_empty = len(EMPTY.intersection(missing))
    missing = [name for name in missing if name not in EMPTY]
    _check_whole(root, len(models), missing)
    archives = {path.stem: path.name for path in root.glob("*.zip")}
    there = {synset for synset, _ in models}
    zipped = sorted(name for stem, name in archives.items() if (synset_named(stem) or stem) not in there)
    return Layout(kinds[0], tuple(sorted(models)), tuple(sorted(missing)), known_empty, tuple(zipped))


def glb_files(root: Path, synset: str, model: str) -> Iterator[Path]:
    """Where the GLB of an object is, in folders by category name."""
    for folder in _folders(root):
        if synset_named(folder.name) == synset:
            if (folder / f"{model}.glb").is_file():
                yield folder / f"{model}.glb"
            if (folder / model).is_dir():
                yield from sorted(path for path in files_below(folder / model) if path.suffix == ".glb")


def _folders(path: Path) -> list[Path]:
    with os.scandir(path) as entries:
        return sorted(
            Path(entry.path) for entry in entries if entry.is_dir() and not entry.name.startswith(".")
        )


def _models(folder: Path) -> Iterator[tuple[str, Kind | None]]:
    """Name of each model in a synset's folder, and how it is kept; None where there is no mesh."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                for kind in _kinds(Path(entry.path)):
                    yield entry.name, kind
            elif entry.name.lower().endswith(".glb"):
                yield entry.name[:-4], "v2-glb"


def _kinds(model: Path) -> list[Kind | None]:
    kinds: list[Kind | None] = []
    if (model / V2_MODEL).is_file():
        kinds.append("v2")
    if (model / V1_MODEL).is_file():
        kinds.append("v1")
    if not kinds and any(path.suffix == ".glb" for path in files_below(model)):
        kinds.append("v2-glb")
    return kinds or [None]


def _check_kinds(root: Path, kinds: list[Kind], version: Version) -> None:
    if "v1" in kinds and len(kinds) > 1:
        raise InvalidInputError(
            f"{root} mixes ShapeNetCore v1 (model.obj) and v2 (models/model_normalized.obj), which differ in "
            "scale, pose and materials; put them into folders of their own"
        )
    if len(kinds) > 1:
        raise InvalidInputError(
            f"{root} holds ShapeNetCore v2 twice, as OBJ and as GLB; put them into folders of their own"
        )
    if kinds == ["v1"] and version == "v2":
        raise InvalidInputError(
            f"{root} is ShapeNetCore v1 ({{synset}}/{{model}}/model.obj): its objects are scaled, posed and "
            "painted otherwise than those of v2. Give --source shapenet-v1 to use it all the same, or the "
            "folder of v2 ({synset}/{model}/models/model_normalized.obj)"
        )
    if kinds != ["v1"] and version == "v1":
        raise InvalidInputError(f"{root} is ShapeNetCore v2, not v1; give --source shapenet")


def _check_names(root: Path, kind: Kind, models: list[tuple[str, str]]) -> None:
    if kind != "v2-glb":
        return
    strange = sorted({name for name, _ in models if synset_named(name) is None})
    if strange:
        raise InvalidInputError(
            f"{root}: {shown(', '.join(strange[:5]))} is the name of none of ShapeNetCore's categories; for "
            "other meshes give --source folder"
        )
    twice = [name for name, count in Counter(models).items() if count > 1]
    if twice:
        raise InvalidInputError(
            f"{root} holds {len(twice)} objects twice, such as {shown('/'.join(twice[0]))}"
        )


def _check_whole(root: Path, models: int, missing: list[str]) -> None:
    if len(missing) <= max(FEWEST_MISSING, SHARE_MISSING * (models + len(missing))):
        return
    by_synset = Counter(name.partition("/")[0] for name in missing).most_common(3)
    worst = ", ".join(f"{count} in {synset}" for synset, count in by_synset)
    raise InvalidInputError(
        f"{root} seems to be half downloaded: {len(missing)} of {models + len(missing)} folders hold "
        f"no model ({shown(worst)}), such as {shown(missing[0])}. Unpack those synsets again; to use what is "
        "there, remove the folders without models"
    )


def _complain_of_nothing(root: Path) -> NoReturn:
    """Say what a folder without models seems to be."""

    def some(pattern: str) -> Path | None:
        return next(iter(islice(root.glob(pattern), 1)), None)

    def inner(depth: str) -> Path | None:
        return some(f"{depth}{V2_MODEL.as_posix()}") or some(f"{depth}{V1_MODEL.as_posix()}")

    said: list[tuple[Callable[[], Path | None], Callable[[Path], str]]] = [
        (lambda: inner(""), lambda _: f"is one object's folder; give {root.parent.parent}"),
        (
            lambda: inner("*/"),
            lambda _: (
                f"is one level too deep: it is one synset's folder; give the folder above, {root.parent}"
            ),
        ),
        (
            lambda: inner("*/*/*/"),
            lambda path: f"is one level too shallow: the synsets lie in {_up(path, root, 1)}; give that",
        ),
        (
            lambda: inner("*/*/*/*/"),
            lambda path: f"is two levels too shallow: the synsets lie in {_up(path, root, 2)}; give that",
        ),
        (
            lambda: some("*.zip") or some("*/*.zip"),
            lambda path: f"is still zipped ({path.name} and others): unpack every archive where it lies",
        ),
    ]
    for look, say in said:
        if (found := look()) is not None:
            raise InvalidInputError(f"{root} {say(found)}")
    empty = [folder.name for folder in _folders(root) if synset_named(folder.name)]
    if empty:
        raise InvalidInputError(
            f"{root} holds no models in its {len(empty)} synsets ({', '.join(empty[:3])}); unpack them again"
        )
    raise InvalidInputError(
        f"{root} holds no {{synset}}/{{model}}/{V2_MODEL.as_posix()}; for other meshes set "
        "source = 'folder' in the recipe, or give --source folder"
    )


def _up(path: Path, root: Path, levels: int) -> Path:
    return root.joinpath(*path.relative_to(root).parts[:levels])
