"""SIE's training step, beside the same with a matrix a sample, at the papers' sizes in bf16."""

import argparse

from steps import Row, Rows, Setting, need_cuda
from train_step import step_rows


def run(setting: Setting) -> Rows:
    """Measure the whole step and the predictor alone, each at two batch sizes; what has no memory is told."""
    need_cuda(setting)
    for batch in (1024, 256) if setting.on_gpu else (32,):
        for what in ("resnet18" if setting.on_gpu else "small", "predictor"):
            name = f"{what}, batch {batch}"
            try:
                yield from _compared(setting, name, what, batch)
            except RuntimeError as error:
                if "out of memory" not in str(error):
                    raise
                yield Row(name, "there is no memory for it")


def _compared(setting: Setting, name: str, what: str, batch: int) -> Rows:
    arguments = argparse.Namespace(
        what=[what],
        batch=[batch],
        size=256 if setting.on_gpu else 32,
        width=1024 if setting.on_gpu else 256,
        steps=5 if setting.on_gpu else 1,
        rounds=1,
        device=setting.device,
        amp="bf16" if setting.on_gpu else "off",
    )
    ours, theirs = step_rows(arguments)
    yield Row(name, ours["ms"], "ms")
    yield Row(f"{name}, memory", ours["peak_mib"], "MiB")
    yield Row(f"{name}, a matrix a sample", theirs["ms"], "ms")
    yield Row(f"{name}, a matrix a sample, memory", theirs["peak_mib"], "MiB")
    yield Row(f"{name}, time of the other to ours", theirs["times_the_time"])
    yield Row(f"{name}, first losses", f"{ours['loss']} and {theirs['loss']}")
