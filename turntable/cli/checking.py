"""Commands that look at what is there: data sets, recipes, meshes."""

import math
from pathlib import Path
from typing import TYPE_CHECKING

from turntable.choices import SourceName
from turntable.cli.base import LinksUnder, app, err, out, say
from turntable.errors import InvalidInputError

if TYPE_CHECKING:
    from turntable.datasets import Recipe
    from turntable.datasets.verification import CheckReport
    from turntable.renderer.replay import Rerendered


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
    links_under: LinksUnder = (),
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
        links_under: A folder that links of the data set may lead to, beside its own and the hub's cache.
    """
    from turntable.console import CountBar
    from turntable.datasets import verify as verify_dataset

    with CountBar(err, "shards") as bar:
        report = verify_dataset(dataset, bar, deep=deep, links_under=links_under)
    reports: list[CheckReport] = [report]
    drawn = ""
    if report.ok:  # else there may be nothing to compare with
        again = _drawn_again(dataset, deep, views, meshes, source, (backend, device))
        if again is not None:
            reports.append(again)
            drawn = f"; {again.views} views drawn again, the worst at {again.worst_psnr_db:.1f} dB"
    problems = [problem for each in reports for problem in each.problems]
    for problem in problems:
        say(problem)
    for each in reports:
        for note in each.notes:
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
    from turntable.datasets import open_dataset

    name = source or str(open_dataset(dataset).manifest.source.get("name", ""))
    asked = views is not None or meshes is not None
    count = 32 if views is None else views
    if count == 0 or not (asked or (deep and name == "zoo")):
        return None
    from turntable.console import CountBar
    from turntable.renderer import open_source
    from turntable.renderer.backends import choose
    from turntable.renderer.replay import rerender

    meshes_of = open_source(name, meshes)
    choice = choose(*drawing)
    with choice.open() as renderer, CountBar(err, "views") as bar:
        return rerender(dataset, meshes_of, renderer, views=count, progress=bar)


@app.command
def inspect(what: Path, *, plot: Path | None = None) -> int:
    """Say what a data set is, what a recipe will draw, or what meshes a folder holds, before any rendering.

    Args:
        what: The folder of a data set or of meshes; or a recipe, by its name or its TOML file.
        plot: Gets a page of pictures of what a recipe draws, as PNG.
    """
    from turntable.datasets import load_recipe, shipped_recipes

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
    from turntable.datasets import MANIFEST_NAME, open_dataset

    if not (what / MANIFEST_NAME).exists():
        from turntable.renderer.meshes.sources import survey_folder, survey_rows

        for row in survey_rows(survey_folder(what)):
            say(row)
        return 0
    for table in dataset_tables(open_dataset(what)):
        out.print(table)
    return 0


def _inspect_recipe(recipe: "Recipe", plot: Path | None) -> int:
    from turntable.console import recipe_tables
    from turntable.datasets.describing import plot_recipe
    from turntable.datasets.draws import differs, overlap_with_training, pseudo_labels

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
        from turntable.datasets.files import write_bytes

        if labels is None:
            raise InvalidInputError(f"--plot: {recipe.name} draws nothing; its labels were imported")
        write_bytes(plot, plot_recipe(recipe, labels))
        say(f"{plot}")
    return 0
