"""Compares what two checkouts make on this machine: ``scripts/same-bytes OTHER [--folder MESHES]``.

Each runs in processes of its own, by the command line alone, so that their modules may lie elsewhere. Small
data sets of all shipped recipes, of the zoo and of a folder of meshes, are compared shard by shard; trainings
and evaluations of ``tests/fixtures`` number by number. Each has a line that says what differs.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as parquet

HERE = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(HERE / "scripts"), str(HERE)]

from same_bytes_jobs import (  # noqa: E402
    SHARED,
    Job,
    Size,
    folder_jobs,
    shipped_recipes,
    write_lists,
    zoo_jobs,
)

from tests.support.fixture_compare import array_differences, differences, gained  # noqa: E402

SECONDS = 900
MOST_TOLD = 6
BESIDE = ("README.md", "croissant.json", "plan.json", "quarantine.jsonl", "warnings.jsonl")
"""Files beside the shards: a note where they differ, since later code may say more in them."""
FIXTURES = ("runs", "checkpoints", "results")

Found = tuple[list[str], list[str]]
"""Differences, and what is worth a note."""


class FailedError(Exception):
    """A checkout could not make something; the last lines that it printed."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """A working copy of the code, and a folder for what it makes."""

    root: Path
    work: Path

    def run(self, *arguments: object) -> None:
        """Run Python with this checkout's package, in its folder. Raises FailedError."""
        environment = {
            **os.environ,
            "PYTHONPATH": str(self.root),
            "PYTHONPYCACHEPREFIX": str(self.work / "bytecode"),  # nothing is written into the checkout
            "OMP_NUM_THREADS": "1",  # sums in one order
        }
        ended = subprocess.run(
            [sys.executable, *map(str, arguments)],
            cwd=self.work,
            env=environment,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS,
            check=False,
        )
        if ended.returncode:
            lines = [line.strip() for line in (ended.stdout + ended.stderr).splitlines() if line.strip()]
            raise FailedError(" / ".join(lines[-2:]) or f"status {ended.returncode}")

    def check(self) -> None:
        """Make sure that this checkout's package is the one that runs. Raises FailedError."""
        package = f"pathlib.Path(turntable.__file__).is_relative_to({str(self.root)!r})"
        self.run("-c", f"import pathlib, turntable; assert {package}, turntable.__file__")

    def make(self, job: Job) -> Path:
        """Make a data set, and return its folder. Raises FailedError."""
        for command in job.commands:
            self.run("-m", "turntable", *command)
        return self.work / job.name

    def make_fixtures(self, name: str) -> Path:
        """Make fixtures of this script's checkout's, by the other's own code where it has some."""
        own = self.root / "tests" / "fixtures" / "make.py"
        make = own if own.is_file() else HERE / "tests" / "fixtures" / "make.py"
        self.run(make, name, "--inputs", HERE / "tests" / "fixtures", "--out", self.work / "fixtures")
        return self.work / "fixtures" / name


def main() -> int:
    """Compare, and return the exit status."""
    given = arguments()
    with tempfile.TemporaryDirectory(prefix="same-bytes-") as work:
        one, two = (
            Checkout(root, Path(work) / name) for root, name in ((HERE, "this"), (given.other, "other"))
        )
        for side in (one, two):
            side.work.mkdir()
            side.check()
        same = [tell(job.name, compared_set(job, one, two)) for job in jobs(one, two, given)]
        if not given.only:
            same += [tell(name, compared_fixtures(name, one, two)) for name in FIXTURES]
    print(f"{same.count(True)} of {len(same)} are the same")
    return 0 if same and all(same) else 1


def arguments() -> argparse.Namespace:
    """Return what the command line says, with absolute paths."""
    parser = argparse.ArgumentParser(
        prog="scripts/same-bytes", description="Compare what two checkouts make on this machine."
    )
    parser.add_argument("other", type=Path, help="another checkout of turntable")
    parser.add_argument("--folder", type=Path, help="sets of mesh files too, which lie anywhere below it")
    parser.add_argument("--objects", type=int, default=6, help="of each set, at most (6)")
    parser.add_argument("--only", nargs="+", help="names of sets, instead of all and the fixtures")
    parser.add_argument("--backend", default="moderngl", help="what draws, in software (moderngl)")
    parser.add_argument("--from", dest="start", type=Path, default=Path.cwd(), help=argparse.SUPPRESS)
    given = parser.parse_args()
    given.other = (given.start / given.other).resolve()
    given.folder = None if given.folder is None else (given.start / given.folder).resolve()
    if not (given.other / "turntable" / "__init__.py").is_file():
        parser.error(f"{given.other} is no checkout of turntable: it has no turntable/__init__.py")
    if given.folder is not None and not given.folder.is_dir():
        parser.error(f"{given.folder} is no folder")
    return given


