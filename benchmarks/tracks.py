"""Rates of worlds made and of tracks loaded, and what bounds them.

    python benchmarks/tracks.py                    # recipe nbody: worlds of 50 frames of 5 charged particles
    python benchmarks/tracks.py --worlds 8192 --frames 20

Times are of the processor, of all processes together, so other work of the machine counts little. ``made`` is
the whole way from a recipe to a finished set, with one worker; ``simulated`` integrates the same worlds and
keeps nothing. ``loaded`` are samples of a loader in this process; ``read`` are the same members of the same
shards, read and checked (CRC-32) in a random order and not parsed: the limit of disk and format.
"""

import argparse
import os
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from turntable.datasets import Recipe, load_recipe, open_dataset
from turntable.datasets.draws import WorldKeys
from turntable.datasets.shards import ShardReader
from turntable.loaders import BatchConfig, Loader, Sequences
from turntable.renderer import generate, open_recipe_source
from turntable.renderer.dynamics import iter_tracks

BATCH = 128
MOTION = ("tracks", "velocities")


def measure(work: Callable[[], object]) -> float:
    """Measure the seconds of the processor that some work takes, with that of children which have ended."""
    start = time.process_time() + sum(os.times()[2:4])
    work()
    return time.process_time() + sum(os.times()[2:4]) - start


def simulate_all(recipe: Recipe, worlds: int) -> None:
    """Simulate as many worlds, and keep nothing."""
    assert recipe.dynamics is not None
    assert recipe.sequence is not None
    keys = WorldKeys.from_names("benchmark")
    for _ in iter_tracks(recipe.dynamics, keys, np.arange(worlds), recipe.sequence.length):
        pass


def read_all(folder: Path, names: tuple[str, ...], times: int) -> None:
    """Read the arrays of every object of train and check their bytes, in a random order."""
    shards = sorted((folder / "train").glob("*.tar"))
    readers = [ShardReader(path) for path in shards]
    files = [os.open(path, os.O_RDONLY) for path in shards]
    places = [
        (file, *location)
        for reader, file in zip(readers, files, strict=True)
        for row in range(reader.index.num_objects)
        for name in names
        if (location := reader.index.locate_array(name, row)) is not None
    ]
    for _ in range(times):
        for number in np.random.default_rng(0).permutation(len(places)).tolist():
            file, offset, size, crc = places[number]
            assert zlib.crc32(os.pread(file, size, offset)) == crc
    for reader, file in zip(readers, files, strict=True):
        reader.close()
        os.close(file)


def load_all(folder: Path, fields: tuple[str, ...], frames: int, times: int) -> None:
    """Load an epoch of samples."""
    config = BatchConfig(
        sampler=Sequences(frames, visits=times),
        batch_size=BATCH,
        fields=fields,
        output="numpy",
        last_batch="short",
    )
    for _ in Loader(folder, config):
        pass


def compare(folder: Path, samples: int, frames: int, times: int) -> list[dict[str, float | str]]:
    """Measure loading and reading of tracks alone, and with velocities; return a row for each."""
    rows: list[dict[str, float | str]] = []
    for names in (MOTION[:1], MOTION):
        loaded = measure(lambda names=names: load_all(folder, names, frames, times))
        read = measure(lambda names=names: read_all(folder, names, times))
        rows.append(
            {
                "fields": ", ".join(names),
                "loaded": samples / loaded,
                "read": samples / read,
                "ratio": read / loaded,
            }
        )
    return rows


def main(words: list[str] | None = None) -> dict[str, object]:
    """Measure, and print a line for each figure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--worlds", type=int, default=4096)
    parser.add_argument("--frames", type=int, default=40, help="frames of a sample")
    parser.add_argument("--times", type=int, default=4, help="visits of every world by the loader")
    given = parser.parse_args(words)
    recipe = load_recipe("nbody")
    with TemporaryDirectory() as work:
        folder, source = Path(work) / "set", open_recipe_source(recipe, None, given.worlds)
        made = measure(lambda: generate(recipe, source, folder, num_workers=1))
        manifest = open_dataset(folder).manifest
        stored = sum(path.stat().st_size for path in folder.rglob("*.tar")) / given.worlds
        simulated = measure(lambda: simulate_all(recipe, given.worlds))
        samples = given.times * sum(item.objects for item in manifest.select_shards("train"))
        rows = compare(folder, samples, given.frames, given.times)
    print(
        f"{given.worlds:,} worlds of 5 bodies and 50 frames, {stored / 1e3:.1f} kB each: "
        f"made {given.worlds / made:,.0f} a second of one core, of which the simulation takes "
        f"{simulated / made:.0%}"
    )
    print(f"{'fields':>20} {'loaded a second':>16} {'read':>10} {'ratio':>6}")
    for row in rows:
        print(f"{row['fields']:>20} {row['loaded']:16,.0f} {row['read']:10,.0f} {row['ratio']:6.2f}")
    return {"made": given.worlds / made, "share": simulated / made, "stored": stored, "rows": rows}


if __name__ == "__main__":
    main()
