"""Commands that render: render, merge, replay."""

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from turntable.choices import QualityName, SourceName
from turntable.cli.base import (
    BACKEND_DEFAULT,
    DATA,
    DEVICE_DEFAULT,
    LIMITS,
    MACHINE,
    OUTPUT,
    PICTURES,
    LinksUnderOption,
    app,
    err,
    format_examples,
    make_option,
    say,
    warn,
)
from turntable.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from turntable.datasets import Manifest
    from turntable.datasets.objects import WarningRecord


@app.command(
    help_epilogue=format_examples(
        "turntable render zoo --out my-set",
        "turntable render zoo --objects 240 --views 20 --outputs rgb,mask,depth --out my-set",
        "turntable render 3diebench --meshes ShapeNetCore.v2 --out 3diebench",
        "turntable render 3diebench --meshes ShapeNetCore.v2 --out s3://bucket/3diebench --job 2/5",
        "turntable render 3diebench --meshes my-meshes --out my-set --strict file-missing,image-cut",
    )
)
def render(
    recipe: str,
    *,
    out_dir: Annotated[str, make_option(OUTPUT, "--out")],
    meshes: Annotated[Path | None, make_option(DATA)] = None,
    source: Annotated[SourceName | None, make_option(DATA, default="as the recipe says")] = None,
    objects: Annotated[int | None, make_option(DATA, default="all")] = None,
    base_objects: Annotated[int | None, make_option(DATA, default="all, or 320 of the zoo")] = None,
    views: Annotated[int | None, make_option(PICTURES, default="as the recipe says")] = None,
    image_size: Annotated[int | None, make_option(PICTURES, default="as the recipe says")] = None,
    seed: Annotated[int | None, make_option(DATA, default="as the recipe says")] = None,
    quality: Annotated[QualityName | None, make_option(PICTURES, default="as the recipe says")] = None,
    supersampling: Annotated[int | None, make_option(PICTURES, default="as many as the quality has")] = None,
    outputs: Annotated[str | None, make_option(PICTURES, default="as the recipe says")] = None,
    points: Annotated[int | None, make_option(PICTURES, default="as the recipe says")] = None,
    symmetry: Annotated[bool, make_option(DATA)] = False,
    split: Annotated[tuple[Path, ...], make_option(DATA, default="by turntable's own rule")] = (),
    object_lists: Annotated[tuple[Path, ...], make_option(DATA, default="")] = (),
    workers: Annotated[int | None, make_option(MACHINE, default="one per core")] = None,
    backend: Annotated[str, make_option(MACHINE, default=BACKEND_DEFAULT)] = "auto",
    device: Annotated[str, make_option(MACHINE, default="every GPU, else the CPU")] = "auto",
    job: Annotated[str | None, make_option(MACHINE)] = None,
    engine: Annotated[Literal["processes", "ray"], make_option(MACHINE)] = "processes",
    address: Annotated[str, make_option(MACHINE)] = "auto",
    events: Annotated[Path | None, make_option(OUTPUT)] = None,
    load_seconds: Annotated[float, make_option(LIMITS)] = 120,
    load_memory: Annotated[float, make_option(LIMITS)] = 8,
    strict: Annotated[str | None, make_option(LIMITS)] = None,
    links_under: LinksUnderOption = (),
) -> int:
    """Render a data set. Run the same command again to resume an interrupted run.

    After SIGTERM or SIGUSR1 the run finishes the shards it is working on and exits with status 75.

    Args:
        recipe: Name of a recipe (turntable inspect lists them) or a TOML file.
        out_dir: Folder of the data set, or s3://bucket/prefix or gs://bucket/prefix.
        meshes: Folder of the meshes; generated ones need none.
        source: Kind of meshes in that folder.
        objects: Maximum number of objects, taken in turn from every category; or the number of scenes.
        base_objects: Maximum number of objects to compose scenes of, taken in turn from every category.
        views: Number of views of each object.
        image_size: Width and height of the images, in pixels.
        seed: Seed of the random numbers from which the factors of every view are drawn.
        quality: Quality of the pictures: more samples for light, shadows and edges take more time.
        supersampling: Samples per pixel along each axis.
        outputs: Outputs of each view to store, separated by commas:
            rgb,mask,depth,normals,coordinates,parts,flow,scan; none for labels and arrays alone.
        points: Number of points on each object's surface to store as a point cloud.
        symmetry: Also measure each mesh's symmetry and record it with the object.
        split: SIE's val_images.npy and train_images.npy, which say which objects are in which split.
        object_lists: Lists of objects in the order in which a published data set was drawn
            (all_objects*.npy).
        workers: Number of processes that render.
        backend: Renderer: moderngl (OpenGL), embree (ray tracing on the CPU) or pyrender.
        device: Device to render on: software, egl:N or cuda:N, or several separated by commas.
        job: Share of the data set to render, such as 2/5; turntable merge joins the shares.
        engine: Workers to use: processes of this machine, or a Ray cluster.
        address: Address of the Ray cluster: HOST:6379, ray://HOST:10001, or auto.
        events: File that receives one JSON line per event; - is standard output.
        load_seconds: Longest time for loading an object's files; an object that takes longer is left out.
        load_memory: Most memory for loading an object's files, in GiB; an object that needs more is left out.
        strict: Kinds of warnings with which an object is left out, separated by commas, or all; the page
            Meshes of the documentation lists them.
        links_under: Folder into which links in the folder of the meshes may point, besides that folder and
            the hub's cache.
    """
    from turntable.console import RenderBar
    from turntable.datasets import load_recipe
    from turntable.datasets.writing import Job, open_destination
    from turntable.processes import catch_stop_signals, count_usable_cores
    from turntable.renderer import generate, generate_share, open_recipe_source
    from turntable.renderer.meshes.sources import SymmetrySource
    from turntable.renderer.runs import LoadLimits, ObjectSelection, RunListener, open_event_log
    from turntable.renderer.runs.engines import ProcessEngine, RayEngine

    changes = {
        "source": source,
        "views": views,
        "image_size_px": image_size,
        "seed": seed,
        "quality": quality,
        "supersampling": supersampling,
        "outputs": None if outputs is None else _split_outputs(outputs),
        "points": points,
    }
    changed = load_recipe(recipe).replace(
        **{name: value for name, value in changes.items() if value is not None}
    )
    mesh_source = open_recipe_source(
        changed, meshes, objects, num_base_objects=base_objects, links_under=links_under
    )
    if symmetry:
        mesh_source = SymmetrySource(mesh_source)
    share = None if job is None else Job.parse(job)
    with (
        RenderBar(err) as bar,
        open_event_log(events) as emit,
        catch_stop_signals(warn, "the current shards") as stop,
    ):
        common: dict[str, Any] = {
            "selection": ObjectSelection(objects, split, object_lists),
            "backend": backend,
            "device": device,
            "limits": LoadLimits(load_seconds, int(load_memory * 2**30)),
            "strict": () if strict is None else _split_list(strict),
            "listener": RunListener(bar, warn, emit, stop),
        }
        destination = open_destination(out_dir)
        num_workers = count_usable_cores() if workers is None else workers
        if share is not None:
            if engine != "processes":
                raise InvalidInputError(
                    "--job renders one share of a data set, and --engine ray all of it; give one of the two"
                )
            made = generate_share(share, changed, mesh_source, destination, num_workers=num_workers, **common)
            counts = f"{made.num_shards} of {made.num_total_shards} shards"
            say(f"{out_dir}: job {share} wrote its {counts}")
            _print_warning_sums(made.warnings)
            say(f"when all jobs are done: turntable merge {quote(out_dir)}")
            return 0
        workers_of_run = RayEngine(address) if engine == "ray" else ProcessEngine(num_workers)
        manifest = generate(changed, mesh_source, destination, engine=workers_of_run, **common)
    print_dataset_summary(out_dir, destination.folder, manifest)
    return 0


