"""turntable, pyrender and Blender Cycles side by side in one run: views a second, and their ratios.

    python benchmarks/renderers.py                           # zoo meshes; makes a venv with bpy in the cache
    python benchmarks/renderers.py --bpy-python PATH         # a Python 3.11 that has bpy 4.2
    python benchmarks/renderers.py --meshes DIR --objects 18 # a folder in ShapeNet's layout
    python benchmarks/renderers.py --without-cycles

All draw the same views, whose labels come from the recipe, from loaded meshes to encoded JPEGs. Cycles (100
samples, denoised, as the original generator) draws the first views of each object with all cores; the others
use one process a core, and turntable a single one besides.
"""

import argparse
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from other_renderers.cycles import Rendered, bpy_python, render_with_cycles

from turntable.datasets import Recipe, draw_factors, load_recipe
from turntable.renderer import encode_views, open_source, render_views
from turntable.renderer.backends import Backend
from turntable.renderer.meshes import Mesh
from turntable.renderer.meshes.sources import MeshSource
from turntable.renderer.scene import Scenes, scenes_from_labels

Draw = Callable[[str, Mesh], list[bytes]]


@dataclass(frozen=True, slots=True)
class Work:
    """The meshes, views and size that every renderer gets."""

    recipe: Recipe
    source: MeshSource
    ids: tuple[str, ...]
    rounds: int

    def scenes(self, object_id: str, views: int) -> Scenes:
        """Return the first views of an object."""
        return scenes_from_labels(
            self.recipe.schema.names, draw_factors(self.recipe, object_id, range(views))
        )


def draw_with(backend: Backend, recipe: Recipe) -> Draw:
    """Return a function that renders and encodes an object's views with a backend."""

    def draw(object_id: str, mesh: Mesh) -> list[bytes]:
        views = render_views(backend, recipe, object_id, mesh, range(recipe.views))
        return encode_views(recipe, views.rgb)

    return draw


def turntable(recipe: Recipe) -> Draw:
    """Render with turntable's main backend."""
    from turntable.renderer import open_backend

    return draw_with(open_backend(), recipe)


def pyrender_backend(recipe: Recipe) -> Draw:
    """Render the same pictures with turntable's pyrender backend."""
    from turntable.renderer.backends.pyrender import PyrenderBackend

    return draw_with(PyrenderBackend(), recipe)


def plain_pyrender(recipe: Recipe) -> Draw:
    """Render with pyrender as its users do."""
    from other_renderers.plain_pyrender import PlainPyrender

    renderer = PlainPyrender(recipe.image_size_px)

    def draw(object_id: str, mesh: Mesh) -> list[bytes]:
        labels = draw_factors(recipe, object_id, range(recipe.views))
        return encode_views(recipe, renderer.render(mesh, scenes_from_labels(recipe.schema.names, labels)))

    return draw


def measure(work: Work, make: Callable[[Recipe], Draw], processes: int) -> float:
    """Measure views per second of the best round, with one process per core."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(processes + 1)
    workers = [
        context.Process(target=_worker, args=(work, make, number, processes, barrier))
        for number in range(processes)
    ]
    for worker in workers:
        worker.start()
    times: list[float] = []
    for _ in range(work.rounds):
        barrier.wait(timeout=1800)
        start = time.perf_counter()
        barrier.wait(timeout=1800)
        times.append(time.perf_counter() - start)
    for worker in workers:
        worker.join()
    return len(work.ids) * work.recipe.views / min(times)


def _worker(work: Work, make: Callable[[Recipe], Draw], number: int, processes: int, barrier: Any) -> None:
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[number % len(cores)]})
    os.environ["LP_NUM_THREADS"] = "1"
    try:
        draw = make(work.recipe)
        meshes = {object_id: work.source.load(object_id) for object_id in work.ids[number::processes]}
        for object_id, mesh in meshes.items():
            draw(object_id, mesh)  # compiles shaders, makes buffers
            break
        for _ in range(work.rounds):
            barrier.wait()
            for object_id, mesh in meshes.items():
                draw(object_id, mesh)
            barrier.wait()
    except BaseException:
        barrier.abort()  # else the others would wait for ever
        raise


def measure_cycles(work: Work, python: Path, views: int) -> Rendered:
    """Measure Cycles on all cores, without its first view, which loads kernels."""
    threads = len(os.sched_getaffinity(0))
    meshes = [work.source.load(object_id) for object_id in work.ids]
    scenes = [work.scenes(object_id, views) for object_id in work.ids]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        warm_up = ([meshes[0], *meshes], [scenes[0][:1], *scenes])
        pictures = [
            [place / f"{number}-{view}.jpg" for view in range(len(of_mesh))]
            for number, of_mesh in enumerate(warm_up[1])
        ]
        size = work.recipe.image_size_px
        done = render_with_cycles(python, place, *warm_up, pictures, size, threads)
    return Rendered(done.seconds[1:], done.version)


def report(rows: Sequence[tuple[str, str, float]]) -> None:
    """Print one row per renderer, with ratios to the slowest (the last) and to pyrender."""
    pyrender = next((speed for name, _, speed in rows if name == "pyrender"), float("nan"))
    print(
        f"{'renderer':30s} {'on':12s} {'views/s':>9} {'ms/view':>9} {'to the last':>12} {'to pyrender':>12}"
    )
    for name, where, speed in rows:
        ratios = f"{speed / rows[-1][2]:12.1f} {speed / pyrender:12.2f}"
        print(f"{name:30s} {where:12s} {speed:9.2f} {1e3 / speed:9.1f} {ratios}")


def main() -> None:
    """Measure everyone and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--meshes", type=Path)
    parser.add_argument("--objects", type=int, default=8)
    parser.add_argument("--views", type=int, default=20)
    parser.add_argument("--cycles-views", type=int, default=1, help="of each object")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--quality", default="standard")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--bpy-python", type=Path)
    parser.add_argument("--without-cycles", action="store_true")
    args = parser.parse_args()
    recipe = load_recipe("3diebench").replace(image_size_px=args.size, views=args.views, quality=args.quality)
    source = open_source("shapenet" if args.meshes else "zoo", args.meshes, args.objects)
    ids = tuple(item.id for item in source.list_objects()[: args.objects])
    work = Work(recipe, source, ids, args.rounds)
    cores = min(len(os.sched_getaffinity(0)), len(ids))
    print(
        f"{len(ids)} objects, {args.views} views of each at {args.size} px; the best of {args.rounds} rounds"
    )
    rows: list[tuple[str, str, float]] = []
    for name, make, processes in (
        (f"turntable, {args.quality}", turntable, cores),
        (f"turntable, {args.quality}", turntable, 1),
        ("pyrender", plain_pyrender, cores),
        ("turntable's pyrender backend", pyrender_backend, cores),
    ):
        where = "1 process" if processes == 1 else f"{processes} processes"
        rows.append((name, where, measure(work, make, processes)))
    if not args.without_cycles:
        done = measure_cycles(work, bpy_python(args.bpy_python), args.cycles_views)
        speed = len(done.seconds) / sum(done.seconds)
        rows.append((f"Cycles, Blender {done.version}", f"{len(os.sched_getaffinity(0))} threads", speed))
    report(rows)


if __name__ == "__main__":
    main()
