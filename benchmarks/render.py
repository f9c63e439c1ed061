"""How fast views are made, from a loaded mesh to encoded JPEGs with their labels, by quality, in one run.

    python benchmarks/render.py                         # zoo meshes
    python benchmarks/render.py --meshes DIR --rounds 3 # a folder in ShapeNet's layout

One process; in software that is one core (LP_NUM_THREADS=1), and a run uses one process a core.
"""

import argparse
import statistics
import time
from pathlib import Path

from turntable.datasets.recipe import load_recipe
from turntable.renderer import encode_views, open_backend, open_source, render_views


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--meshes", type=Path)
    parser.add_argument("--objects", type=int, default=12)
    parser.add_argument("--views", type=int, default=20)
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 256])
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    source = open_source("shapenet" if args.meshes else "zoo", args.meshes, args.objects)
    start = time.perf_counter()
    meshes = {item.id: source.load(item.id) for item in source.objects()[: args.objects]}
    load_ms = 1e3 * (time.perf_counter() - start) / len(meshes)
    triangles = statistics.mean(len(mesh.triangles) for mesh in meshes.values())
    with open_backend() as backend:
        print(backend.device.renderer)
        print(f"{len(meshes)} meshes of {triangles:.0f} triangles, {load_ms:.0f} ms to load one")
        print(f"{args.views} views of each; the best of {args.rounds} rounds\n")
        print(f"{'size':>5} {'quality':>9} {'ms/view':>8} {'views/s':>8} {'JPEG ms':>8} {'of fast':>8}")
        for size in args.sizes:
            fast = 0.0
            for name in ("fast", "standard", "high"):
                recipe = load_recipe("zoo").replace(image_size_px=size, quality=name, views=args.views)
                times = []
                for _ in range(args.rounds + 1):  # the first round compiles shaders and makes buffers
                    encode_s = 0.0
                    start = time.perf_counter()
                    for object_id, mesh in meshes.items():
                        views = render_views(backend, recipe, object_id, mesh, range(args.views))
                        before = time.perf_counter()
                        encode_views(recipe, views.rgb)
                        encode_s += time.perf_counter() - before
                    times.append((time.perf_counter() - start, encode_s))
                total, encode_s = min(times[1:])
                count = len(meshes) * args.views
                fast = fast or total
                row = (1e3 * total / count, count / total, 1e3 * encode_s / count, fast / total)
                print(f"{size:5d} {name:>9} {row[0]:8.2f} {row[1]:8.1f} {row[2]:8.3f} {row[3]:8.2f}")


if __name__ == "__main__":
    main()
