"""The command line: a thin edge over the package. Each command is one function; errors become one line."""

import math
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import cyclopts
from cyclopts import Parameter
from rich.console import Console

import turntable
from turntable.errors import InvalidInputError, StoppedError, TurntableError

if TYPE_CHECKING:
    from turntable.datasets.manifest import Manifest
    from turntable.datasets.recipe import Recipe
    from turntable.renderer.rerender import Rerendered

app = cyclopts.App(
    name="turntable",
    help="Labelled views of 3D objects: render them, stream them, learn from them.",
    version=turntable.__version__,
)
out = Console()
err = Console(stderr=True)

say = partial(out.print, soft_wrap=True, markup=False, highlight=False)
"""For whole lines, to be read or parsed: neither broken nor coloured."""

warn = partial(err.print, style="yellow", soft_wrap=True, markup=False, highlight=False)
"""For what the user should know beside the result."""

QualityName = Literal["fast", "standard", "high"]
SourceName = Literal["zoo", "shapenet", "shapenet-v1", "shapenetsem", "objaverse", "gso", "folder"]
EXIT_STOPPED = 75
"""EX_TEMPFAIL of sysexits.h: batch scripts requeue on it."""

MethodName = Literal["sie", "vicreg", "supervised"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of the ``turntable`` command.

    Exit status 2 where the user can act on an error, 75 (try again later) where a run ended as asked.
    """
    try:
        sys.exit(app(sys.argv[1:] if arguments is None else arguments) or 0)
    except StoppedError as error:
        err.print(f"turntable: {error}", markup=False, highlight=False, soft_wrap=True)
        sys.exit(EXIT_STOPPED)
    except TurntableError as error:
        err.print(f"turntable: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)
    except KeyboardInterrupt:
        err.print("turntable: stopped; the same command goes on from here")
        sys.exit(130)


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
    from turntable.console import RenderBar, default_workers
    from turntable.datasets.making.destination import open_destination
    from turntable.datasets.making.jobs import Job
    from turntable.datasets.recipe import load_recipe
    from turntable.renderer import generate, generate_share, open_source
    from turntable.renderer.engines import Processes, RayCluster
    from turntable.renderer.events import event_lines
    from turntable.renderer.generate import Listener
    from turntable.renderer.loading import LoadLimits
    from turntable.renderer.planning import Selection
    from turntable.renderer.stopping import stop_when_asked

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
    with RenderBar(err) as bar, event_lines(events) as tell, stop_when_asked(warn) as stop:
        common: dict[str, Any] = {
            "selection": Selection(objects, split, object_lists),
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
    from turntable.datasets.making.destination import open_destination
    from turntable.renderer import merge as merge_shares

    destination = open_destination(out_dir)
    say_finished(out_dir, destination.folder, merge_shares(destination, parts))
    return 0


def say_finished(out_dir: str, folder: Path, manifest: "Manifest") -> None:
    """What a finished data set is, in a few lines; its files have been built in a folder."""
    from turntable.datasets.quarantine import QUARANTINE_NAME, WARNINGS_NAME, read_quarantine

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


@app.command
def verify(
    dataset: Path,
    *,
    deep: bool = False,
    views: int | None = None,
    meshes: Path | None = None,
    source: SourceName | None = None,
    backend: str = "auto",
    device: str = "auto",
) -> int:
    """Check every byte of a data set; exit 1 with a list where something is wrong.

    Args:
        dataset: The folder of the data set.
        deep: Also decode every image, draw every label again, test how they are distributed, and draw some
            views again where the meshes are at hand: with --meshes, and of the zoo.
        views: So many views to draw again, chosen at random; 32 by default, 0 for none.
        meshes: The folder of the meshes.
        source: What kind of meshes, if not as the data set says.
        backend: What draws them again: moderngl, embree or pyrender; by default the best there is.
        device: Where: software, egl:N or cuda:N; by default the first GPU there is.
    """
    from turntable.console import CountBar
    from turntable.datasets.verify import verify as verify_dataset

    with CountBar(err, "shards") as bar:
        report = verify_dataset(dataset, bar, deep=deep)
    problems, notes, drawn = [*report.problems], [*report.notes], ""
    if report.ok:  # else there may be nothing to compare with
        again = _drawn_again(dataset, deep, views, meshes, source, (backend, device))
        if again is not None:
            problems, notes = [*again.problems], [*notes, *again.notes]
            drawn = f"; {again.views} views drawn again, the worst at {again.worst_psnr_db:.1f} dB"
    for problem in problems:
        say(problem)
    for note in notes:
        say(f"note: {note}")
    if problems:
        say(f"{dataset}: {len(problems)} problems")
        return 1
    counts = f"{report.images} images of {report.objects} objects in {report.shards} shards"
    how = "each decoded" if deep else "by their hashes"
    say(f"{dataset}: all is well: {counts}, {how}{drawn}")
    return 0


def _drawn_again(
    dataset: Path,
    deep: bool,
    views: int | None,
    meshes: Path | None,
    source: SourceName | None,
    drawing: tuple[str, str],
) -> "Rerendered | None":
    """What comes of drawing some views again; None where that was not asked for, or has no meshes."""
    from turntable.datasets.dataset import open_dataset

    name = source or str(open_dataset(dataset).manifest.source.get("name", ""))
    asked = views is not None or meshes is not None
    count = 32 if views is None else views
    if count == 0 or not (asked or (deep and name == "zoo")):
        return None
    from turntable.console import CountBar
    from turntable.renderer import open_source
    from turntable.renderer.backends import choose
    from turntable.renderer.rerender import rerender

    meshes_of = open_source(name, meshes)
    choice = choose(*drawing)
    with choice.open() as renderer, CountBar(err, "views") as bar:
        return rerender(dataset, meshes_of, renderer, views=count, progress=bar)


convert = cyclopts.App(name="convert", help="Move data sets between shards and the published folders.")
app.command(convert)


@convert.command(name="import")
def convert_import(
    folder: Path,
    *,
    out_dir: Annotated[Path, Parameter("--out")],
    like: str | None = None,
    name: str | None = None,
    channel_order: Literal["rgb", "bgr"] = "bgr",
    split: tuple[Path, ...] = (),
    source: SourceName = "shapenet",
    licence: str | None = None,
    views: int | None = None,
    threads: int | None = None,
) -> int:
    """Make shards of a published folder of 3DIEBench's layout; the same command resumes.

    Args:
        folder: Holds {synset}/{id}/image_{view}.jpg and latent_{view}.npy.
        out_dir: The folder of the data set.
        like: The recipe (or a TOML file) whose ranges the labels keep; by default 3diebench or 3diebench-t.
        name: Of the data set.
        channel_order: Of the JPEGs: the published ones have red and blue exchanged, which is bgr.
        split: SIE's val_images.npy and train_images.npy, in place of our own division.
        source: What kind of meshes they were rendered from.
        licence: Of those meshes; by default ShapeNet's.
        views: Of each object; by default as many as most of the first objects have.
        threads: That read and check; one a core by default.
    """
    from turntable.console import CountBar
    from turntable.datasets.convert import Origin, import_folder
    from turntable.renderer.scene import CAMERA

    given: dict[str, Any] = {"like": like, "name": name, "licence": licence, "views": views}
    origin = Origin(channel_order, source=source, **{k: v for k, v in given.items() if v is not None})
    with CountBar(err, "objects") as bar:
        manifest = import_folder(
            folder,
            out_dir,
            origin=origin,
            split=split,
            camera=CAMERA.describe,
            threads=threads,
            progress=bar,
        )
    say_finished(str(out_dir), out_dir, manifest)
    return 0


@convert.command(name="export")
def convert_export(
    dataset: Path,
    *,
    out_dir: Annotated[Path, Parameter("--out")],
    channel_order: Literal["rgb", "bgr"] | None = None,
    threads: int | None = None,
) -> int:
    """Write a data set as 3DIEBench is published, for the original training code; the same command resumes.

    Args:
        dataset: The folder of the data set.
        out_dir: Gets {synset}/{id}/image_{view}.jpg, latent_{view}.npy and the lists of the splits.
        channel_order: Of the JPEGs; by default they are copied byte for byte.
        threads: That write; one a core by default.
    """
    from turntable.console import CountBar
    from turntable.datasets.convert import export_folder

    with CountBar(err, "objects") as bar:
        done = export_folder(dataset, out_dir, channel_order=channel_order, threads=threads, progress=bar)
    for note in done.notes:
        say(f"note: {note}")
    say(f"{out_dir}: {done.images} views of {done.objects} objects")
    return 0


@app.command
def inspect(what: Path, *, plot: Path | None = None) -> int:
    """Say what a data set is, what a recipe will draw, or what meshes a folder holds, before any rendering.

    Args:
        what: The folder of a data set or of meshes; or a recipe, by its name or its TOML file.
        plot: Gets a page of pictures of what a recipe draws, as PNG.
    """
    from turntable.datasets.recipe import load_recipe, shipped_recipes

    if (what.suffix == ".toml" or str(what) in shipped_recipes()) and not what.is_dir():
        return _inspect_recipe(load_recipe(what), plot)
    if plot is not None:
        raise InvalidInputError(f"--plot draws recipes, and {what} is none")
    if not what.is_dir():
        raise InvalidInputError(
            f"{what} is no folder of a data set or of meshes, no TOML file, and no recipe; the recipes are "
            f"{', '.join(shipped_recipes())}"
        )
    from turntable.console import dataset_tables
    from turntable.datasets.dataset import open_dataset
    from turntable.datasets.manifest import MANIFEST_NAME

    if not (what / MANIFEST_NAME).exists():
        from turntable.renderer.meshes.survey import survey_folder, survey_rows

        for row in survey_rows(survey_folder(what)):
            say(row)
        return 0
    for table in dataset_tables(open_dataset(what)):
        out.print(table)
    return 0


def _inspect_recipe(recipe: "Recipe", plot: Path | None) -> int:
    from turntable.console import recipe_tables
    from turntable.datasets.preview import pseudo_labels
    from turntable.datasets.recipe_plot import plot_recipe
    from turntable.datasets.rotation_overlap import differs, overlap_with_training

    labels = None if recipe.draws == "imported" else pseudo_labels(recipe)
    for table in recipe_tables(recipe, labels):
        out.print(table)
        say("")
    if labels is not None and differs(recipe):
        found = overlap_with_training(recipe)
        degrees = math.degrees(found.least_rad)
        say(f"share of rotations that 3diebench can show too: {found.share:.4f}")
        say(f"nearest found to one that it can: {degrees:.2f} degrees (of {found.samples} rotations drawn)")
    if plot is not None:
        from turntable.datasets.storage import write_bytes

        if labels is None:
            raise InvalidInputError(f"--plot: {recipe.name} draws nothing; its labels were imported")
        write_bytes(plot, plot_recipe(recipe, labels))
        say(f"{plot}")
    return 0


@app.command
def train(
    dataset: Path,
    *,
    method: MethodName,
    out_dir: Annotated[Path, Parameter("--out")],
    preset: Literal["demo", "paper"] = "paper",
    backbone: str | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    seed: int | None = None,
    workers: int | None = None,
    amp: Literal["off", "bf16"] | None = None,
) -> int:
    """Train a method on the train split; the same command resumes a run that was interrupted.

    Args:
        dataset: The folder of the data set.
        method: What to train.
        out_dir: The folder of the run.
        preset: Settings to begin from: the papers' (GPUs, days), or the demo's (two CPU cores, minutes).
        backbone: resnet18 or small.
        epochs: An epoch draws the preset's number of pairs of every object.
        batch_size: Pairs.
        learning_rate: At its highest.
        seed: Of weights, order and pairs.
        workers: Processes that load batches.
        amp: Mixed precision.
    """
    from turntable.console import TrainBar
    from turntable.training import demo_config, paper_config
    from turntable.training import train as train_method

    given = {
        "backbone": backbone,
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "seed": seed,
        "num_workers": workers,
        "amp": amp,
    }
    make = {"demo": demo_config, "paper": paper_config}[preset]
    config = make(method, dataset, **{name: value for name, value in given.items() if value is not None})
    with TrainBar(err, method) as bar:
        train_method(config, out_dir, bar)
    say(f"{out_dir}: trained {method}; next: turntable evaluate {out_dir} {dataset}")
    return 0


@app.command
def evaluate(run: Path, dataset: Path, *, preset: Literal["demo", "paper"] = "paper") -> int:
    """Score a finished run on frozen features: class, rotation between views, and the constant predictor.

    Args:
        run: The folder of the run; gets results.json.
        dataset: The folder of the data set.
        preset: How long the heads are trained: as in the papers, or shortly.
    """
    from turntable.console import results_table
    from turntable.evaluation import ProtocolConfig
    from turntable.evaluation import evaluate as evaluate_run

    config = ProtocolConfig.demo() if preset == "demo" else ProtocolConfig()
    with err.status("evaluating") as status:
        results = evaluate_run(run, dataset, config=config, progress=status.update)
    out.print(results_table([results]))
    say(f"{run / 'results.json'}")
    return 0


@app.command
def serve(*folders: Path, host: str = "127.0.0.1", port: int = 8765) -> int:
    """Serve data sets over HTTP: a catalogue, shards with Range, single views and labels.

    Args:
        folders: Data sets, or folders of some.
        host: The address to listen on; by default only this machine can connect.
        port: Its port.
    """
    from turntable.service import serve as serve_folders

    if not folders:
        raise InvalidInputError("serve what? Give the folder of a data set, or one that holds some")
    serve_folders(folders, host, port)
    return 0


@app.command
def demo(
    *,
    out_dir: Annotated[Path, Parameter("--out")] = Path("runs/demo"),
    objects: int = 960,
    views: int = 20,
    epochs: int | None = None,
) -> int:
    """Render a zoo, verify it, train and evaluate three methods, and leave report.html.

    Args:
        out_dir: Gets everything; the same command goes on where an interrupted one stopped.
        objects: How many objects.
        views: Of each.
        epochs: Of each training.
    """
    from turntable.console import ConsoleStage, default_workers, results_table
    from turntable.demo import DemoConfig, run_demo

    config = DemoConfig(out_dir, objects, views, default_workers())
    report = run_demo(config if epochs is None else config.with_epochs(epochs), ConsoleStage(err))
    out.print(results_table(report.results))
    say(f"Look at {report.page}")
    return 0


@app.command
def doctor() -> int:
    """List the devices that can render, with their drivers, and say what is missing and how to mend it."""
    from turntable.doctor import examine

    findings = examine()
    for finding in findings:
        away = "red" if finding.needed else "yellow"
        style = {"ok": "green", "warning": "bold yellow", "missing": away}[finding.state]
        say(f"{finding.state:8s}", style=style, end="")
        say(f"{finding.what}: {finding.detail}")
    return int(any(finding.state == "missing" and finding.needed for finding in findings))
