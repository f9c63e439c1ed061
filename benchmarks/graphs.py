"""Surface graphs: how near they are to their objects, how long they take, and how fast loaders give them.

    python benchmarks/graphs.py                       # 31 objects of the zoo
    python benchmarks/graphs.py --objects 124 --vertices 300

Distances are from 4,000 points on one surface to the nearest of 60,000 on the other, in diagonals; so dense
points lie about 0.003 apart, and a distance of 0.002 is none. Rates are in one process, side by side.
"""

import argparse
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from turntable.datasets import Recipe, load_recipe
from turntable.graphs import make_knn_graph, pack_graphs, to_dense
from turntable.loaders import BatchConfig, GraphOptions, Loader, Singles
from turntable.renderer import generate, open_recipe_source
from turntable.renderer.meshes import sample_surface
from turntable.renderer.meshes.sources import load_mesh
from turntable.renderer.surface_graphs import make_surface_graph, weld_surface

GRAPH_FIELDS = ("vertices", "edges", "vertex_mask")
LOADS: Mapping[str, Sequence[str]] = {
    "labels": ("rotation",),
    "points": ("points",),
    "graphs": GRAPH_FIELDS,
    "graphs, permuted": GRAPH_FIELDS,
    "knn_edges": ("knn_edges",),
}
"""Fields of the batches whose rates are compared."""
Places = NDArray[np.float64]


def measure_distances(source: Places, faces: NDArray[np.integer], other: KDTree) -> Places:
    """Measure the distances of 4,000 points on a surface from the nearest points of another."""
    return other.query(spread_points(source, faces, 4_000))[0]


def spread_points(vertices: Places, faces: NDArray[np.integer], count: int) -> Places:
    """Return points [count, 3] spread evenly over a surface."""
    corners = vertices[faces]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    sample = sample_surface(area, count, np.random.default_rng(0))
    return sample.interpolate(corners[sample.triangles])


def measure_object(recipe: Recipe, object_id: str) -> dict[str, float]:
    """Measure the graph of one object: seconds of the processor, and distances."""
    mesh = load_mesh(open_recipe_source(recipe, None), object_id)
    start = time.process_time()
    graph = make_surface_graph(recipe, object_id, mesh)
    seconds = time.process_time() - start
    whole, places = weld_surface(mesh), graph.vertices[:, :3].astype(np.float64)
    lost = measure_distances(whole.vertices, whole.faces, KDTree(spread_points(places, graph.faces, 60_000)))
    added = measure_distances(places, graph.faces, KDTree(spread_points(whole.vertices, whole.faces, 60_000)))
    return {
        "vertices": len(places),
        "seconds": seconds,
        "object_to_graph_median": float(np.median(lost)),
        "object_to_graph_95": float(np.percentile(lost, 95)),
        "graph_to_object_95": float(np.percentile(added, 95)),
        "greatest": float(max(lost.max(), added.max())),
    }


def measure_rates(folder: Path, batch_size: int, seconds: float) -> dict[str, float]:
    """Measure samples a second of the loader for each kind of field, one after the other again and again."""
    loaders = {}
    for name, fields in LOADS.items():
        options = GraphOptions(permute=name.endswith("permuted"))
        config = BatchConfig(
            sampler=Singles(), batch_size=batch_size, fields=fields, output="numpy", graphs=options
        )
        loaders[name] = Loader(folder, config)
    taken, counts = dict.fromkeys(loaders, 0.0), dict.fromkeys(loaders, 0)
    for _ in range(4):
        for name, loader in loaders.items():
            start, spent = time.process_time(), 0.0
            while spent < seconds / 4:
                counts[name] += sum(len(batch["category"]) for batch in loader)
                spent = time.process_time() - start
            taken[name] += spent
    for loader in loaders.values():
        loader.close()
    return {name: counts[name] / taken[name] for name in loaders}


def measure_packing(folder: Path, batch_size: int) -> dict[str, float]:
    """Measure graphs a second of the other forms of a batch, and neighborhoods of clouds a second."""
    config = BatchConfig(
        sampler=Singles(), batch_size=batch_size, fields=[*GRAPH_FIELDS, "points"], output="numpy"
    )
    with closing(Loader(folder, config)) as loader:
        batch = next(iter(loader))
    packed = pack_graphs(batch, ["vertices"])
    works = {
        "pack_graphs": lambda: pack_graphs(batch, ["vertices"]),
        "to_dense": lambda: to_dense(packed),
        "make_knn_graph": lambda: [make_knn_graph(cloud, 14) for cloud in batch["points"]],
    }
    rates = {}
    for name, work in works.items():
        times = []
        for _ in range(5):
            start = time.process_time()
            work()
            times.append(time.process_time() - start)
        rates[name] = batch_size / min(times)
    return rates


def main(words: list[str] | None = None) -> dict[str, dict[str, float]]:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--objects", type=int, default=31)
    parser.add_argument("--vertices", type=int, default=200)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=2)
    given = parser.parse_args(words)
    recipe = load_recipe("graphs").replace(
        graph={"vertices": given.vertices}, splits=["train"], val_fraction=0.0
    )
    source = open_recipe_source(recipe, None, given.objects)
    rows = [measure_object(recipe, item.id) for item in source.list_objects()]
    table = {name: [row[name] for row in rows] for name in rows[0]}
    print(f"{'':24} {'median':>8} {'greatest':>8}")
    for name, values in table.items():
        print(f"{name:24} {np.median(values):8.4f} {max(values):8.4f}")
    with tempfile.TemporaryDirectory() as folder:
        generate(recipe, source, Path(folder) / "set", num_objects=given.objects)
        rates = measure_rates(Path(folder) / "set", given.batch, given.seconds)
        rates |= measure_packing(Path(folder) / "set", given.batch)
    for name, rate in rates.items():
        print(f"{name:24} {rate:8.0f} a second of the processor, {rate / rates['points']:.2f} of points")
    medians = {name: float(np.median(values)) for name, values in table.items()}
    return {"surfaces": medians, "rates": rates}


if __name__ == "__main__":
    main()
