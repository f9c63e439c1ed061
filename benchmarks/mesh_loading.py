"""Loading time of OBJ files compared with trimesh, in turns in one run.

    python benchmarks/mesh_loading.py                    # files of spheres, made for it
    python benchmarks/mesh_loading.py DIR --rounds 5     # a folder in ShapeNet's layout

trimesh's time is for its own arrays, without what the renderer needs besides (faces in one another's place,
textures in the folder above, which it leaves out). Rates vary with what else the machine does, so compare
ratios.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import trimesh

from turntable.renderer.meshes.coincident_faces import mark_coincident_faces
from turntable.renderer.meshes.formats.obj.fast_parser import parse_obj_fast
from turntable.renderer.meshes.formats.obj.line_parser import parse_obj_lines
from turntable.renderer.meshes.sources.shapenet import ShapeNetSource

STEPS = ("bulk", "lines", "load", "settle", "digest", "trimesh")


def write_sphere(root: Path, rings: int) -> None:
    """Write a sphere in ShapeNet's layout, with normals and texture coordinates, as assimp writes one."""
    polar, turn = (grid.ravel() for grid in np.mgrid[0 : np.pi : rings * 1j, 0 : 2 * np.pi : rings * 1j])
    normals = np.stack([np.sin(polar) * np.cos(turn), np.cos(polar), np.sin(polar) * np.sin(turn)], axis=-1)
    corner = np.arange(rings * rings).reshape(rings, rings)
    a, b, c, d = (
        part.ravel() + 1 for part in (corner[:-1, :-1], corner[1:, :-1], corner[1:, 1:], corner[:-1, 1:])
    )
    faces = np.concatenate([np.stack([a, b, c], axis=-1), np.stack([a, c, d], axis=-1)])
    folder = root / "02691156" / f"sphere-{len(faces)}" / "models"
    folder.mkdir(parents=True)
    with (folder / "model_normalized.obj").open("w") as file:
        np.savetxt(file, normals / 2 / np.sqrt(3), "v %.6f %.6f %.6f")
        np.savetxt(file, np.stack([turn, polar], axis=-1) / np.pi, "vt %.6f %.6f")
        np.savetxt(file, normals, "vn %.4f %.4f %.4f")
        np.savetxt(file, np.repeat(faces, 3, axis=1), "f %d/%d/%d %d/%d/%d %d/%d/%d")


def measure(source: ShapeNetSource, object_id: str, rounds: int) -> dict[str, float]:
    """Measure the fewest milliseconds of each step."""
    path = source.find_mesh_file(object_id)
    assert path is not None
    data, mesh = path.read_bytes(), source.load(object_id)
    if parse_obj_fast(data) is None:
        print(f"{object_id}: read line by line")
    steps: dict[str, Callable[[], object]] = {
        "bulk": lambda: parse_obj_fast(data),
        "lines": lambda: parse_obj_lines(data),
        "load": lambda: source.load(object_id),
        "settle": lambda: mark_coincident_faces(mesh),
        "digest": lambda: source.compute_digest(object_id, mesh),
        "trimesh": lambda: trimesh.load_scene(path, process=False),
    }
    taken: dict[str, list[float]] = {name: [] for name in STEPS}
    for _ in range(rounds):
        for name in STEPS:
            start = time.perf_counter()
            steps[name]()
            taken[name].append(1e3 * (time.perf_counter() - start))
    return {name: min(times) for name, times in taken.items()}


def main() -> None:
    """Measure and print a line an object, and the sums."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("meshes", nargs="?", type=Path, help="a folder in ShapeNet's layout")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        if arguments.meshes is None:
            for rings in (40, 110, 210):
                write_sphere(Path(temporary), rings)
        compare(ShapeNetSource(arguments.meshes or Path(temporary)), arguments.rounds)


def compare(source: ShapeNetSource, rounds: int) -> None:
    """Print the table; ``ratio`` is trimesh's time over that of loading and settling."""
    print(f"{'object':28} {'MB':>6} " + " ".join(f"{name:>8}" for name in STEPS) + f" {'ratio':>6}   (ms)")
    sums = dict.fromkeys(STEPS, 0.0)
    for item in source.list_objects():
        path = source.find_mesh_file(item.id)
        size = 0 if path is None else path.stat().st_size
        taken = measure(source, item.id, rounds)
        sums = {name: sums[name] + taken[name] for name in STEPS}
        print(row(item.id, size / 1e6, taken))
    print(row("all", 0, sums))


def row(name: str, megabytes: float, taken: dict[str, float]) -> str:
    """Return one line of the table."""
    ratio = taken["trimesh"] / (taken["load"] + taken["settle"])
    return (
        f"{name[:28]:28} {megabytes:6.2f} "
        + " ".join(f"{taken[step]:8.1f}" for step in STEPS)
        + f" {ratio:6.1f}"
    )


if __name__ == "__main__":
    main()
