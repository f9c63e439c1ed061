"""Every method on one recipe, three seeds each, beside an encoder that has learned nothing.

    scripts/bench methods --out runs/benchmark                   # all of it: about two hours on two cores
    scripts/bench methods --out runs/benchmark --methods sie vicreg --seeds 0
    scripts/bench methods --out runs/benchmark --write docs/benchmarks.md

Renders the shipped recipe ``zoo-benchmark`` from the zoo, trains each method with its demo settings for the
same number of images, evaluates it, and prints the table with what is asked of it: every method names objects
better than the untrained encoder, and every equivariant method tells how an object turned better than VICReg.
What an earlier call has done is not done again.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from turntable.evaluation.compare import Entry

CATEGORIES = ("airplane", "car", "chair", "dog", "guitar", "shoe", "teapot", "truck")
OBJECTS = 960
SEEDS = (0, 1, 2)
UNTRAINED = "untrained"
BASELINE = "vicreg"
EQUIVARIANT = (
    *("conditional-byol", "seq-jepa", "augself", "sen", "equimod-simclr", "equimod-vicreg"),
    *("only-equivariance-simclr", "only-equivariance-vicreg", "sie", "sie-novar", "sie-mlp"),
    *("sie-rotation-colour", "equicaps-3x3", "equicaps-4x4", "capsie"),
)
"""Those whose loss reads how an object turned, without being supervised by it alone."""
PROBED = ("representation", "invariant", "equivariant")
ASKED = ("top1", "r2_averaged")
INTRODUCTION = Path(__file__).with_name("methods_page.md")
"""What the page says before its table."""


@dataclass(frozen=True, slots=True)
class Job:
    """One method with one seed."""

    method: str
    seed: int
    root: Path

    @property
    def run(self) -> Path:
        """Its folder."""
        return self.root / f"{self.method}-{self.seed}"

    @property
    def dataset(self) -> Path:
        """The data set, which all jobs share."""
        return self.root / "zoo"

    @property
    def is_done(self) -> bool:
        """Whether its scores are there."""
        return (self.run / "results.json").exists()


def render(place: Path, objects: int) -> None:
    """The data set, if it is not there yet."""
    from turntable.console import default_workers
    from turntable.datasets.recipe import load_recipe
    from turntable.renderer import generate
    from turntable.renderer.meshes.zoo_source import ZooSource

    if not (place / "manifest.json").exists():
        recipe = load_recipe("zoo-benchmark")
        generate(recipe, ZooSource(objects, CATEGORIES), place, workers=default_workers())


def learn(job: Job, epochs: int | None) -> None:
    """Train and evaluate, in this process, on one thread: as many jobs run at once as there are cores."""
    import torch

    from turntable.evaluation import ProtocolConfig, evaluate, evaluate_untrained
    from turntable.training import demo_config, train

    torch.set_num_threads(1)
    length = {} if epochs is None else {"epochs": epochs}
    protocol = ProtocolConfig.demo()
    if job.method == UNTRAINED:
        evaluate_untrained(demo_config("vicreg", job.dataset, seed=job.seed), job.run, protocol)
        return
    train(demo_config(job.method, job.dataset, seed=job.seed, **length), job.run)
    evaluate(job.run, job.dataset, config=protocol)


def in_a_process(job: Job, arguments: argparse.Namespace) -> str | None:
    """Run one job in a process of its own; say what went wrong, if anything did."""
    if job.is_done:
        return None
    command = [sys.executable, __file__, "--out", str(job.root), "--job", job.method, str(job.seed)]
    if arguments.epochs is not None:
        command += ["--epochs", str(arguments.epochs)]
    began = time.monotonic()
    done = subprocess.run(
        command, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, check=False
    )
    print(f"{job.run.name}: {time.monotonic() - began:.0f} s", file=sys.stderr)
    return None if done.returncode == 0 else f"{job.run.name}: {done.stderr.strip().splitlines()[-1]}"


def main(words: Sequence[str] | None = None) -> None:
    """Parse the command line and do it all."""
    from turntable.models import METHODS

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of the data set and the runs")
    parser.add_argument("--methods", nargs="+", default=[UNTRAINED, *METHODS], choices=[UNTRAINED, *METHODS])
    parser.add_argument("--seeds", nargs="+", type=int, default=[*SEEDS])
    parser.add_argument("--objects", type=int, default=OBJECTS)
    parser.add_argument("--epochs", type=int, help="instead of the demo settings'")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="at once, of one core each")
    parser.add_argument("--write", type=Path, help="a page to put the table into")
    parser.add_argument("--job", nargs=2, metavar=("METHOD", "SEED"), help=argparse.SUPPRESS)
    arguments = parser.parse_args(words)
    if arguments.job:
        learn(Job(arguments.job[0], int(arguments.job[1]), arguments.out), arguments.epochs)
        return
    jobs = [Job(method, seed, arguments.out) for seed in arguments.seeds for method in arguments.methods]
    render(arguments.out / "zoo", arguments.objects)
    with ThreadPoolExecutor(arguments.jobs) as pool:
        faults = [fault for fault in pool.map(lambda job: in_a_process(job, arguments), jobs) if fault]
    text = page([job.run for job in sorted(jobs, key=lambda job: arguments.methods.index(job.method))])
    print(text)
    if arguments.write is not None:
        arguments.write.write_text(text, encoding="utf-8")
    if faults:
        sys.exit("\n".join(faults))


def page(runs: Sequence[Path]) -> str:
    """The table of the runs that are done, and what is asked of it."""
    from turntable.evaluation import compare_runs, comparison_markdown

    comparison = compare_runs([run for run in runs if (run / "results.json").exists()])
    best = best_parts(comparison.entries)
    means = {
        method: {metric: entry.summaries[metric].mean for metric, entry in by_metric.items()}
        for method, by_metric in best.items()
    }
    return "\n\n".join(
        [
            INTRODUCTION.read_text("utf-8").rstrip(),
            comparison_markdown(comparison),
            "## What is asked of it",
            "Of each method, the best of its parts; in brackets, the widest 95 % bootstrap interval over"
            " objects of any seed.",
            with_intervals(best),
            asked(means),
        ]
    )


def best_parts(entries: Sequence["Entry"]) -> dict[str, dict[str, "Entry"]]:
    """The entry of each method's best probed part, by method and metric."""
    found: dict[str, dict[str, Entry]] = {}
    for entry in entries:
        for metric in ASKED:
            if entry.part in PROBED and metric in entry.summaries:
                by_metric = found.setdefault(entry.method, {})
                held = by_metric.setdefault(metric, entry)
                if entry.summaries[metric].mean > held.summaries[metric].mean:
                    by_metric[metric] = entry
    return found


