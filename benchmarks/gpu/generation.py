"""A whole run from meshes to shards: its stages in one process, rendering alone, the run, and its check."""

import shutil
import time
from pathlib import Path

from generate import rendering, stages
from steps import Row, Rows, Setting

from turntable.datasets import load_recipe, verify_dataset
from turntable.renderer import generate, open_source
from turntable.renderer.runs.engines import ProcessEngine

SET = "generated"
"""The folder of the data set, which the loader's step reads."""


def run(setting: Setting) -> Rows:
    """Measure, and leave the data set for the steps that read one."""
    objects, views, size = (320, 50, 256) if setting.on_gpu else (8, 20, 128)
    source = open_source("zoo", None, objects)
    recipe = load_recipe("3diebench").replace(
        source=source.name, views=views, image_size_px=size, quality="standard"
    )
    how = ("auto", setting.draws_on)
    name, parts = stages(recipe, source, min(objects, 12), *how)
    yield Row("drawn by", name)
    for stage, ms in parts.items():
        yield Row(f"{stage}, {size} px", ms, "ms a view")
    yield Row("one process", 1e3 / sum(parts.values()), "views/s")
    alone = rendering(recipe, source, objects, setting.workers, how)
    yield Row(f"{setting.workers} processes, rendering alone", alone, "views/s")
    folder = setting.work / SET
    shutil.rmtree(folder, ignore_errors=True)
    began = time.perf_counter()
    manifest = generate(
        recipe,
        source,
        folder,
        num_objects=objects,
        engine=ProcessEngine(setting.workers),
        backend="auto",
        device=setting.draws_on,
    )
    whole = manifest.totals.images / (time.perf_counter() - began)
    yield Row(f"{setting.workers} workers, the whole run", whole, "views/s")
    yield Row("the run to rendering alone", whole / alone)
    yield from _checked(folder)


def _checked(folder: Path) -> Rows:
    began = time.perf_counter()
    report = verify_dataset(folder, deep=True)
    seconds = time.perf_counter() - began
    yield Row("verify --deep", report.num_images / seconds, "views/s")
    yield Row("problems that it found", float(len(report.problems)))