_FOLDER_WARNINGS = "the folder of the meshes holds what is not read"


def _split_outputs(text: str) -> list[str]:
    """Return the names of outputs; no names for "none"."""
    return [] if text.strip() == "none" else _split_list(text)


def _split_list(text: str) -> list[str]:
    """Return the words of a list that is separated by commas."""
    return [name.strip() for name in text.split(",")]


@app.command(
    help_epilogue=format_examples(
        "turntable merge s3://bucket/3diebench",
        "turntable merge 3diebench node1/3diebench node2/3diebench",
    )
)
def merge(
    out_dir: str,
    parts: Annotated[tuple[Path, ...], Parameter(show_default=False)] = (),
) -> int:
    """Join the shares rendered by jobs (turntable render --job) into one data set.

    Args:
        out_dir: Folder, or s3://bucket/prefix, into which all jobs rendered; or a new folder for the parts.
        parts: Folders of the jobs, if each rendered into its own.
    """
    from turntable.datasets.writing import open_destination
    from turntable.renderer import merge as merge_shares

    destination = open_destination(out_dir)
    print_dataset_summary(out_dir, destination.folder, merge_shares(destination, parts))
    return 0


def print_dataset_summary(out_dir: str, folder: Path, manifest: "Manifest") -> None:
    """Print a summary of a finished data set.

    Args:
        out_dir: Location of the data set, as the user gave it.
        folder: Local folder in which its files were written.
        manifest: Its manifest.
    """
    from turntable.datasets.objects import QUARANTINE_NAME, WARNINGS_NAME, read_warnings

    totals = manifest.totals
    say(f"{out_dir}: {totals.images} views of {totals.objects} objects in {len(manifest.shards)} shards")
    _print_split_sizes(manifest)
    if manifest.quarantined:
        say(f"{manifest.quarantined} objects were left out, for the reasons in {out_dir}/{QUARANTINE_NAME}")
    _print_warning_sums(read_warnings(folder / WARNINGS_NAME), f", as listed in {out_dir}/{WARNINGS_NAME}")
    say(f"fingerprint {manifest.fingerprint}")
    say(f"next: turntable verify {quote(out_dir)}")


