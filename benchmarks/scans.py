"""Scans a second of one core, with a tree for each object that is built once, to a tree built for each frame.

    python benchmarks/scans.py
    python benchmarks/scans.py --beams 16 --columns 360 --objects 12

Streets of the zoo's objects without walls and poles, 32 beams in 900 columns by default. A whole scan has
noise, losses, and the flow to the next frame. Both meet the same surfaces. Rates are of processor time.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from turntable.datasets import Recipe, load_recipe
from turntable.renderer import open_recipe_source
from turntable.renderer.backends.embree import TracedMesh
from turntable.renderer.meshes import Mesh, move_parts
from turntable.renderer.meshes.sources import load_mesh
from turntable.renderer.scanning import ScannedViews
from turntable.renderer.scanning.rays import make_directions
from turntable.renderer.views import PosedViews, pose_views

STREET_ID = "street/000000"
NUM_VIEWS = 8


@dataclass(frozen=True, slots=True)
class ScanRates:
    """Scans a second, and what they meet."""

    whole: float
    """Whole scans, with trees that are built once."""
    rebuilt: float
    """Rays alone, with one tree that is built for each frame."""
    trees_s: float
    """Seconds to build the trees of a street."""
    num_returns: float
    """Returns of a scan, on average."""
    num_triangles: int

    @property
    def ratio(self) -> float:
        """Rate of whole scans to that with a tree for each frame."""
        return self.whole / self.rebuilt


def make_recipe(beams: int, columns: int, num_objects: int) -> Recipe:
    """Return a recipe of streets with so many objects and nothing else."""
    count, none = {"low": num_objects, "high": num_objects}, {"low": 0, "high": 0}
    return load_recipe("street").replace(
        views=NUM_VIEWS,
        street={"objects": count, "walls": none, "poles": none},
        scan={"beams": beams, "azimuth_step_deg": 360 / columns},
    )


def measure_rates(beams: int, columns: int, num_objects: int, rounds: int) -> ScanRates:
    """Measure both ways in turn, after a warm-up."""
    recipe = make_recipe(beams, columns, num_objects)
    mesh = load_mesh(open_recipe_source(recipe, None, 1), STREET_ID)
    posed = pose_views(recipe, STREET_ID, mesh, range(NUM_VIEWS))
    assert posed.parts is not None
    scanned = ScannedViews(recipe, STREET_ID, mesh, posed.parts.part_pose)
    trees_s = min(_time(scanned.build_scanner) for _ in range(3))
    scanner = scanned.build_scanner()
    scans = [scanner.scan_view(view) for view in range(NUM_VIEWS)]
    times = [
        (
            _time(lambda: [scanner.scan_view(view) for view in range(NUM_VIEWS)]),
            _time(lambda: _rebuild(mesh, posed, scanned)),
        )
        for _ in range(rounds + 1)
    ][1:]
    whole, rebuilt = (NUM_VIEWS / statistics.median(column) for column in zip(*times, strict=True))
    returns = statistics.mean(len(scan) for scan in scans)
    return ScanRates(whole, rebuilt, trees_s, returns, len(mesh.triangles))


def _rebuild(mesh: Mesh, posed: PosedViews, scanned: ScannedViews) -> None:
    """Build one tree of each view's scene, and send all rays."""
    scenes = posed.scenes
    assert scenes.part_motions is not None
    assert scanned.recipe.scan is not None
    for motions, frame in zip(scenes.part_motions, scanned.frames, strict=True):
        moved = TracedMesh(move_parts(mesh, motions))
        directions = (make_directions(scanned.recipe.scan) @ frame.ego_pose[:3, :3].T).astype(np.float32)
        origin = frame.ego_pose[:3, 3] / scanned.recipe.meters_per_unit - (0, 0, 1)
        origins = np.broadcast_to(origin.astype(np.float32), directions.shape)
        next(moved.iter_layers(origins, directions, np.full(len(directions), 9, np.float32)), None)


def _time(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    """Measure and print a row."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--beams", type=int, default=32)
    parser.add_argument("--columns", type=int, default=900)
    parser.add_argument("--objects", type=int, nargs="+", default=[1, 8, 24])
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    print(f"{args.beams} x {args.columns} rays, one core")
    print(
        f"{'objects':>8} {'triangles':>10} {'returns':>8} {'scans/s':>8} {'rebuilt/s':>10} {'ratio':>6} trees"
    )
    for count in args.objects:
        found = measure_rates(args.beams, args.columns, count, args.rounds)
        print(
            f"{count:8d} {found.num_triangles:10d} {found.num_returns:8.0f} {found.whole:8.1f} "
            f"{found.rebuilt:10.1f} {found.ratio:6.1f} {1e3 * found.trees_s:4.0f} ms",
            flush=True,
        )


if __name__ == "__main__":
    main()