def with_intervals(best: Mapping[str, Mapping[str, "Entry"]]) -> str:
    """A table of what is asked about: the mean over seeds ± its deviation, the interval, and the part."""
    from turntable.evaluation.groups import COLUMNS, short_heading

    lines = [["method", *(short_heading(metric) for metric in ASKED)], ["---"] * (1 + len(ASKED))]
    for method, by_metric in best.items():
        cells = [method]
        for metric in ASKED:
            entry, told = by_metric[metric], COLUMNS[metric].told
            summary = entry.summaries[metric]
            spread = "" if summary.spread is None else f" ± {told(summary.spread)}"
            interval = f"[{told(summary.low)}, {told(summary.high)}]"
            cells.append(f"{told(summary.mean)}{spread} {interval} {entry.part}")
        lines.append(cells)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def asked(best: Mapping[str, Mapping[str, float]]) -> str:
    """A line for each question, with those that fail."""
    top1 = {method: scores["top1"] for method, scores in best.items()}
    turns = {method: scores["r2_averaged"] for method, scores in best.items()}
    lines = []
    if UNTRAINED in top1:
        failed = [m for m in top1 if m != UNTRAINED and top1[m] <= top1[UNTRAINED]]
        lines.append(_line("Every method names objects better than an untrained encoder", failed))
    if BASELINE in turns:
        told = [m for m in turns if m in EQUIVARIANT]
        failed = [m for m in told if turns[m] <= turns[BASELINE]]
        lines.append(_line(f"Every equivariant method tells the turn better than {BASELINE}", failed))
    return "\n".join(lines) + "\n"


def _line(question: str, failed: Sequence[str]) -> str:
    return f"- {question}: {'yes' if not failed else 'no, not ' + ', '.join(failed)}."


if __name__ == "__main__":
    main()
