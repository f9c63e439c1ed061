"""Whole runs: views a second from mesh files to committed, verified shards, and where the time goes.

    python benchmarks/generate.py                                  # zoo meshes, one worker a core
    python benchmarks/generate.py --meshes DIR --objects 18        # a folder in ShapeNet's layout
    python benchmarks/generate.py --device cuda:0 --workers 16     # on a GPU

First one process makes a shard of some objects with its stages timed one by one; then the run itself.
"""

import argparse
import tempfile
import time
from pathlib import Path

from render import Times, draw

from turntable.console import default_workers
from turntable.datasets.recipe import Recipe, load_recipe
from turntable.datasets.verify import verify
from turntable.renderer import generate, open_source
from turntable.renderer.backends import choose
from turntable.renderer.meshes.source import MeshSource, load_mesh


def stages(recipe: Recipe, source: MeshSource, objects: int, backend: str, device: str) -> str:
    """Milliseconds a view of each stage, in one process, one stage after the other."""
    times, load = Times(), 0.0
    with choose(backend, device).open() as opened:
        chosen = source.objects()[:objects]
        draw(opened, recipe, chosen[0].id, load_mesh(source, chosen[0].id))  # compiles shaders
        for item in chosen:
            start = time.perf_counter()
            mesh = load_mesh(source, item.id)
            load += time.perf_counter() - start
            times += draw(opened, recipe, item.id, mesh)
        name = f"{opened.device.backend}: {opened.device.renderer}"
    count = len(chosen) * recipe.views
    parts = {"mesh loading": load, **{stage: getattr(times, stage) for stage in Times.__slots__}}
    told = ", ".join(f"{stage} {1e3 * seconds / count:.2f}" for stage, seconds in parts.items())
    return f"{name}\none process, ms a view: {told}; {count / (load + times.total):.1f} views/s"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--meshes", type=Path)
    parser.add_argument("--objects", type=int, default=48)
    parser.add_argument("--views", type=int, default=50)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--quality", default="standard")
    parser.add_argument("--workers", type=int, default=default_workers())
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--device", default="auto")
    args = parser.parse_args()
    source = open_source("shapenet" if args.meshes else "zoo", args.meshes, args.objects)
    recipe = load_recipe("3diebench").replace(
        source=source.name, views=args.views, image_size_px=args.size, quality=args.quality
    )
    print(stages(recipe, source, min(args.objects, 12), args.backend, args.device))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "set"
        start = time.perf_counter()
        manifest = generate(
            recipe,
            source,
            out,
            objects=args.objects,
            workers=args.workers,
            backend=args.backend,
            device=args.device,
        )
        seconds = time.perf_counter() - start
        problems = verify(out).problems
    images = manifest.totals.images
    print(
        f"{args.workers} workers: {images} views of {manifest.totals.objects} objects in {seconds:.1f} s, "
        f"{images / seconds:.1f} views/s from mesh files to shards; {len(problems)} problems"
    )


if __name__ == "__main__":
    main()
