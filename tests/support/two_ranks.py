"""How far two ranks that share a batch are from one process that has all of it, by method, in float64.

python -m tests.support.two_ranks FOLDER     # where the ranks meet; prints the differences
"""

import importlib
import json
import math
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.multiprocessing.spawn import start_processes

from tests.support.train_ranks import double_precision
from turntable.models import METHODS, DataInfo, Method, TrainState, build_backbone, build_method
from turntable.training import convert_sync_batch_norm
from turntable.training.steps import ProcessGroup
from turntable.training.steps.trainer import wrap_distributed

Answer = tuple[dict[str, Tensor], dict[str, Tensor]]
"""The loss and its terms, and the gradient of each parameter that has one."""
CPU = torch.device("cpu")
ROWS = 6
DATA = DataInfo(num_categories=3, mean=(0.5, 0.4, 0.3), std=(0.1, 0.2, 0.3), image_size_px=32)
NARROW = {
    "projector_widths": (24, 24, 16),
    "width": 24,
    "regressor_width": 24,
    "predictor_width": 24,
    "action_width": 8,
    "num_capsules": 4,
    "feedforward_width": 32,
    "num_layers": 1,
    "point_widths": (12, 12),
    "global_widths": (12, 16),
    "head_widths": (12,),
    "transforms": True,
    "dropout": 0.0,  # what a rank draws for its rows is its own
    "jitter": 0.0,
}
"""Widths at which all methods take seconds, where their configurations have such a field."""


def narrow_method(name: str) -> Method:
    """Of the demo, narrower still; with the same weights wherever it is made."""
    torch.manual_seed(0)
    config = METHODS[name].make_config().demo()
    known = {item.name for item in fields(config)}
    changes: dict[str, Any] = {key: value for key, value in NARROW.items() if key in known}
    if "projector_widths" in changes:
        changes["projector_widths"] = changes["projector_widths"][-len(config.projector_widths) :]
    backbone = build_backbone("small") if METHODS[name].has_backbone else None
    return build_method(name, replace(config, **changes), backbone, DATA)


def batch_for(method: Method) -> dict[str, Tensor]:
    """Random views, and random labels of the kinds that the method reads."""
    generator = torch.Generator().manual_seed(1)
    views = method.config.sample.num_views
    pictures = torch.randint(256, (ROWS, views, 3, 32, 32), generator=generator, dtype=torch.uint8)
    whole = {"views": pictures, "view_1": pictures[:, 0], "view_2": pictures[:, -1]}
    whole["points"] = torch.randn(ROWS, 20, 6, generator=generator, dtype=torch.float64)
    steps = () if "view_1" in method.reads else (views - 1,)
    whole["category"] = torch.arange(ROWS) % DATA.num_categories
    for label, shape in {
        "relative_quaternion": (4,),
        "relative_rotation": (3, 3),
        "relative_pose": (4, 4),
        "floor_hue_difference": (),
        "light_hue_difference": (),
        "translation_difference_object": (3,),
    }.items():
        whole[label] = torch.randn(ROWS, *steps, *shape, generator=generator, dtype=torch.float64)
    return {field: whole[field] for field in method.reads}


def answer(name: str, ranks: ProcessGroup) -> Answer:
    """Of this rank's share of the batch."""
    with double_precision():
        method = convert_sync_batch_norm(narrow_method(name).train())
        batch = batch_for(method)
        mine = {field: values.chunk(ranks.num_ranks)[ranks.rank] for field, values in batch.items()}
        method.before_step(TrainState(step=0, num_steps=10, epoch=0, num_epochs=1))
        shared = wrap_distributed(method, ranks)
        terms = shared(mine)
        terms["loss"].backward()
    gradients = {key: p.grad.clone() for key, p in method.named_parameters() if p.grad is not None}
    return {key: term.detach() for key, term in terms.items()}, gradients


def take_part(rank: int, folder: Path) -> None:
    """One of two ranks: all its answers, into a file."""
    dist.init_process_group("gloo", init_method=f"file://{folder / 'meeting'}", rank=rank, world_size=2)
    ranks = ProcessGroup(CPU, rank, 2)
    torch.save({name: answer(name, ranks) for name in METHODS}, folder / f"rank{rank}.pt")
    dist.destroy_process_group()


def compared(found: Answer, expected: Answer) -> dict[str, float]:
    """The greatest relative differences of the terms and of the gradients, and the steepest gradient."""
    steepest = max(float(gradient.abs().max()) for gradient in expected[1].values())
    return {
        "terms": furthest(found[0], expected[0], floor=1e-9),
        # In front of a batch norm the gradient of a bias is 0, and what is found of it is noise.
        "gradients": furthest(found[1], expected[1], floor=1e-9 * steepest),
        "steepest": steepest,
    }


def furthest(found: dict[str, Tensor], expected: dict[str, Tensor], floor: float) -> float:
    """Each tensor's greatest difference beside its greatest entry, or beside the floor if that is higher."""
    if found.keys() != expected.keys():
        return math.inf
    return max(
        float((found[key] - value).abs().max() / value.abs().max().clamp_min(floor))
        for key, value in expected.items()
    )


def main() -> None:
    folder = Path(sys.argv[1])
    importlib.import_module("torch._dynamo")  # once, not by each process: activation checkpoints ask for it
    ranks = start_processes(take_part, (folder,), nprocs=2, join=False, start_method="fork")
    alone = {name: answer(name, ProcessGroup(CPU)) for name in METHODS}
    while not ranks.join():  # raises what a rank raised
        pass
    shared = [torch.load(folder / f"rank{rank}.pt", weights_only=True) for rank in (0, 1)]
    found = {name: [compared(answers[name], alone[name]) for answers in shared] for name in METHODS}
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
