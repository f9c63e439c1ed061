"""Meshes and textures that are broken on purpose, each with what is to become of it, made from a seed.

``make_corpus`` writes two folders, ``shapenet`` in ShapeNet's layout and ``folder`` with files of other
formats, with good objects among the bad ones.
"""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support.gltf_box import BOX_DATA, box_with_buffer
from tests.support.malformed_cases import KEPT, WARNED, Case
from tests.support.malformed_gltf import gltf_files
from tests.support.malformed_images import GOOD_IMAGES, broken_images, make_png
from tests.support.malformed_places import PLACES
from tests.support.malformed_polygon_files import polygon_files
from tests.support.malformed_wavefront import MTL_TEXTS, obj_texts
from tests.support.meshes import CUBE_OBJ, write_shapenet_object


def make_corpus(folder: Path, seed: int = 0) -> tuple[Case, ...]:
    """Write the corpus below ``folder``; the same seed makes the same files."""
    outside = folder / "outside"
    outside.mkdir(parents=True)
    (outside / "mesh.obj").write_text(CUBE_OBJ)
    (outside / "texture0.png").write_bytes(make_png())
    (outside / "data.bin").write_bytes(BOX_DATA)
    chance = random.Random(seed)
    return (*_shapenet(folder / "shapenet", outside, chance), *_folder(folder / "folder", outside, chance))


def _shapenet(root: Path, outside: Path, chance: random.Random) -> Iterator[Case]:
    def case(name: str, *outcomes: str, listed: bool = True, **parts: Any) -> tuple[Case, Path]:
        path = write_shapenet_object(root, f"100/{name}", **parts)
        return Case("shapenet", f"100/{name}", outcomes, listed), path

    for name in ("good-a", "good-b"):
        yield case(name, KEPT)[0]
    for name, (text, reasons) in obj_texts(chance).items():
        made, path = case(name, *reasons)
        path.write_bytes(text)
        yield made
    for name, text in MTL_TEXTS.items():
        made, path = case(name, WARNED)
        path.with_suffix(".mtl").write_bytes(text)
        yield made
    for name, data in broken_images(chance).items():
        made, path = case(name, WARNED)
        (path.parent.parent / "images" / "texture0.png").write_bytes(data)
        yield made
    for name, make in GOOD_IMAGES.items():
        made, path = case(name, KEPT)
        (path.parent.parent / "images" / "texture0.png").write_bytes(make())
        yield made
    for name, change in PLACES.items():
        made, path = case(name, *change.outcomes, listed=change.listed)
        change.make(path, outside)
        yield made


def _folder(root: Path, outside: Path, chance: random.Random) -> Iterator[Case]:
    root.mkdir()
    for name, (data, outcomes) in {**gltf_files(chance), **polygon_files(chance)}.items():
        # A folder each: what lies beside one object is no part of another.
        path = root / name.replace(".", "-") / name
        path.parent.mkdir()
        path.write_bytes(data)
        yield Case("folder", path.relative_to(root).with_suffix("").as_posix(), outcomes)
    link = root / "link-outside" / "mesh.obj"
    link.parent.mkdir()
    link.symlink_to(outside / "mesh.obj")
    yield Case("folder", "link-outside/mesh", ("outside",))
    beside = root / "buffer-link-outside" / "box.gltf"
    beside.parent.mkdir()
    beside.write_bytes(box_with_buffer("data.bin"))
    (beside.parent / "data.bin").symlink_to(outside / "data.bin")
    yield Case("folder", "buffer-link-outside/box", ("outside",))
