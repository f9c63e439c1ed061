"""SIE's training step, beside one that makes a matrix for every sample, as the reference code does.

    python benchmarks/train_step.py                            # predictor alone and whole steps, batch 256
    python benchmarks/train_step.py steps --batch 1024         # the other side needs 13 GiB
    python benchmarks/train_step.py steps --device cuda --amp bf16 --batch 1024 --size 128
    python benchmarks/train_step.py wait                       # how long training waits for its data

Both sides have the same weights, views and actions, in processes of their own, in turns; the memory of each
is what its steps add, at most, to what the process had before. Rates vary with what else the machine does:
compare the ratios.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import torch
from loader_data import make_dataset
from loader_rates import apart
from loaders import print_rows
from torch import Tensor, nn

from turntable.loaders import BatchConfig, Loader, Pairs
from turntable.models import Batch, DataInfo, build_backbone, losses
from turntable.models.image_methods import SIE, SIEConfig
from turntable.models.layers.hypernetwork import Hypernetwork

Rows = list[dict[str, Any]]
PREDICTOR = "predictor"
PRODUCT, MATRICES = "one product", "a matrix a sample"
SIDES = (PRODUCT, MATRICES)
STATM = Path("/proc/self/statm")


@dataclass(frozen=True, slots=True)
class Case:
    """One side of one comparison."""

    step: str
    """"predictor", or the backbone of a whole step."""
    batch: int
    side: str
    size: int
    width: int
    steps: int
    device: str
    amp: bool


@dataclass(frozen=True, slots=True)
class Figures:
    """The measurements of a process."""

    seconds: list[float]
    """Seconds of each step but the first."""
    peak_mib: float
    """Memory that the steps added."""
    losses: tuple[float, float]
    """Losses of the first step and the last."""


class MatrixASample(nn.Module):
    """The hypernetwork's prediction as the reference code computes it: B x E x E numbers."""

    def __init__(self, hypernetwork: Hypernetwork) -> None:
        super().__init__()
        self.hypernetwork = hypernetwork

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        """Return ``W(z) x`` [B, E]."""
        [(matrices, _)] = self.hypernetwork.generate_weights(z)
        return torch.bmm(matrices, x.unsqueeze(2)).squeeze(2)


def measure(case: Case) -> Figures:
    """Take some steps, in this process."""
    torch.manual_seed(0)
    step = _predictor_step(case) if case.step == PREDICTOR else _whole_step(case)
    on_gpu = case.device == "cuda"
    if on_gpu:
        torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated() if on_gpu else _resident()
    seconds, values = list[float](), list[float]()
    for _ in range(case.steps + 1):
        start = time.perf_counter()
        with torch.autocast(case.device, torch.bfloat16, enabled=case.amp):
            values.append(step().item())  # which waits for the device
        if on_gpu:
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    peak = torch.cuda.max_memory_allocated() if on_gpu else _most_resident()
    return Figures(seconds[1:], (peak - before) / 2**20, (values[0], values[-1]))


def _predictor_step(case: Case) -> Callable[[], Tensor]:
    """Return a step of the prediction, the two terms that use it, and their gradients."""
    predictor = _on_side(case, Hypernetwork(case.width)).to(case.device)
    x, y = (torch.randn(case.batch, case.width, device=case.device, requires_grad=True) for _ in range(2))
    z = nn.functional.normalize(torch.randn(case.batch, 4, device=case.device), dim=1)

    def step() -> Tensor:
        for tensor in (x, y, *predictor.parameters()):
            tensor.grad = None
        predicted = predictor(x, z)
        loss = 4.5 * losses.invariance_loss(predicted, y) + 5 * losses.variance_hinge_loss(predicted)
        loss.backward()
        return loss

    return step


def _whole_step(case: Case) -> Callable[[], Tensor]:
    """Return a step of loss, gradients and Adam, as in ``turntable train``."""
    method = _sie(case.step, case.width, case.size)
    method.predictor = _on_side(case, method.predictor)
    method.to(case.device).train()
    optimizer = torch.optim.Adam(method.parameters(), lr=1e-3, weight_decay=1e-6)
    batch = _random_batch(case)

    def step() -> Tensor:
        loss = method(batch)["loss"]
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        return loss

    return step


def _on_side(case: Case, hypernetwork: Hypernetwork) -> nn.Module:
    return MatrixASample(hypernetwork) if case.side == MATRICES else hypernetwork


def _sie(backbone: str, width: int, size: int) -> SIE:
    data = DataInfo(num_categories=1, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25), image_size_px=size)
    return SIE(SIEConfig(projector_widths=(width, width, width)), build_backbone(backbone), data)


def _random_batch(case: Case) -> Batch:
    shape = (case.batch, 3, case.size, case.size)
    views = {name: torch.randint(256, shape, dtype=torch.uint8) for name in ("view_1", "view_2")}
    quaternion = nn.functional.normalize(torch.randn(case.batch, 4), dim=1)
    fields = {**views, "relative_quaternion": quaternion}
    return {name: values.to(case.device) for name, values in fields.items()}


def _resident() -> int:
    return int(STATM.read_text().split()[1]) * resource.getpagesize()


def _most_resident() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def step_rows(arguments: argparse.Namespace) -> Rows:
    """Yield a row per step and batch size, both sides in turns; ratios are theirs to turntable's."""
    rows: Rows = []
    for step in arguments.what:
        for batch in arguments.batch:
            cases = [
                Case(
                    step, batch, side, arguments.size, arguments.width, arguments.steps,
                    arguments.device, arguments.amp == "bf16",
                )
                for side in SIDES
            ]  # fmt: skip
            rows += _compared(cases, arguments.rounds)
    return rows


