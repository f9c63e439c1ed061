"""Rendering with Cycles from here: a Python that has ``bpy``, a job in files, and what came of it."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from turntable.renderer.meshes import Material, Mesh, compute_bounds
from turntable.renderer.scene import Scenes

SCENE = Path(__file__).parent / "cycles_scene.py"
BPY = "bpy==4.2.*"
BPY_PYTHON = (3, 11)
LIBRARIES = (
    "apt-get install -y --no-install-recommends "
    "libx11-6 libxext6 libxrender1 libxxf86vm1 libxfixes3 libxi6 libxt6 libxkbcommon0 libsm6 libgl1 libgomp1"
)


@dataclass(frozen=True, slots=True)
class Rendered:
    """The pictures and times that Cycles reports for a job."""

    seconds: tuple[float, ...]
    """Seconds of each view: set up, rendered, denoised and written."""
    version: str


def bpy_python(given: Path | None) -> Path:
    """Return the Python that runs Cycles: the given one, or one made in the user's cache."""
    if given is not None:
        return given
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "turntable" / "bpy-4.2"
    python, ready = cache / "bin" / "python", cache / "ready"
    if not ready.exists():
        if sys.version_info[:2] != BPY_PYTHON:
            raise SystemExit(
                f"{BPY} needs Python 3.11 and this is another; give --bpy-python one that has it"
            )
        print(f"installing {BPY} into {cache}: a download of 350 MB", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", str(cache)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", BPY, "numpy<2"], check=True)
        ready.touch()
    return python


def render_with_cycles(
    python: Path,
    work: Path,
    meshes: Sequence[Mesh],
    scenes: Sequence[Scenes],
    pictures: Sequence[Sequence[Path]],
    image_size_px: int,
    threads: int,
) -> Rendered:
    """Render views of meshes, one list of pictures a mesh; JPEG or PNG by the name.

    Args:
        python: One with ``bpy``.
        work: A folder for what is handed over.
        meshes: Meshes to render.
        scenes: The views of each mesh.
        pictures: Path of the picture of each view.
        image_size_px: Width and height of the pictures in pixels.
        threads: Number of threads for Cycles.
    """
    work.mkdir(parents=True, exist_ok=True)
    objects = [
        {**_mesh_files(mesh, work / str(number)), "views": _views(of_mesh, paths)}
        for number, (mesh, of_mesh, paths) in enumerate(zip(meshes, scenes, pictures, strict=True))
    ]
    job = work / "job.json"
    job.write_text(json.dumps({"image_size_px": image_size_px, "threads": threads, "objects": objects}))
    # -P: else this folder would come first, and Blender would take this very file for its add-on `cycles`.
    done = subprocess.run(
        [str(python), "-P", str(SCENE), str(job)],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": ""},
    )
    if done.returncode != 0:
        raise SystemExit(f"Cycles failed; if a library is missing: {LIBRARIES}\n{done.stderr[-2000:]}")
    answer = next(line for line in reversed(done.stdout.splitlines()) if line.startswith("{"))
    report: dict[str, Any] = json.loads(answer)
    return Rendered(tuple(report["seconds"]), report["version"])


def _views(scenes: Scenes, pictures: Sequence[Path]) -> list[dict[str, Any]]:
    return [
        {
            "object_to_world": scenes.object_to_world[view].tolist(),
            "floor_albedo": scenes.floor_albedo[view].tolist(),
            "light_position": scenes.light_position[view].tolist(),
            "light_color": scenes.light_color[view].tolist(),
            "picture": str(picture.resolve()),
        }
        for view, picture in enumerate(pictures)
    ]


def _mesh_files(mesh: Mesh, stem: Path) -> dict[str, Any]:
    """Write arrays as NPZ and textures as PNG, so that no mesh importer is involved."""
    low, high = compute_bounds(mesh)
    arrays = stem.with_suffix(".npz")
    np.savez(
        arrays,
        positions=mesh.positions - (low + high) / 2,
        triangles=mesh.triangles,
        normals=mesh.normals,
        texcoords=mesh.texcoords,
        material_index=mesh.material_index,
        has_normals=mesh.has_normals,
    )
    materials = [
        _material(material, stem.with_name(f"{stem.name}-{number}.png"))
        for number, material in enumerate(mesh.materials)
    ]
    return {"mesh": str(arrays.resolve()), "materials": materials}


def _material(material: Material, picture: Path) -> dict[str, Any]:
    texture = material.texture
    if texture is not None:
        Image.fromarray(texture.pixels).save(picture)
    return {
        "base_color": material.base_color,
        "specular": material.specular,
        "roughness": material.roughness,
        "alpha": material.alpha,
        "emission": material.emission,
        "texture": None if texture is None else str(picture.resolve()),
        "texture_has_alpha": texture is not None and texture.pixels.shape[2] == 4,
    }
