"""Rate at which worlds of particles are simulated on one core, by how many are simulated together.

    python benchmarks/dynamics.py                               # charged, 5 bodies
    python benchmarks/dynamics.py --law gravity --bodies 10

Times are of the processor, so other work of the machine counts little. ``roots`` is the share of square roots
and quotients alone, on arrays of the same shape: what no arrangement of the other operations can take away.
The projection is for 100,000 worlds of 4,000 steps on 2 cores, each with worlds of its own.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np

from turntable.datasets.draws import WorldKeys
from turntable.datasets.labels import FORCE_LAWS, DynamicsRule, make_dynamics_rule
from turntable.renderer.dynamics import iter_tracks

KEYS = WorldKeys.from_names("benchmark")
WORLDS, STEPS, CORES = 100_000, 4_000, 2


def measure(work: Callable[[], object], rounds: int) -> float:
    """Measure the fewest seconds of the processor that some work takes."""
    times: list[float] = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def simulate_all(rule: DynamicsRule, at_once: int, frames: int) -> None:
    """Simulate worlds, and keep nothing."""
    for _ in iter_tracks(rule, KEYS, np.arange(at_once), frames, at_once):
        pass


def take_roots(rule: DynamicsRule, at_once: int, steps: int) -> None:
    """Take the square roots and the quotients of as many pairs in as many steps."""
    pairs = np.ones((rule.bodies * (rule.bodies - 1) // 2, at_once))
    root = np.empty_like(pairs)
    for _ in range(steps):
        np.sqrt(pairs, out=root)
        np.divide(pairs, root, out=root)


def compare(rule: DynamicsRule, sizes: list[int], frames: int, rounds: int) -> list[dict[str, float]]:
    """Measure each number of worlds; return a row for each."""
    steps, rows = (frames - 1) * rule.stride, []
    for at_once in sizes:
        start = measure(lambda size=at_once: simulate_all(rule, size, 1), rounds)
        taken = measure(lambda size=at_once: simulate_all(rule, size, frames), rounds) - start
        roots = measure(lambda size=at_once: take_roots(rule, size, steps), rounds)
        a_step = taken / steps / at_once
        rows.append(
            {
                "at_once": at_once,
                "us_per_step": 1e6 * taken / steps,
                "ns_per_world": 1e9 * a_step,
                "roots": roots / taken,
                "minutes": (a_step * STEPS + start / at_once) * WORLDS / CORES / 60,
            }
        )
    return rows


def main(words: list[str] | None = None) -> list[dict[str, float]]:
    """Measure and print a line for each number of worlds."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--law", choices=FORCE_LAWS, default="charged")
    parser.add_argument("--bodies", type=int)
    parser.add_argument("--at-once", type=int, nargs="+", default=[1, 16, 128, 1024, 8192])
    parser.add_argument("--frames", type=int, default=4, help="frames, 100 steps from one to the next")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args(words)
    rule = make_dynamics_rule(given.law, bodies=given.bodies)
    print(
        f"{given.law}, {rule.bodies} bodies, one core; {WORLDS:,} worlds of {STEPS:,} steps on {CORES} cores"
    )
    print(f"{'worlds at once':>14} {'µs a step':>10} {'ns a world':>11} {'roots':>6} {'projected':>12}")
    rows = compare(rule, given.at_once, given.frames, given.rounds)
    for row in rows:
        print(
            f"{row['at_once']:14.0f} {row['us_per_step']:10.1f} {row['ns_per_world']:11.1f} "
            f"{row['roots']:6.2f} {row['minutes']:8.1f} min"
        )
    return rows


if __name__ == "__main__":
    main()