def _compared(cases: list[Case], rounds: int) -> Rows:
    """Run rounds of both sides, every other one backwards."""
    found: dict[str, list[Figures]] = {case.side: [] for case in cases}
    for turn in range(rounds):
        for case in cases[:: 1 if turn % 2 == 0 else -1]:
            found[case.side].append(apart(measure, case))
            print(f"{case.step}, batch {case.batch}, {case.side}: {found[case.side][-1]}", file=sys.stderr)
    rows = [_row(case, found[case.side]) for case in cases]
    ours, theirs = rows
    theirs |= {
        "times_the_time": round(theirs["ms"] / ours["ms"], 1),
        "times_the_memory": round(theirs["peak_mib"] / max(ours["peak_mib"], 1), 1),
        "loss_differs_by": f"{_difference(*(found[side][0] for side in SIDES)):.0e}",
    }
    return rows


def _difference(ours: Figures, theirs: Figures) -> float:
    """Return the larger relative difference of the first and the last losses."""
    return max(abs(a - b) / abs(a) for a, b in zip(ours.losses, theirs.losses, strict=True))


def _row(case: Case, found: list[Figures]) -> dict[str, Any]:
    return {
        "step": case.step,
        "batch": case.batch,
        "what": case.side,
        "ms": round(1e3 * median(seconds for figures in found for seconds in figures.seconds), 1),
        "peak_mib": round(max(figures.peak_mib for figures in found)),
        "loss": round(found[0].losses[0], 5),
        "last_loss": round(found[0].losses[1], 5),
    }


def wait_rows(arguments: argparse.Namespace) -> Rows:
    """Yield a row per backbone and batch size, from a short training on a data set on disk."""
    with tempfile.TemporaryDirectory(prefix="train-step-") as temporary:
        folder = Path(temporary) / "set"
        make_dataset(folder, arguments.objects, views=20, size=arguments.size)
        backbones = [name for name in arguments.what if name != PREDICTOR]
        return [
            apart(_waited, folder, backbone, batch, arguments)
            for backbone in backbones
            for batch in arguments.batch
        ]


def _waited(folder: Path, backbone: str, batch: int, arguments: argparse.Namespace) -> dict[str, Any]:
    torch.manual_seed(0)
    pairs = max(1, -(-batch // arguments.objects))
    loader = Loader(
        folder,
        BatchConfig(
            split="train",
            sampler=Pairs(pairs),
            batch_size=batch,
            num_workers=arguments.workers,
            pin_memory=arguments.device == "cuda",
        ),
    )
    method = _sie(backbone, arguments.width, arguments.size).to(arguments.device).train()
    optimizer = torch.optim.Adam(method.parameters(), lr=1e-3, weight_decay=1e-6)
    batches = _endless(loader)
    start = waited = 0.0
    for number in range(arguments.steps + 1):
        if number == 1:  # workers are at work
            start, waited = time.perf_counter(), loader.waited_s
        fields = next(batches)
        with torch.autocast(arguments.device, torch.bfloat16, enabled=arguments.amp == "bf16"):
            loss = method(
                {name: fields[name].to(arguments.device, non_blocking=True) for name in method.reads}
            )["loss"]
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    loss.item()  # waits for the device
    elapsed = time.perf_counter() - start
    return {
        "step": backbone,
        "batch": batch,
        "workers": arguments.workers,
        "ms": round(1e3 * elapsed / arguments.steps, 1),
        "images_per_s": round(2 * batch * arguments.steps / elapsed),
        "waits": f"{(loader.waited_s - waited) / elapsed:.2%}",
    }


def _endless(loader: Loader) -> Iterator[Batch]:
    while True:
        yield from loader


SUBJECTS = {"steps": step_rows, "wait": wait_rows}


def main(words: list[str] | None = None) -> Rows:
    """Measure, and print a table."""
    words = sys.argv[1:] if words is None else words
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("subject", nargs="?", choices=SUBJECTS, default="steps")
    parser.add_argument("--what", nargs="*", default=[PREDICTOR, "small", "resnet18"], help="or backbones")
    parser.add_argument("--batch", type=int, nargs="*", default=[256], help="pairs")
    parser.add_argument("--size", type=int, default=64, help="of the views, in pixels")
    parser.add_argument("--width", type=int, default=1024, help="of the embeddings")
    parser.add_argument("--steps", type=int, default=3, help="that count; one goes before")
    parser.add_argument("--rounds", type=int, default=2, help="of turns; medians are told")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--amp", choices=("off", "bf16"), default="off")
    parser.add_argument("--workers", type=int, default=2, help="that load (wait)")
    parser.add_argument("--objects", type=int, default=1024, help="of the synthetic data set (wait)")
    parser.add_argument("--json", type=Path, help="a file for the rows")
    arguments = parser.parse_args(words)
    print(f"python benchmarks/train_step.py {' '.join(words)}", flush=True)
    print(f"{os.cpu_count()} cores, torch {torch.__version__}, {_device(arguments.device)}\n", flush=True)
    rows = SUBJECTS[arguments.subject](arguments)
    print_rows(rows)
    if arguments.json:
        arguments.json.write_text(json.dumps({"arguments": words, "rows": rows}, indent=1) + "\n")
    return rows


def _device(name: str) -> str:
    return torch.cuda.get_device_name() if name == "cuda" else f"{torch.get_num_threads()} threads"


if __name__ == "__main__":
    main()
