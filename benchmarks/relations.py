"""Rates at which related views are found and drawn on one core, without reading any picture.

    python benchmarks/relations.py                         # 2,000 objects of 20 views in 20 categories
    python benchmarks/relations.py --objects 20000

``bank`` objects share a pose bank of 64 rotations; ``free`` ones have rotations by the Haar measure. Quads
are prepared once when a loader is made, and drawn once per epoch. Times are of the processor, so other work
of the machine counts little.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from turntable.datasets import load_recipe
from turntable.datasets.relations import LabeledViews, RelationRule
from turntable.geometry import matrix_to_euler, quaternion_to_matrix, units_to_quaternion
from turntable.loaders import Pairs, Quads, compute_covariances, select_all_views
from turntable.loaders.sampling.partner_table import PartnerTable

BANK, CATEGORIES = 64, 20


def make_views(objects: int, views: int, *, bank: bool) -> LabeledViews:
    """Make the labels of views of objects, with rotations of a bank or by the Haar measure."""
    rng, count = np.random.default_rng(0), objects * views
    schema = load_recipe("shared-poses").schema
    rotations = matrix_to_euler(
        quaternion_to_matrix(units_to_quaternion(rng.random((BANK if bank else count, 3))))
    )
    labels = rng.random((count, len(schema))).astype(np.float32)
    labels[:, :3] = rotations[rng.integers(BANK, size=count)] if bank else rotations
    rows = np.repeat(np.arange(objects), views)
    return LabeledViews(rows, np.tile(np.arange(views), objects), rows % CATEGORIES, labels, schema)


def measure(work: Callable[[], object], rounds: int) -> float:
    """Measure the fewest seconds of the processor that some work takes."""
    times: list[float] = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def print_quads(objects: int, views: int, rounds: int) -> None:
    """Print how long quads take to prepare and to draw, beside pairs of the same objects."""
    selection = select_all_views([objects], views)
    pairs = measure(lambda: Pairs().draw_samples(selection, None, 0, 0), rounds)
    print(f"pairs: {objects / pairs:,.0f} a second")
    for name in ("bank", "free"):
        table = make_views(objects, views, bank=name == "bank")
        prepare = measure(lambda table=table: PartnerTable(table, RelationRule()), 1)
        partners = PartnerTable(table, RelationRule())
        usable = partners.first_counts > 0
        prepared = replace(selection.take(usable), partners=partners)
        seconds = measure(lambda prepared=prepared: Quads().draw_samples(prepared, None, 0, 0), rounds)
        print(
            f"quads, {name}: prepared in {prepare:.2f} s ({usable.mean():.0%} of objects), "
            f"{len(prepared) / seconds:,.0f} a second"
        )


def print_covariances(rounds: int) -> None:
    """Print the rates of covariances of batches of 32, of 64 pixels and of 1,024 points."""
    rng = np.random.default_rng(0)
    region = {
        "view": rng.integers(0, 256, (32, 64, 64, 3), dtype=np.uint8),
        "mask": np.ones((32, 1, 64, 64), np.uint8),
        "depth": rng.random((32, 1, 64, 64)).astype(np.float32),
        "normals": rng.random((32, 3, 64, 64)).astype(np.float32),
    }
    cloud = {"points": rng.normal(size=(32, 1024, 6)).astype(np.float32)}
    for kind, batch in (("region", region), ("shape", cloud)):
        seconds = measure(lambda kind=kind, batch=batch: compute_covariances(batch, kind), rounds)
        print(f"covariances, {kind}: {32 / seconds:,.0f} a second")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--objects", type=int, default=2_000)
    parser.add_argument("--views", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    print_quads(arguments.objects, arguments.views, arguments.rounds)
    print_covariances(arguments.rounds)


if __name__ == "__main__":
    main()
