"""Memory of a whole run, which must not grow: thousands of different objects in one worker and its loader.

    python benchmarks/generate_memory.py                       # 5,000 zoo objects at 32 px

Samples the resident memory of each kind of process while the run goes on, and prints it by objects done.
Ends with the slope after warming up; growth by more than a page (4 KiB) an object, of all together, is an
error.
"""

import argparse
import os
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from render_memory import PAGE_KIB, slope_kib

from turntable.datasets import load_recipe
from turntable.processes import read_resident_bytes
from turntable.renderer import generate
from turntable.renderer.meshes.sources import ZooSource
from turntable.renderer.runs import Progress
from turntable.renderer.runs.events import make_rate_limiter


def descendants(pid: int) -> list[tuple[int, int]]:
    """Yield all descendants of a process, with their depth."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    below = [(int(child), 1) for child in children]
    for child, _ in list(below):
        try:
            below += [(grandchild, depth + 1) for grandchild, depth in descendants(child)]
        except FileNotFoundError:
            continue
    return below


def main() -> None:
    """Run, sample, judge."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--objects", type=int, default=5000)
    parser.add_argument("--views", type=int, default=2)
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--workers", type=int, default=1)
    args = parser.parse_args()
    recipe = load_recipe("zoo").replace(
        views=args.views, image_size_px=args.size, quality="fast", objects_per_shard=64
    )
    samples: list[tuple[int, dict[str, float]]] = []
    is_due = make_rate_limiter(2.0)

    def sample(progress: Progress) -> None:
        if not is_due():
            return
        held: defaultdict[str, float] = defaultdict(float)
        held["run"] = read_resident_bytes(os.getpid()) / 2**20
        for pid, depth in descendants(os.getpid()):
            held["workers" if depth == 1 else "loaders"] += read_resident_bytes(pid) / 2**20
        samples.append((progress.objects, dict(held)))
        if len(samples) % 15 == 1:
            told = "  ".join(f"{name} {size:.0f}" for name, size in held.items())
            print(f"{progress.objects:6d} objects  MiB: {told}", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "set"
        generate(recipe, ZooSource(args.objects), out, num_workers=args.workers, progress=sample)
    total = [sum(held.values()) for _, held in samples]
    slope = slope_kib([count for count, _ in samples], total)
    verdict = "flat" if slope < PAGE_KIB else "GROWS"
    print(f"{verdict}: {slope:+.2f} KiB an object after warming up, {max(total):.0f} MiB at most")
    if verdict != "flat":
        sys.exit(1)


if __name__ == "__main__":
    main()