def _print_split_sizes(manifest: "Manifest") -> None:
    """Print the number of objects of every split of the recipe, and warn of those that are empty."""
    from turntable.datasets import read_manifest_recipe
    from turntable.datasets.objects import QUARANTINE_NAME

    recipe = read_manifest_recipe(manifest)
    sizes = {name: sum(shard.objects for shard in manifest.select_shards(name)) for name in recipe.splits}
    say(f"objects in each split: {', '.join(f'{name} {size:,}' for name, size in sizes.items())}")
    for name in (name for name, size in sizes.items() if not size and recipe.val_fraction):
        warn(
            f"the split {name} is empty: no object was in it, or all were left out; take more objects, or "
            f"mend those that {QUARANTINE_NAME} names, and choose another --out"
        )


def _print_warning_sums(records: "Sequence[WarningRecord]", where: str = "") -> None:
    """Print the number of objects with warnings, and the sums by kind; nothing if there are none."""
    from turntable.datasets.objects import count_warned_objects
    from turntable.renderer.meshes import format_warning_sums

    if not records:
        return
    num_objects = count_warned_objects(records)
    what = (
        f"{num_objects:,} objects are shown otherwise than their files say"
        if num_objects
        else _FOLDER_WARNINGS
    )
    say(f"{what}{where}:")
    for line in format_warning_sums(records):
        say(f"  {line}")


@app.command(
    help_epilogue=format_examples(
        "turntable replay latents.csv --meshes ShapeNetCore.v2 --out pictures --masks"
    )
)
def replay(
    latents: Path,
    *,
    meshes: Annotated[Path, make_option(DATA)],
    out_dir: Annotated[Path, make_option(OUTPUT, "--out")],
    image_size: Annotated[int, make_option(PICTURES)] = 256,
    quality: Annotated[QualityName, make_option(PICTURES)] = "standard",
    supersampling: Annotated[int | None, make_option(PICTURES, default="as many as the quality has")] = None,
    backend: Annotated[str, make_option(MACHINE, default=BACKEND_DEFAULT)] = "auto",
    device: Annotated[str, make_option(MACHINE, default=DEVICE_DEFAULT)] = "auto",
    masks: Annotated[bool, make_option(OUTPUT)] = False,
    links_under: LinksUnderOption = (),
) -> int:
    """Render exactly the views that a table lists, as PNG files.

    Args:
        latents: CSV file with the columns object (synset/model), view, and one per factor,
            separated by commas, semicolons or tabs.
        meshes: Folder of the meshes, in ShapeNet's layout.
        out_dir: Folder for the pictures, {synset}/{model}/image_{view}.png.
        image_size: Width and height of the images, in pixels.
        quality: Quality of the pictures: more samples for light, shadows and edges take more time.
        supersampling: Samples per pixel along each axis.
        backend: Renderer: moderngl (OpenGL), embree (ray tracing on the CPU) or pyrender.
        device: Device to render on: software, egl:N or cuda:N.
        masks: Also write mask_{view}.png, 255 on the object and 0 elsewhere.
        links_under: Folder into which links in the folder of the meshes may point, besides that folder and
            the hub's cache.
    """
    from turntable.console import CountBar
    from turntable.renderer import open_source
    from turntable.renderer.backends import get_quality, select_backend
    from turntable.renderer.replay import read_latents
    from turntable.renderer.replay import replay as replay_views

    table = read_latents(latents)
    source = open_source("shapenet", meshes, links_under=links_under)
    selection = select_backend(backend, device)
    for text in selection.warnings:
        warn(text)
    with selection.open() as renderer, CountBar(err, "views") as bar:
        num_views = replay_views(
            renderer,
            table,
            source,
            out_dir,
            image_size,
            get_quality(quality, supersampling),
            masks=masks,
            progress=bar,
            warn=warn,
        )
    say(f"{out_dir}: {num_views} views")
    return 0
