"""Inspection of a folder that should be ShapeNetCore: its version, its models, and what is wrong with it."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal, NoReturn

from turntable.errors import InvalidInputError, format_text
from turntable.renderer.meshes.root_folder import RootFolder, open_root
from turntable.renderer.meshes.sources.folder_walk import is_folder_inside, iter_files_below, scan_folder
from turntable.renderer.meshes.sources.shapenet_facts import EMPTY_MODELS, find_synset
from turntable.renderer.meshes.sources.source import check_folder

ShapeNetVersion = Literal["v1", "v2"]
"""Version of ShapeNetCore."""
LayoutKind = Literal["v2", "v1", "v2-glb"]
"""Layout of a folder: v2 or v1 as OBJ files, or v2 as GLB files in folders by category name."""

V2_MODEL = Path("models") / "model_normalized.obj"
"""Path of the mesh file in the folder of a v2 model."""
V1_MODEL = Path("model.obj")
"""Path of the mesh file in the folder of a v1 model."""

MAX_MISSING, MAX_MISSING_SHARE = 10, 0.01
"""Number and share of folders without a model. If both are exceeded, a download was cut short."""


@dataclass(frozen=True, slots=True)
class ShapeNetLayout:
    """The layout and content of a ShapeNetCore folder."""

    kind: LayoutKind
    """Layout of the folder."""
    models: tuple[tuple[str, str], ...]
    """Synset and model id of every model, sorted."""
    missing_models: tuple[str, ...]
    """Folders "synset/id" without the model they should hold, except those in ``EMPTY_MODELS``."""
    num_known_empty: int
    """Number of folders that are in ``EMPTY_MODELS``."""
    archives: tuple[str, ...]
    """Names of archives that were not unpacked."""

    @property
    def version(self) -> ShapeNetVersion:
        """Version of ShapeNetCore."""
        return "v1" if self.kind == "v1" else "v2"


def read_layout(folder: Path | RootFolder, version: ShapeNetVersion) -> ShapeNetLayout:
    """Read the layout and content of a folder.

    Args:
        folder: The folder, without links out of it; or the root, with where its links may lead.
        version: Version that it should be.

    Raises:
        InvalidInputError: The folder is not ShapeNetCore of this version, complete and unpacked. The message
            says what it seems to be and what to do.
    """
    root_folder = open_root(folder)
    root = check_folder(root_folder.path, "the folder of ShapeNet's synsets")
    models_by_kind: dict[LayoutKind, list[tuple[str, str]]] = {"v2": [], "v1": [], "v2-glb": []}
    missing: list[str] = []
    for synset in _list_folders(root_folder):
        for model, kind in _iter_models(synset, root_folder):
            if kind is None:
                missing.append(f"{synset.name}/{model}")
            else:
                name = find_synset(synset.name) if kind == "v2-glb" else synset.name
                models_by_kind[kind].append((name or synset.name, model))
    kinds: list[LayoutKind] = [kind for kind in models_by_kind if models_by_kind[kind]]
    if not kinds:
        _raise_no_models(root_folder)
    _check_kinds(root, kinds, version)
    models = models_by_kind[kinds[0]]
    _check_names(root, kinds[0], models)
    known_empty = len(EMPTY_MODELS.intersection(missing))
    missing = [name for name in missing if name not in EMPTY_MODELS]
    _check_complete(root, len(models), missing)
    archives = {path.stem: path.name for path in root.glob("*.zip")}
    unpacked = {synset for synset, _ in models}
    zipped = sorted(name for stem, name in archives.items() if (find_synset(stem) or stem) not in unpacked)
    return ShapeNetLayout(kinds[0], tuple(sorted(models)), tuple(sorted(missing)), known_empty, tuple(zipped))


def iter_glb_files(root: RootFolder, synset: str, model: str) -> Iterator[Path]:
    """Iterate over the paths where the GLB file of an object is, in folders by category name."""
    for folder in _list_folders(root):
        if find_synset(folder.name) == synset:
            if (folder / f"{model}.glb").is_file():
                yield folder / f"{model}.glb"
            elif (path := _find_glb_file(folder, model, root)) is not None:
                yield path
            if os.path.isdir(folder / model):  # noqa: PTH112  it answers for unreadable folders too
                yield from sorted(iter_files_below(open_root(folder / model, root.links_under), (".glb",)))


def _find_glb_file(folder: Path, model: str, root: RootFolder) -> Path | None:
    """Return the GLB file of a model in a category's folder, of whatever case its suffix is."""
    names = (entry.name for entry in scan_folder(folder, root))
    return next((folder / name for name in names if name[:-4] == model and _is_glb(Path(name))), None)


def _is_glb(path: Path) -> bool:
    """Return True if a file is a GLB file by its name."""
    return path.suffix.lower() == ".glb"


def _list_folders(root: RootFolder) -> list[Path]:
    """List the folders directly below the root, without hidden ones and without links that leave it."""
    return sorted(
        Path(entry.path)
        for entry in scan_folder(root.path, root)
        if not entry.name.startswith(".") and is_folder_inside(entry, root)
    )


