"""The table of all fixtures, and the command that makes them again (``tests/fixtures/make.py``)."""

import argparse
import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch

from tests.support import fixture_checkpoints, fixture_results, fixture_runs, fixture_sets

HERE = Path(__file__).resolve().parents[1] / "fixtures"

Maker = Callable[[Path, Path, Path], None]
"""Takes the folder of the inputs, an empty one to work in, and the one that it makes."""


def _batches(name: str, inputs: Path, work: Path, out: Path) -> None:
    out.mkdir(parents=True)
    arrays = fixture_sets.batches(name, fixture_sets.whole_folder(name, inputs, work))
    np.savez_compressed(out / "batches.npz", **arrays)


def _run(name: str, inputs: Path, work: Path, out: Path) -> None:
    del work
    fixture_runs.make_run(name, inputs, out)


def _results(name: str, inputs: Path, work: Path, out: Path) -> None:
    del work
    fixture_results.make_results(name, inputs, out)


FIXTURES: dict[str, Maker] = {
    **{f"sets/{name}": partial(fixture_sets.make_set, name) for name in fixture_sets.SETS},
    **{f"batches/{name}": partial(_batches, name) for name in fixture_sets.SETS},
    **{f"runs/{name}": partial(_run, name) for name in fixture_runs.COMMANDS},
    **{
        f"checkpoints/{kind}": partial(fixture_checkpoints.make_features, kind)
        for kind in fixture_checkpoints.KINDS
    },
    **{f"results/{name}": partial(_results, name) for name in fixture_runs.COMMANDS},
}
"""Each fixture's folder, and what makes it; later ones are made of earlier ones."""


def make(name: str, inputs: Path = HERE, out: Path = HERE) -> None:
    """Make one fixture, in place of the one there is."""
    folder = out / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        FIXTURES[name](inputs, Path(work), folder)


def main() -> None:
    """Make those that the command line names."""
    parser = argparse.ArgumentParser(description="Make fixtures again; without a NAME, all of them in order.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(FIXTURES))
    parser.add_argument("--out", type=Path, default=HERE, help="where to write; by default the fixtures")
    parser.add_argument("--inputs", type=Path, default=HERE, help="fixtures that these are made of")
    given = parser.parse_args()
    chosen = [
        name
        for name in FIXTURES
        if not given.names or any(f"{name}/".startswith(f"{n}/") for n in given.names)
    ]
    if not chosen:
        parser.error(f"no fixture is called {', '.join(given.names)}; there are {', '.join(FIXTURES)}")
    torch.set_num_threads(1)
    for name in chosen:
        make(name, given.inputs.resolve(), given.out.resolve())
        print(name)  # noqa: T201
