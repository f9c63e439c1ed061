"""Rendering rates, from a loaded mesh to encoded JPEGs with their labels, by quality, in one run.

    python benchmarks/render.py                         # zoo meshes
    python benchmarks/render.py --meshes DIR --rounds 3 # a folder in ShapeNet's layout
    python benchmarks/render.py --device cuda:0         # on a GPU

One process; in software that is one core (LP_NUM_THREADS=1), and a run uses one process a core. The time of a
view is told apart: submission (upload and every call), the wait for the device, the readback, and JPEG.
"""

import argparse
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import get_args

from turntable.choices import QualityName
from turntable.datasets import Recipe, load_recipe
from turntable.renderer import encode_views, open_source
from turntable.renderer.backends import Backend, select_backend
from turntable.renderer.meshes import Mesh
from turntable.renderer.meshes.sources import load_mesh
from turntable.renderer.views import begin_views

QUALITIES = get_args(QualityName)


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of one round."""

    submit: float = 0.0
    device: float = 0.0
    readback: float = 0.0
    jpeg: float = 0.0

    @property
    def total(self) -> float:
        """All of it."""
        return self.submit + self.device + self.readback + self.jpeg

    def __add__(self, other: "Times") -> "Times":
        return Times(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))


def draw(backend: Backend, recipe: Recipe, object_id: str, mesh: Mesh) -> Times:
    """Render one mesh, stage after stage; a real run starts the next mesh before it waits for this one."""
    at = [time.perf_counter()]
    pending = begin_views(backend, recipe, object_id, mesh, range(recipe.views))
    at.append(time.perf_counter())
    context = getattr(backend, "context", None)
    if hasattr(context, "finish"):
        with context:
            context.finish()
    at.append(time.perf_counter())
    views = pending()
    at.append(time.perf_counter())
    encode_views(recipe, views.rgb)
    at.append(time.perf_counter())
    return Times(*(after - before for before, after in pairwise(at)))


def best_round(backend: Backend, recipe: Recipe, meshes: Mapping[str, Mesh], rounds: int) -> Times:
    """Measure the fastest round over all meshes, after one that compiles shaders."""
    made = [
        sum((draw(backend, recipe, object_id, mesh) for object_id, mesh in meshes.items()), Times())
        for _ in range(rounds + 1)
    ]
    return min(made[1:], key=lambda times: times.total)


def best_rounds(
    backend: Backend,
    meshes: Mapping[str, Mesh],
    sizes: Sequence[int],
    qualities: Sequence[str],
    views: int,
    rounds: int,
) -> Iterator[tuple[int, str, Times]]:
    """Measure each quality at each size, and yield size, quality and times."""
    for size in sizes:
        for name in qualities:
            recipe = load_recipe("zoo").replace(image_size_px=size, quality=name, views=views)
            yield size, name, best_round(backend, recipe, meshes, rounds)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--meshes", type=Path)
    parser.add_argument("--objects", type=int, default=12)
    parser.add_argument("--views", type=int, default=20)
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 256])
    parser.add_argument("--qualities", nargs="+", default=QUALITIES, choices=QUALITIES)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--device", default="auto")
    args = parser.parse_args()
    source = open_source("shapenet" if args.meshes else "zoo", args.meshes, args.objects)
    start = time.perf_counter()
    meshes = {item.id: load_mesh(source, item.id) for item in source.list_objects()[: args.objects]}
    load_ms = 1e3 * (time.perf_counter() - start) / len(meshes)
    triangles = statistics.mean(len(mesh.triangles) for mesh in meshes.values())
    with select_backend(args.backend, args.device).open() as backend:
        print(f"{backend.device.backend}: {backend.device.renderer}")
        print(f"{len(meshes)} meshes of {triangles:.0f} triangles, {load_ms:.0f} ms to load one")
        print(f"{args.views} views of each; the best of {args.rounds} rounds; milliseconds a view\n")
        stages = " ".join(f"{name:>8}" for name in Times.__slots__)
        print(f"{'size':>5} {'quality':>9} {'ms/view':>8} {stages} {'views/s':>8} {'of first':>8}")
        count, first = len(meshes) * args.views, dict[int, float]()
        for size, name, times in best_rounds(
            backend, meshes, args.sizes, args.qualities, args.views, args.rounds
        ):
            of_first = first.setdefault(size, times.total) / times.total
            parts = " ".join(f"{1e3 * getattr(times, stage) / count:8.2f}" for stage in Times.__slots__)
            row = (1e3 * times.total / count, parts, count / times.total, of_first)
            print(f"{size:5d} {name:>9} {row[0]:8.2f} {row[1]} {row[2]:8.1f} {row[3]:8.2f}")


if __name__ == "__main__":
    main()