def jobs(one: Checkout, two: Checkout, given: argparse.Namespace) -> Iterator[Job]:
    """Yield the data sets to make."""
    ours, theirs = (shipped_recipes(side.root / "turntable") for side in (one, two))
    for name in sorted(ours.keys() ^ theirs.keys()):
        print(f"note     the recipe {name} is in one of them alone")
    shared, size = {name: ours[name] for name in ours if name in theirs}, Size(given.objects, given.backend)
    found = zoo_jobs(shared, size)
    if given.folder is not None:
        found += folder_jobs(shared, size, given.folder)
    chosen = [job for job in found if not given.only or job.name in given.only]
    if any(SHARED in word for job in chosen for command in job.commands for word in command):
        ids = Job("ids", (size.render("zoo", {}, "--quality", "fast", out="ids"),))
        write_lists(one.work.parent / SHARED, sorted(set(table_of(one.make(ids))["object"])))
    yield from chosen


def tell(name: str, found: Found) -> bool:
    """Print a line about what was compared; return whether it is the same."""
    wrong, notes = map(_few, found)
    line = f"differs  {name}: {wrong}" if wrong else f"same     {name}"
    print(f"{line} ({notes})" if notes else line, flush=True)
    return not wrong


def compared_set(job: Job, one: Checkout, two: Checkout) -> Found:
    """Make a set by both, and compare."""
    made = _made_by_both(lambda side: side.make(job), one, two)
    return ([made], []) if isinstance(made, str) else compare_sets(*made)


def compared_fixtures(name: str, one: Checkout, two: Checkout) -> Found:
    """Make fixtures by both, and compare."""
    made = _made_by_both(lambda side: side.make_fixtures(name), one, two)
    return ([made], []) if isinstance(made, str) else compare_numbers(*made)


def compare_sets(one: Path, two: Path) -> Found:
    """Compare two data sets: all bytes of the shards, rows of the table and values of the manifest."""
    before, after = (json.loads((folder / "manifest.json").read_text()) for folder in (one, two))
    wrong = _file_differences(_shards(one), _shards(two))
    if before["fingerprint"] != after["fingerprint"]:
        wrong.append(f"fingerprint: {before['fingerprint'][:12]}, {after['fingerprint'][:12]}")
    rows = table_of(one), table_of(two)
    wrong += [f"labels.parquet: {text}" for text in differences(*rows, gains=True)]
    wrong += [f"manifest.json: {text}" for text in differences(before, after, gains=True)]
    notes = [f"manifest.json gained {path}" for path in gained(before, after)]
    notes += [f"labels.parquet gained {path}" for path in gained(*rows)]
    notes += _file_differences(_beside(one), _beside(two))
    if not wrong:
        notes.insert(0, f"{before['totals']['images']} views in {len(before['shards'])} shards")
    return wrong, notes


def compare_numbers(one: Path, two: Path) -> Found:
    """Compare the JSON files and arrays below two folders to the last digit."""
    ours, theirs = (
        {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.suffix in _READERS}
        for folder in (one, two)
    )
    wrong = [f"{name}: in one of them alone" for name in sorted(ours.keys() ^ theirs.keys())]
    for name in sorted(ours.keys() & theirs.keys()):
        read = _READERS[ours[name].suffix]
        before, after = read(ours[name]), read(theirs[name])
        compare = array_differences if ours[name].suffix == ".npz" else differences
        wrong += [f"{name} {text}" for text in compare(before, after, absolute=0.0)]
    return wrong, [f"{len(ours)} files"] if not wrong else []


def table_of(folder: Path) -> dict[str, list[Any]]:
    """Read the columns of a data set's labels.parquet."""
    return parquet.read_table(folder / "labels.parquet").to_pydict()


def _made_by_both(make: Any, one: Checkout, two: Checkout) -> tuple[Path, Path] | str:
    """Return what both made, or say which could not."""
    made, failed = [], []
    for name, side in (("this", one), ("the other", two)):
        try:
            made.append(make(side))
        except (FailedError, subprocess.TimeoutExpired) as error:
            failed.append(f"{name} cannot make it: {error}")
    return "; ".join(failed) if failed else (made[0], made[1])


def _shards(folder: Path) -> dict[str, str]:
    """Hash every archive and index."""
    paths = [path for suffix in ("tar", "idx") for path in folder.glob(f"*/*.{suffix}")]
    return {path.relative_to(folder).as_posix(): _sha256(path) for path in sorted(paths)}


def _beside(folder: Path) -> dict[str, str]:
    return {name: _sha256(folder / name) for name in BESIDE if (folder / name).is_file()}


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _file_differences(before: dict[str, str], after: dict[str, str]) -> list[str]:
    names = sorted(before.keys() | after.keys())
    return [f"{name}: other bytes" for name in names if before.get(name) != after.get(name)]


def _few(texts: Sequence[str]) -> str:
    more = [f"{len(texts) - MOST_TOLD} more"] if len(texts) > MOST_TOLD else []
    return "; ".join([*texts[:MOST_TOLD], *more])


def _arrays(path: Path) -> dict[str, Any]:
    with np.load(path) as arrays:
        return dict(arrays)


_READERS = {
    ".json": lambda path: json.loads(path.read_text()),
    ".jsonl": lambda path: list(map(json.loads, path.read_text().splitlines())),
    ".npz": _arrays,
}

if __name__ == "__main__":
    sys.exit(main())
