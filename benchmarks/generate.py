"""Whole runs: views a second from mesh files to committed, verified shards, and where the time goes.

    python benchmarks/generate.py                                  # zoo meshes, one worker a core
    python benchmarks/generate.py --meshes DIR --objects 18        # a folder in ShapeNet's layout
    python benchmarks/generate.py --device cuda:0 --workers 16     # on a GPU
    python benchmarks/generate.py --ray                            # and the same on a local Ray cluster

First one process draws some objects with its stages timed one by one; then as many processes as the run has
only render, from meshes that are loaded; then the run itself, and what it takes to verify it.
"""

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from render import Times, draw

from turntable.datasets import Recipe, load_recipe, verify_dataset
from turntable.processes import count_usable_cores
from turntable.renderer import generate, open_source
from turntable.renderer.backends import select_backend
from turntable.renderer.meshes.sources import MeshSource, load_mesh
from turntable.renderer.runs.engines import ProcessEngine, RayEngine, RenderEngine


def stages(
    recipe: Recipe, source: MeshSource, objects: int, backend: str, device: str
) -> tuple[str, dict[str, float]]:
    """Return the renderer's name, and milliseconds a view of each stage, in turn in one process."""
    times, load = Times(), 0.0
    with select_backend(backend, device).open() as opened:
        chosen = source.list_objects()[:objects]
        draw(opened, recipe, chosen[0].id, load_mesh(source, chosen[0].id))  # compiles shaders
        for item in chosen:
            start = time.perf_counter()
            mesh = load_mesh(source, item.id)
            load += time.perf_counter() - start
            times += draw(opened, recipe, item.id, mesh)
        name = f"{opened.device.backend}: {opened.device.renderer}"
    count = len(chosen) * recipe.views
    parts = {"mesh loading": load, **{stage: getattr(times, stage) for stage in Times.__slots__}}
    return name, {stage: 1e3 * seconds / count for stage, seconds in parts.items()}


def told(name: str, parts: Mapping[str, float]) -> str:
    """Return the stages in two lines of text."""
    stages = ", ".join(f"{stage} {ms:.2f}" for stage, ms in parts.items())
    return f"{name}\none process, ms a view: {stages}; {1e3 / sum(parts.values()):.1f} views/s"


def rendering(recipe: Recipe, source: MeshSource, objects: int, workers: int, how: Sequence[str]) -> float:
    """Measure views per second of processes that only render, read back and encode."""
    context = multiprocessing.get_context("spawn")
    ids = [item.id for item in source.list_objects()[:objects]]
    start = context.Barrier(workers + 1)
    shares = [ids[number::workers] for number in range(workers)]
    processes = [context.Process(target=_draw_all, args=(start, recipe, source, ids, *how)) for ids in shares]
    for process in processes:
        process.start()
    start.wait()  # every process has loaded its meshes and compiled its shaders
    began = time.perf_counter()
    start.wait()
    return len(ids) * recipe.views / (time.perf_counter() - began)


def _draw_all(
    start: Any, recipe: Recipe, source: MeshSource, ids: Sequence[str], backend: str, device: str
) -> None:
    with select_backend(backend, device).open() as opened:
        meshes = [(object_id, load_mesh(source, object_id)) for object_id in ids]
        draw(opened, recipe, *meshes[0])
        start.wait()
        for object_id, mesh in meshes:
            draw(opened, recipe, object_id, mesh)
        start.wait()


def on_ray(workers: int) -> RenderEngine:
    """Start a Ray cluster on this machine with a number of places."""
    import ray

    address = ray.init(num_cpus=workers, num_gpus=0, include_dashboard=False, log_to_driver=False)
    return RayEngine(address.address_info["gcs_address"])


def run(
    recipe: Recipe, source: MeshSource, args: argparse.Namespace, engine: RenderEngine, out: Path
) -> float:
    """Measure views per second of a whole run."""
    start = time.perf_counter()
    manifest = generate(
        recipe,
        source,
        out,
        num_objects=args.objects,
        engine=engine,
        backend=args.backend,
        device=args.device,
    )
    seconds = time.perf_counter() - start
    images = manifest.totals.images
    each = manifest.totals.bytes / images
    print(
        f"{type(engine).__name__}: {images} views of {manifest.totals.objects} objects in {seconds:.1f} s, "
        f"{images / seconds:.1f} views/s from mesh files to shards of {each:.0f} bytes a view; a million "
        f"views: {1e6 * seconds / images / 3600:.1f} h, {each / 1e3:.1f} GB",
        flush=True,
    )
    return images / seconds


def verifying(out: Path, deep: bool) -> None:
    """Measure the time that verification takes."""
    start = time.perf_counter()
    report = verify_dataset(out, deep=deep)
    seconds = time.perf_counter() - start
    images = report.num_images
    print(
        f"verify{' --deep' if deep else ''}: {seconds:.2f} s for {images} views, "
        f"{len(report.problems)} problems; "
        f"a million views: {1e6 * seconds / images:.0f} s",
        flush=True,
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--meshes", type=Path)
    parser.add_argument("--objects", type=int, default=48)
    parser.add_argument("--views", type=int, default=50)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--quality", default="standard")
    parser.add_argument("--workers", type=int, default=count_usable_cores())
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--ray", action="store_true", help="also on a Ray cluster of this machine")
    parser.add_argument("--rounds", type=int, default=1, help="of rendering alone and the run, in turns")
    args = parser.parse_args()
    source = open_source("shapenet" if args.meshes else "zoo", args.meshes, args.objects)
    recipe = load_recipe("3diebench").replace(
        source=source.name, views=args.views, image_size_px=args.size, quality=args.quality
    )
    how = (args.backend, args.device)
    print(told(*stages(recipe, source, min(args.objects, 12), *how)), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(args.rounds):
            out = Path(folder) / f"set-{number}"
            alone = rendering(recipe, source, args.objects, args.workers, how)
            print(f"{args.workers} processes, rendering alone: {alone:.1f} views/s", flush=True)
            whole = run(recipe, source, args, ProcessEngine(args.workers), out)
            print(f"the run to rendering alone: {whole / alone:.2f}", flush=True)
        verifying(out, deep=False)
        verifying(out, deep=True)
        if args.ray:
            rate = run(recipe, source, args, on_ray(args.workers), Path(folder) / "ray")
            print(f"Ray to processes: {rate / whole:.2f}")


if __name__ == "__main__":
    main()