def _iter_models(folder: Path, root: RootFolder) -> Iterator[tuple[str, LayoutKind | None]]:
    """Iterate over the models in a synset's folder: name and layout, None for a folder without a mesh."""
    for entry in scan_folder(folder, root):
        if entry.name.startswith("."):
            continue
        if is_folder_inside(entry, root):
            for kind in _list_kinds(Path(entry.path), root):
                yield entry.name, kind
        elif entry.name.lower().endswith(".glb") and not os.path.isdir(entry.path):  # noqa: PTH112
            yield entry.name[:-4], "v2-glb"


def _list_kinds(model: Path, root: RootFolder) -> list[LayoutKind | None]:
    """List the layouts in which a model's folder holds a mesh; [None] if it holds none."""
    kinds: list[LayoutKind | None] = []
    # os.path.isfile, because it answers for folders that cannot be read, too.
    if os.path.isfile(model / V2_MODEL):  # noqa: PTH113
        kinds.append("v2")
    if os.path.isfile(model / V1_MODEL):  # noqa: PTH113
        kinds.append("v1")
    if not kinds and any(True for _ in iter_files_below(open_root(model, root.links_under), (".glb",))):
        kinds.append("v2-glb")
    return kinds or [None]


def _check_kinds(root: Path, kinds: list[LayoutKind], version: ShapeNetVersion) -> None:
    """Raise if the folder mixes layouts, or is another version."""
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
            f"{root} is ShapeNetCore v1 ({{synset}}/{{model}}/model.obj), whose objects differ from those of "
            "v2 in scale, pose and materials. Give --source shapenet-v1 to use it nevertheless, or the "
            "folder of v2 ({synset}/{model}/models/model_normalized.obj)"
        )
    if kinds != ["v1"] and version == "v1":
        raise InvalidInputError(f"{root} is ShapeNetCore v2, not v1; give --source shapenet")


def _check_names(root: Path, kind: LayoutKind, models: list[tuple[str, str]]) -> None:
    """Raise if GLB files lie in folders that are not category names, or an object is there twice."""
    if kind != "v2-glb":
        return
    unknown = sorted({name for name, _ in models if find_synset(name) is None})
    if unknown:
        raise InvalidInputError(
            f"{root}: ShapeNetCore has no category named {format_text(', '.join(unknown[:5]))}; for other "
            "meshes give --source folder"
        )
    repeated = [name for name, count in Counter(models).items() if count > 1]
    if repeated:
        raise InvalidInputError(
            f"{root} holds {len(repeated)} objects twice, such as {format_text('/'.join(repeated[0]))}; "
            "remove one file of each"
        )


def _check_complete(root: Path, num_models: int, missing: list[str]) -> None:
    """Raise if so many models are missing that a download must be incomplete."""
    if len(missing) <= max(MAX_MISSING, MAX_MISSING_SHARE * (num_models + len(missing))):
        return
    by_synset = Counter(name.partition("/")[0] for name in missing).most_common(3)
    worst = ", ".join(f"{count} in {synset}" for synset, count in by_synset)
    raise InvalidInputError(
        f"{root} seems to be half downloaded: {len(missing)} of {num_models + len(missing)} folders hold "
        f"no model ({format_text(worst)}), such as {format_text(missing[0])}. Unpack those synsets again; to "
        "use only what is there, remove the folders without models"
    )


def _raise_no_models(root_folder: RootFolder) -> NoReturn:
    """Raise an error that says what a folder without models seems to be."""
    root = root_folder.path

    def find_first(pattern: str) -> Path | None:
        return next(iter(islice(root.glob(pattern), 1)), None)

    def find_model(depth: str) -> Path | None:
        return find_first(f"{depth}{V2_MODEL.as_posix()}") or find_first(f"{depth}{V1_MODEL.as_posix()}")

    # Each guess: a search for a file that confirms it, and the message made from the file found.
    guesses: list[tuple[Callable[[], Path | None], Callable[[Path], str]]] = [
        (lambda: find_model(""), lambda _: f"is one object's folder; give {root.parent.parent}"),
        (
            lambda: find_model("*/"),
            lambda _: (
                f"is one level too deep: it is one synset's folder; give the folder above, {root.parent}"
            ),
        ),
        (
            lambda: find_model("*/*/*/"),
            lambda path: (
                f"is one level too shallow: the synsets lie in {_get_ancestor(path, root, 1)}; give that"
            ),
        ),
        (
            lambda: find_model("*/*/*/*/"),
            lambda path: (
                f"is two levels too shallow: the synsets lie in {_get_ancestor(path, root, 2)}; give that"
            ),
        ),
        (
            lambda: find_first("*.zip") or find_first("*/*.zip"),
            lambda path: f"is still zipped ({path.name} and others): unpack every archive where it lies",
        ),
    ]
    for find_evidence, format_guess in guesses:
        if (path := find_evidence()) is not None:
            raise InvalidInputError(f"{root} {format_guess(path)}")
    empty = [folder.name for folder in _list_folders(root_folder) if find_synset(folder.name)]
    if empty:
        raise InvalidInputError(
            f"{root} holds no models in its {len(empty)} synsets ({', '.join(empty[:3])}); unpack them again"
        )
    raise InvalidInputError(
        f"{root} holds no {{synset}}/{{model}}/{V2_MODEL.as_posix()}; for other meshes set "
        "source = 'folder' in the recipe, or give --source folder"
    )


def _get_ancestor(path: Path, root: Path, levels: int) -> Path:
    """Return the part of a path that is ``levels`` folders below the root."""
    return root.joinpath(*path.relative_to(root).parts[:levels])
