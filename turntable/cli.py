"""The command line: a thin edge over the package. Each command is one function; errors become one line."""

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import cyclopts
from cyclopts import Parameter
from rich.console import Console

import turntable
from turntable.errors import TurntableError

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
SourceName = Literal["zoo", "shapenet", "folder"]
MethodName = Literal["sie", "vicreg", "supervised"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of the ``turntable`` command: exit status 2 where the user can act on an error."""
    try:
        sys.exit(app(sys.argv[1:] if arguments is None else arguments) or 0)
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
    out_dir: Annotated[Path, Parameter("--out")],
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
    workers: int | None = None,
    backend: str = "auto",
    device: str = "auto",
) -> int:
    """Render a data set; the same command resumes one that was interrupted.

    Args:
        recipe: The name of a shipped recipe (3diebench, 3diebench-t, zoo) or a TOML file.
        out_dir: The folder of the data set.
        meshes: The folder of the meshes; the zoo needs none.
        source: Where meshes come from, if not as the recipe says.
        objects: At most so many objects, taken in turn from every category.
        views: Views of each object.
        image_size: Width and height in pixels.
        seed: Of the factors' draws.
        quality: How much work goes into a picture.
        supersampling: Samples a pixel along each axis, if not as many as the quality has.
        outputs: What to keep of each view, with commas: rgb,mask,depth,normals,coordinates.
        points: So many places on each object's surface, as a point cloud.
        workers: Processes; one a core by default.
        backend: moderngl (OpenGL), embree (rays on the processor) or pyrender; by default the best there is.
        device: Where: software, egl:N or cuda:N, or several with commas; by default every GPU there is.
    """
    from turntable.console import RenderBar, default_workers
    from turntable.datasets.quarantine import QUARANTINE_NAME, WARNINGS_NAME, read_quarantine
    from turntable.datasets.recipe import load_recipe
    from turntable.renderer import generate, open_source

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
    with RenderBar(err) as bar:
        manifest = generate(
            changed,
            meshes_of,
            out_dir,
            objects=objects,
            workers=workers or default_workers(),
            backend=backend,
            device=device,
            progress=bar,
            warn=warn,
        )
    totals = manifest.totals
    say(f"{out_dir}: {totals.images} views of {totals.objects} objects in {len(manifest.shards)} shards")
    if manifest.quarantined:
        reasons = out_dir / QUARANTINE_NAME
        say(f"{manifest.quarantined} objects were left out; the reasons are in {reasons}")
    incomplete = read_quarantine(out_dir / WARNINGS_NAME)
    if incomplete:
        say(f"{len(incomplete)} textures or materials are missing, as listed in {out_dir / WARNINGS_NAME}")
    say(f"fingerprint {manifest.fingerprint}")
    return 0


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
def verify(dataset: Path) -> int:
    """Check every count, hash, image and label of a data set; exit 1 with a list where something is wrong.

    Args:
        dataset: The folder of the data set.
    """
    from turntable.console import CountBar
    from turntable.datasets.verify import verify as verify_dataset

    with CountBar(err, "shards") as bar:
        report = verify_dataset(dataset, bar)
    for problem in report.problems:
        say(problem)
    if not report.ok:
        say(f"{dataset}: {len(report.problems)} problems")
        return 1
    counts = f"{report.images} images of {report.objects} objects in {report.shards} shards"
    say(f"{dataset}: all is well: {counts}")
    return 0


@app.command
def inspect(dataset: Path) -> int:
    """Say what a data set is: objects, categories, factors, shards, what drew it.

    Args:
        dataset: The folder of the data set.
    """
    from turntable.console import dataset_tables
    from turntable.datasets.dataset import open_dataset

    for table in dataset_tables(open_dataset(dataset)):
        out.print(table)
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
    from turntable.errors import InvalidInputError
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
