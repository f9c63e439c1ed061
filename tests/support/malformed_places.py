"""Files of an object that are missing, folders, pipes, devices, or links to where they should not lead."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.support.malformed_cases import KEPT, WARNED
from tests.support.meshes import CUBE_OBJ


@dataclass(frozen=True, slots=True)
class _Change:
    """A change to an object's files, and the outcomes it may have."""

    make: Callable[[Path, Path], object]
    outcomes: tuple[str, ...]
    listed: bool = True


def _texture_of(path: Path) -> Path:
    return path.parent.parent / "images" / "texture0.png"


def _instead(path: Path, make: Callable[[Path], object]) -> None:
    path.unlink()
    make(path)


def _instead_of_folder(path: Path, make: Callable[[Path], object]) -> None:
    shutil.rmtree(path)
    make(path)


PLACES: dict[str, _Change] = {
    "mesh-is-a-link-outside": _Change(
        lambda p, out: _instead(p, lambda q: q.symlink_to(out / "mesh.obj")), ("outside",)
    ),
    "mesh-is-a-link-to-itself": _Change(
        lambda p, out: _instead(p, lambda q: q.symlink_to(q)), ("file missing",), listed=False
    ),
    "mesh-is-a-folder": _Change(lambda p, out: _instead(p, Path.mkdir), ("file missing",), listed=False),
    "mesh-is-a-pipe": _Change(lambda p, out: _instead(p, os.mkfifo), ("file missing",), listed=False),
    "texture-missing": _Change(lambda p, out: _texture_of(p).unlink(), (WARNED,)),
    "texture-is-a-link-outside": _Change(
        lambda p, out: _instead(_texture_of(p), lambda q: q.symlink_to(out / "texture0.png")), (WARNED,)
    ),
    "texture-is-a-pipe": _Change(lambda p, out: _instead(_texture_of(p), os.mkfifo), (WARNED,)),
    "texture-is-a-device": _Change(
        lambda p, out: _instead(_texture_of(p), lambda q: q.symlink_to("/dev/zero")), (WARNED,)
    ),
    "texture-folder-is-a-link-outside": _Change(
        lambda p, out: _instead_of_folder(_texture_of(p).parent, lambda q: q.symlink_to(out)), (WARNED,)
    ),
    "texture-is-a-link-inside": _Change(
        lambda p, out: _instead(_texture_of(p), lambda q: q.symlink_to("../../good-a/images/texture0.png")),
        (KEPT,),
    ),
    "materials-missing": _Change(lambda p, out: p.with_suffix(".mtl").unlink(), (WARNED,)),
    "materials-are-the-mesh": _Change(
        lambda p, out: p.write_text(CUBE_OBJ.replace("model_normalized.mtl", p.name)), (WARNED,)
    ),
    "materials-far-up": _Change(
        lambda p, out: p.write_text(CUBE_OBJ.replace("model_normalized.mtl", "../../../../../etc/passwd")),
        (WARNED,),
    ),
    "materials-are-a-device": _Change(
        lambda p, out: _instead(p.with_suffix(".mtl"), lambda q: q.symlink_to("/dev/zero")), (WARNED,)
    ),
}
