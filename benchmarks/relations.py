"""Rates at which related views are found and drawn on one core, without reading any picture.

    python benchmarks/relations.py                         # 2,000 objects of 20 views in 20 categories
    python benchmarks/relations.py --objects 20000

``bank`` objects share a pose bank of 64 rotations; ``free`` ones have rotations by the Haar measure. Quads
are prepared once when a loader is made, and drawn once per epoch. Times are of the processor, so other work
of the machine counts little.
"""

import argparse
import time
from collections.abc import Callable, Iterator
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


def measure_quads(objects: int, views: int, rounds: int) -> Iterator[tuple[str, float]]:
    """Measure how long quads take to prepare, and how many are drawn a second, beside pairs."""
    selection = select_all_views([objects], views)
    pairs = measure(lambda: Pairs().draw_samples(selection, None, 0, 0), rounds)
    yield "pairs a second", objects / pairs
    for name in ("bank", "free"):
        table = make_views(objects, views, bank=name == "bank")
        prepare = measure(lambda table=table: PartnerTable(table, RelationRule()), 1)
        partners = PartnerTable(table, RelationRule())
        usable = partners.first_counts > 0
        prepared = replace(selection.take(usable), partners=partners)
        seconds = measure(lambda prepared=prepared: Quads().draw_samples(prepared, None, 0, 0), rounds)
        yield f"{name}: seconds to prepare", prepare
        yield f"{name}: share of objects with quads", float(usable.mean())
        yield f"{name}: quads a second", len(prepared) / seconds


def measure_covariances(rounds: int) -> Iterator[tuple[str, float]]:
    """Measure the rates of covariances in batches of 32, of 64 pixels and of 1,024 points."""
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
        yield f"covariances of the kind {kind} a second", 32 / seconds


def main(words: list[str] | None = None) -> dict[str, float]:
    """Measure and print; return the figures by name."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--objects", type=int, default=2_000)
    parser.add_argument("--views", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args(words)
    figures: dict[str, float] = {}
    for name, figure in (
        *measure_quads(arguments.objects, arguments.views, arguments.rounds),
        *measure_covariances(arguments.rounds),
    ):
        figures[name] = figure
        print(f"{name}: {figure:,.2f}")
    return figures


if __name__ == "__main__":
    main()
