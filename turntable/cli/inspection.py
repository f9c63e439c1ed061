"""Commands that check or describe data sets, recipes and folders of meshes: verify, inspect."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from turntable.choices import SourceName
from turntable.cli.base import (
    BACKEND_DEFAULT,
    DATA,
    DEVICE_DEFAULT,
    MACHINE,
    OUTPUT,
    LinksUnderOption,
    app,
    err,
    format_examples,
    make_option,
    out,
    say,
)
from turntable.errors import InvalidInputError

if TYPE_CHECKING:
    from turntable.datasets import Recipe
    from turntable.datasets.verification import CheckReport
    from turntable.renderer.replay import RerenderReport


@app.command(
    help_epilogue=format_examples(
        "turntable verify my-set",
        "turntable verify my-set --deep",
        "turntable verify 3diebench --views 100 --meshes ShapeNetCore.v2",
    )
)
def verify(
    dataset: Path,
    *,
    deep: Annotated[bool, make_option(DATA)] = False,
    views: Annotated[
        int | None, make_option(DATA, default="32 with --meshes, or with --deep for the zoo")
    ] = None,
    meshes: Annotated[Path | None, make_option(DATA)] = None,
    source: Annotated[SourceName | None, make_option(DATA, default="as the manifest says")] = None,
    backend: Annotated[str, make_option(MACHINE, default=BACKEND_DEFAULT)] = "auto",
    device: Annotated[str, make_option(MACHINE, default=DEVICE_DEFAULT)] = "auto",
    links_under: LinksUnderOption = (),
) -> int:
    """Check every file of a data set against its manifest.

    Problems are listed, and then the exit status is 1.

    Args:
        dataset: Folder of the data set.
        deep: Also decode every image, draw every label again, test the labels' distributions, and render some
            views again if the meshes are available (--meshes, or the zoo).
        views: Number of views to render again, chosen at random; 0 for none.
        meshes: Folder of the meshes that the data set was rendered from.
        source: Kind of meshes in that folder.
        backend: Renderer for the comparison: moderngl, embree or pyrender.
        device: Device to render on: software, egl:N or cuda:N.
        links_under: Folder into which links of the data set may point, besides its own folder and the hub's
            cache.
    """
    from turntable.console import CountBar
    from turntable.datasets import verify_dataset

    with CountBar(err, "shards") as bar:
        report = verify_dataset(dataset, bar, deep=deep, links_under=links_under)
    reports: list[CheckReport] = [report]
    rendered = ""
    if report.ok:  # a damaged data set may have nothing to compare with
        comparison = _rerender_views(dataset, deep, views, meshes, source, (backend, device))
        if comparison is not None:
            reports.append(comparison)
            worst = f"{comparison.worst_psnr_db:.1f} dB"
            rendered = f"; {comparison.num_views} views rendered again, lowest PSNR {worst}"
    problems = [problem for each in reports for problem in each.problems]
    for problem in problems:
        say(problem)
    for each in reports:
        for note in each.notes:
            say(f"note: {note}")
    if problems:
        say(f"{dataset}: {len(problems)} problems")
        return 1
    counts = f"{report.num_images} images of {report.num_objects} objects in {report.num_shards} shards"
    how = "every image decoded" if deep else "checked by their hashes"
    say(f"{dataset}: no problems: {counts}, {how}{rendered}")
    return 0


def _rerender_views(
    dataset: Path,
    deep: bool,
    views: int | None,
    meshes: Path | None,
    source: SourceName | None,
    backend_and_device: tuple[str, str],
) -> "RerenderReport | None":
    """Render some views again and compare them; return None if not requested or without meshes."""
    from turntable.datasets import open_dataset

    name = source or str(open_dataset(dataset).manifest.source.get("name", ""))
    is_requested = views is not None or meshes is not None
    num_views = 32 if views is None else views
    if num_views == 0 or not (is_requested or (deep and name == "zoo")):
        return None
    from turntable.console import CountBar
    from turntable.renderer import open_source
    from turntable.renderer.backends import select_backend
    from turntable.renderer.replay import rerender

    mesh_source = open_source(name, meshes)
    choice = select_backend(*backend_and_device)
    with choice.open() as renderer, CountBar(err, "views") as bar:
        return rerender(dataset, mesh_source, renderer, num_views=num_views, progress=bar)


@app.command(
    help_epilogue=format_examples(
        "turntable inspect my-set",
        "turntable inspect 3diebench --plot labels.png",
        "turntable inspect ShapeNetCore.v2",
    )
)
def inspect(what: Path, *, plot: Annotated[Path | None, make_option(OUTPUT)] = None) -> int:
    """Describe a data set, the labels that a recipe will draw, or the meshes in a folder.

    Args:
        what: Folder of a data set or of meshes; or a recipe, by its name or its TOML file.
        plot: PNG file to write, with histograms of the labels that a recipe draws.
    """
    from turntable.datasets import list_shipped_recipes, load_recipe

    if (what.suffix == ".toml" or str(what) in list_shipped_recipes()) and not what.is_dir():
        return _inspect_recipe(load_recipe(what), plot)
    if plot is not None:
        raise InvalidInputError(f"--plot is for recipes, and {what} is not one")
    if not what.is_dir():
        raise InvalidInputError(
            f"{what} is neither a folder nor a TOML file nor a recipe; give a folder of a data set or of "
            f"meshes, or one of the recipes {', '.join(list_shipped_recipes())}"
        )
    from turntable.console import build_dataset_tables
    from turntable.datasets import MANIFEST_NAME, open_dataset

    if not (what / MANIFEST_NAME).exists():
        from turntable.renderer.meshes.sources import format_survey, survey_folder

        for row in format_survey(survey_folder(what)):
            say(row)
        return 0
    for table in build_dataset_tables(open_dataset(what)):
        out.print(table)
    return 0


def _inspect_recipe(recipe: "Recipe", plot: Path | None) -> int:
    from turntable.console import build_recipe_tables
    from turntable.datasets.describing import plot_recipe
    from turntable.datasets.draws import compute_training_overlap, draw_pseudo_labels, has_different_rotations

    labels = None if recipe.draws == "imported" else draw_pseudo_labels(recipe)
    for table in build_recipe_tables(recipe, labels):
        out.print(table)
        say("")
    if labels is not None and has_different_rotations(recipe):
        overlap = compute_training_overlap(recipe)
        degrees = math.degrees(overlap.min_angle_rad)
        say(f"share of rotations that 3diebench can show too: {overlap.share:.4f}")
        say(
            f"smallest angle to one of them: {degrees:.2f} degrees (of {overlap.num_samples} rotations drawn)"
        )
    if plot is not None:
        from turntable.datasets.files import write_bytes

        if labels is None:
            raise InvalidInputError(
                f"--plot: {recipe.name} draws no labels (they were imported); leave --plot out"
            )
        write_bytes(plot, plot_recipe(recipe, labels))
        say(f"{plot}")
    return 0
