"""Commands that make data sets and pictures."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from turntable.choices import QualityName, SourceName
from turntable.cli.base import app, err, say, warn
from turntable.errors import InvalidInputError

if TYPE_CHECKING:
    from turntable.datasets import Manifest


@app.command
def render(
    recipe: str,
    *,
    out_dir: Annotated[str, Parameter("--out")],
    meshes: Path | None = None,
    source: SourceName | None = None,
    objects: int | None = None,
    views: int | None = None,
    image_size: int | None = None,
    seed: int | None = None,
    quality: QualityName | None = None,
    supersampling: int | None = None,
    outputs: str | None = None,
    points: int | None = None,
    split: tuple[Path, ...] = (),
    object_lists: tuple[Path, ...] = (),
    workers: int | None = None,
    backend: str = "auto",
    device: str = "auto",
    job: str | None = None,
    engine: Literal["processes", "ray"] = "processes",
    address: str = "auto",
    events: Path | None = None,
    load_seconds: float = 120,
    load_memory: float = 8,
) -> int:
    """Render a data set; the same command resumes one that was interrupted.

    SIGTERM and SIGUSR1 end the run after the shards in hand, with exit status 75.

    Args:
        recipe: The name of a shipped recipe (turntable inspect lists them) or a TOML file.
        out_dir: The folder of the data set, or s3://bucket/prefix, gs://bucket/prefix.
        meshes: The folder of the meshes; the zoo needs none.
        source: What kind of meshes, if not as the recipe says.
        objects: At most so many objects, taken in turn from every category.
        views: Views of each object.
        image_size: Width and height in pixels.
        seed: Of the factors' draws.
        quality: How much work goes into a picture.
        supersampling: Samples a pixel along each axis, if not as many as the quality has.
        outputs: What to keep of each view, with commas: rgb,mask,depth,normals,coordinates.
        points: So many places on each object's surface, as a point cloud.
        split: SIE's val_images.npy and train_images.npy, in place of our own division.
        object_lists: The lists that a published data set was drawn along, in order (all_objects*.npy).
        workers: Processes; one a core by default.
        backend: moderngl (OpenGL), embree (rays on the processor) or pyrender; by default the best there is.
        device: Where: software, egl:N or cuda:N, or several with commas; by default every GPU there is.
        job: Make one share of the data set, such as 2/5; turntable merge joins the shares.
        engine: What spreads the work: processes of this machine, or a Ray cluster.
        address: Of the Ray cluster: HOST:6379, ray://HOST:10001, or auto.
        events: A file that gets a JSON line for everything that happens; - is the standard output.
        load_seconds: An object whose files take longer to load is left out.
        load_memory: An object whose files take more memory to load, in GiB, is left out.
    """
    from turntable.console import RenderBar
    from turntable.datasets import load_recipe
    from turntable.datasets.making import Job, open_destination
    from turntable.processes import default_workers, stop_when_asked
    from turntable.renderer import generate, generate_share, open_source
    from turntable.renderer.runs import Listener, LoadLimits, ObjectSelection, event_lines
    from turntable.renderer.runs.engines import Processes, RayCluster

    changes = {
        "source": source,
        "views": views,
        "image_size_px": image_size,
        "seed": seed,
        "quality": quality,
        "supersampling": supersampling,
        "outputs": None if outputs is None else [name.strip() for name in outputs.split(",")],
        "points": points,
    }
    changed = load_recipe(recipe).replace(
        **{name: value for name, value in changes.items() if value is not None}
    )
    meshes_of = open_source(changed.source, meshes, objects)
    share = None if job is None else Job.parse(job)
    with (
        RenderBar(err) as bar,
        event_lines(events) as tell,
        stop_when_asked(warn, "the shards in hand") as stop,
    ):
        common: dict[str, Any] = {
            "selection": ObjectSelection(objects, split, object_lists),
            "backend": backend,
            "device": device,
            "limits": LoadLimits(load_seconds, int(load_memory * 2**30)),
            "listener": Listener(bar, warn, tell, stop),
        }
        destination = open_destination(out_dir)
        count = default_workers() if workers is None else workers
        if share is not None:
            if engine != "processes":
                raise InvalidInputError(
                    "--job is one share of many runs, and Ray is one run; give one of them"
                )
            made = generate_share(share, changed, meshes_of, destination, workers=count, **common)
            counts = f"{made.shards} of {made.shards_in_all} shards"
            say(f"{out_dir}: job {share} made its {counts}; when all are done: turntable merge {out_dir}")
            return 0
        chosen = RayCluster(address) if engine == "ray" else Processes(count)
        manifest = generate(changed, meshes_of, destination, engine=chosen, **common)
    say_finished(out_dir, destination.folder, manifest)
    return 0


@app.command
def merge(
    out_dir: str,
    parts: tuple[Path, ...] = (),
) -> int:
    """Join the shares that jobs (turntable render --job) have made into one data set.

    Args:
        out_dir: The folder (or s3://bucket/prefix) in which the jobs worked; or a new one, for the parts.
        parts: Folders of jobs that did not share one.
    """
    from turntable.datasets.making import open_destination
    from turntable.renderer import merge as merge_shares

    destination = open_destination(out_dir)
    say_finished(out_dir, destination.folder, merge_shares(destination, parts))
    return 0


def say_finished(out_dir: str, folder: Path, manifest: "Manifest") -> None:
    """What a finished data set is, in a few lines; its files have been built in a folder."""
    from turntable.datasets.objects import QUARANTINE_NAME, WARNINGS_NAME, read_quarantine

    totals = manifest.totals
    say(f"{out_dir}: {totals.images} views of {totals.objects} objects in {len(manifest.shards)} shards")
    if manifest.quarantined:
        say(f"{manifest.quarantined} objects were left out; the reasons are in {out_dir}/{QUARANTINE_NAME}")
    if incomplete := len(read_quarantine(folder / WARNINGS_NAME)):
        say(f"{incomplete} textures or materials are missing, as listed in {out_dir}/{WARNINGS_NAME}")
    say(f"fingerprint {manifest.fingerprint}")


@app.command
def replay(
    latents: Path,
    *,
    meshes: Path,
    out_dir: Annotated[Path, Parameter("--out")],
    image_size: int = 256,
    quality: QualityName = "standard",
    supersampling: int | None = None,
    backend: str = "auto",
    device: str = "auto",
    masks: bool = False,
) -> int:
    """Render exactly the views of a table, as PNG files.

    Args:
        latents: A CSV file with the columns object (synset/model), view, and the factors by name.
        meshes: A folder in ShapeNet's layout.
        out_dir: Gets {synset}/{model}/image_{view}.png.
        image_size: Width and height in pixels.
        quality: How much work goes into a picture.
        supersampling: Samples a pixel along each axis, if not as many as the quality has.
        backend: moderngl (OpenGL), embree (rays on the processor) or pyrender; by default the best there is.
        device: Where: software, egl:N or cuda:N; by default the first GPU there is.
        masks: Write mask_{view}.png too: 255 on the object.
    """
    from turntable.console import CountBar
    from turntable.renderer import open_source
    from turntable.renderer.backends import choose
    from turntable.renderer.backends import quality as quality_named
    from turntable.renderer.replay import read_latents
    from turntable.renderer.replay import replay as replay_views

    table = read_latents(latents)
    source = open_source("shapenet", meshes)
    choice = choose(backend, device)
    for text in choice.warnings:
        warn(text)
    with choice.open() as renderer, CountBar(err, "views") as bar:
        done = replay_views(
            renderer,
            table,
            source,
            out_dir,
            image_size,
            quality_named(quality, supersampling),
            masks=masks,
            progress=bar,
            warn=warn,
        )
    say(f"{out_dir}: {done} views")
    return 0
