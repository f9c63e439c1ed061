"""The command line: a thin edge over the package. Each command is one function; errors become one line."""

import sys
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

QualityName = Literal["fast", "standard", "high"]
SourceName = Literal["zoo", "shapenet", "folder"]


def main() -> None:
    """Entry point of the ``turntable`` command: exit status 2 where the user can act on an error."""
    try:
        sys.exit(app() or 0)
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
    workers: int | None = None,
    backend: str = "moderngl",
) -> int:
    """Render a data set; the same command resumes one that was interrupted.

    Parameters
    ----------
    recipe
        The name of a shipped recipe (3diebench, 3diebench-t, zoo) or a TOML file.
    out_dir
        The folder of the data set.
    meshes
        The folder of the meshes; the zoo needs none.
    source
        Where meshes come from, if not as the recipe says.
    objects
        At most so many objects, taken in turn from every category.
    views
        Views of each object.
    image_size
        Width and height in pixels.
    seed
        Of the factors' draws.
    quality
        How much work goes into a picture.
    workers
        Processes; one a core by default.
    backend
        What draws.
    """
    from turntable.console import RenderBar, default_workers
    from turntable.datasets.recipe import load_recipe
    from turntable.renderer import generate, open_source

    changes = {"source": source, "views": views, "image_size_px": image_size, "seed": seed, "quality": quality}
    changed = load_recipe(recipe).replace(**{name: value for name, value in changes.items() if value is not None})
    meshes_of = open_source(changed.source, meshes, objects)
    with RenderBar(err) as bar:
        manifest = generate(
            changed,
            meshes_of,
            out_dir,
            objects=objects,
            workers=workers or default_workers(),
            backend=backend,
            progress=bar.update,
        )
    totals = manifest.totals
    out.print(f"{out_dir}: {totals.images} views of {totals.objects} objects in {len(manifest.shards)} shards")
    if manifest.quarantined:
        out.print(f"{manifest.quarantined} objects were left out; the reasons are in {out_dir / 'quarantine.jsonl'}")
    out.print(f"fingerprint {manifest.fingerprint}")
    return 0


@app.command
def replay(
    latents: Path,
    *,
    meshes: Path,
    out_dir: Annotated[Path, Parameter("--out")],
    image_size: int = 256,
    quality: QualityName = "standard",
    backend: str = "moderngl",
    masks: bool = False,
) -> int:
    """Render exactly the views of a table, as PNG files.

    Parameters
    ----------
    latents
        A CSV file with the columns object (synset/model), view, and the factors by name.
    meshes
        A folder in ShapeNet's layout.
    out_dir
        Gets {synset}/{model}/image_{view}.png.
    image_size
        Width and height in pixels.
    quality
        How much work goes into a picture.
    backend
        What draws.
    masks
        Write mask_{view}.png too: 255 on the object.
    """
    from turntable.console import CountBar
    from turntable.renderer import open_backend, open_source
    from turntable.renderer.backends import quality as quality_named
    from turntable.renderer.replay import read_latents
    from turntable.renderer.replay import replay as replay_views

    table = read_latents(latents)
    source = open_source("shapenet", meshes)
    with open_backend(backend) as renderer, CountBar(err, "views") as bar:
        settings = quality_named(quality)
        done = replay_views(renderer, table, source, out_dir, image_size, settings, masks=masks, progress=bar.update)
    out.print(f"{out_dir}: {done} views")
    return 0


@app.command
def verify(dataset: Path) -> int:
    """Check every count, hash, image and label of a data set; exit 1 with a list where something is wrong.

    Parameters
    ----------
    dataset
        The folder of the data set.
    """
    from turntable.console import CountBar
    from turntable.datasets.verify import verify as verify_dataset

    with CountBar(err, "shards") as bar:
        report = verify_dataset(dataset, bar.update)
    for problem in report.problems:
        out.print(problem, markup=False, highlight=False, soft_wrap=True)
    if not report.ok:
        out.print(f"{dataset}: {len(report.problems)} problems")
        return 1
    out.print(f"{dataset}: all is well: {report.images} images of {report.objects} objects in {report.shards} shards")
    return 0


@app.command
def inspect(dataset: Path) -> int:
    """Say what a data set is: objects, categories, factors, shards, what drew it.

    Parameters
    ----------
    dataset
        The folder of the data set.
    """
    from turntable.console import dataset_tables
    from turntable.datasets.dataset import open_dataset

    for table in dataset_tables(open_dataset(dataset)):
        out.print(table)
    return 0


@app.command
def doctor() -> int:
    """Say which OpenGL device rendering would use, whether it is software, and what is missing."""
    from turntable.doctor import examine

    findings = examine()
    for finding in findings:
        mark, style = ("ok", "green") if finding.ok else ("missing", "red" if finding.needed else "yellow")
        out.print(f"{mark:8s}", style=style, end="")
        out.print(f"{finding.what}: {finding.detail}", markup=False, highlight=False, soft_wrap=True)
    return 0 if all(finding.ok or not finding.needed for finding in findings) else 1
