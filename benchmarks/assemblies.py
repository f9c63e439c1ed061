"""Rate of assemblies of several parts that move, to one mesh of the same triangles, in turn.

    python benchmarks/assemblies.py
    python benchmarks/assemblies.py --device cuda:0 --parts 2 5 10 --rounds 20

The assembly is made of objects of the zoo. Both draw the same scenes. Rates are views per second of CPU time
of this process, or of time on a GPU, without JPEG.
"""

import argparse
import statistics
import time
from dataclasses import dataclass, replace

import numpy as np

from turntable.datasets import draw_factors, load_recipe
from turntable.datasets.objects import ObjectPart
from turntable.renderer import open_source
from turntable.renderer.backends import Backend, Quality, get_quality, select_backend
from turntable.renderer.meshes import Mesh, join_parts
from turntable.renderer.scene import Scenes, scenes_from_labels

SIZE = 0.4
"""Diagonal of each part."""
SPREAD = 0.3
"""Largest distance of a part's center from the origin along each axis."""
STEP = 0.1
"""Largest shift of a part from its place at rest along each axis."""


def make_assembly(num_parts: int) -> Mesh:
    """Make an assembly of objects of the zoo."""
    rng, source = np.random.default_rng(0), open_source("zoo", None)
    chosen = source.list_objects()[:: max(1, len(source.list_objects()) // num_parts)][:num_parts]
    meshes = [source.load(item.id) for item in chosen]
    placed = [
        replace(m, positions=(m.positions * SIZE + rng.uniform(-SPREAD, SPREAD, 3)).astype(np.float32))
        for m in meshes
    ]
    parts = [ObjectPart(str(number), item.category) for number, item in enumerate(chosen)]
    return join_parts(placed, parts, "an assembly")


def make_scenes(num_views: int, num_parts: int) -> Scenes:
    """Make the scenes of views in which each part is shifted by itself."""
    recipe = load_recipe("3diebench")
    scenes = scenes_from_labels(recipe.schema.names, draw_factors(recipe, "assembly", range(num_views)))
    motions = np.tile(np.eye(4), (num_views, num_parts, 1, 1))
    motions[..., :3, 3] += np.random.default_rng(1).uniform(-STEP, STEP, (num_views, num_parts, 3))
    return replace(scenes, part_motions=motions)


@dataclass(frozen=True, slots=True)
class Rates:
    """Views a second of an assembly and of one mesh, and the median of their ratios."""

    num_triangles: int
    one_mesh: float
    assembly: float
    ratio: float


def compare_rates(
    backend: Backend, num_parts: int, num_views: int, size: int, quality: Quality, rounds: int
) -> Rates:
    """Measure an assembly and one mesh in turn, after a warm-up."""
    clock = time.process_time if backend.device.software else time.perf_counter
    assembly, scenes = make_assembly(num_parts), make_scenes(num_views, num_parts)
    one, still = replace(assembly, parts=(), part_index=None), replace(scenes, part_motions=None)

    def measure(mesh: Mesh, seen: Scenes) -> float:
        start = clock()
        backend.render(mesh, seen, size, quality)
        return clock() - start

    times = [(measure(one, still), measure(assembly, scenes)) for _ in range(rounds + 1)][1:]
    single, several = (num_views / statistics.median(column) for column in zip(*times, strict=True))
    return Rates(len(one.triangles), single, several, statistics.median(a / b for a, b in times))


def main() -> None:
    """Measure both in turn and print a row for each number of parts."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--parts", type=int, nargs="+", default=[1, 2, 5, 10])
    parser.add_argument("--views", type=int, default=50)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--quality", default="standard")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--device", default="auto")
    args = parser.parse_args()
    with select_backend(args.backend, args.device).open() as backend:
        print(f"{backend.device.backend}: {backend.device.renderer}; {args.size} px, {args.quality}")
        print(f"{'parts':>6} {'triangles':>10} {'one mesh/s':>11} {'assembly/s':>11} {'ratio':>6}")
        for num_parts in args.parts:
            quality = get_quality(args.quality)
            found = compare_rates(backend, num_parts, args.views, args.size, quality, args.rounds)
            numbers = f"{found.one_mesh:11.1f} {found.assembly:11.1f} {found.ratio:6.2f}"
            print(f"{num_parts:6d} {found.num_triangles:10d} {numbers}", flush=True)


if __name__ == "__main__":
    main()
