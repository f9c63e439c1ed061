"""Commands that check or describe data sets, recipes and folders of meshes: verify, inspect."""

import math
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from turntable.choices import GENERATED_SOURCES, SourceName
from turntable.cli.base import (
    BACKEND_DEFAULT,
    DATA,
    DEVICE_DEFAULT,
    LIMITS,
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
    from turntable.datasets import Dataset, Recipe
    from turntable.datasets.describing import JointPreview, PathPreview
    from turntable.datasets.verification import CheckReport
    from turntable.renderer.meshes.sources import MeshSource
    from turntable.renderer.replay import RerenderReport


@app.command(
    help_epilogue=format_examples(
        "turntable verify my-set",
        "turntable verify my-set --deep",
        "turntable verify s3://bucket/my-set",
        "turntable verify 3diebench --views 100 --meshes ShapeNetCore.v2",
    )
)
def verify(
    dataset: str,
    *,
    deep: Annotated[bool, make_option(DATA)] = False,
    views: Annotated[
        int | None, make_option(DATA, default="32 with --meshes, or with --deep for generated ones")
    ] = None,
    meshes: Annotated[Path | None, make_option(DATA)] = None,
    source: Annotated[SourceName | None, make_option(DATA, default="as the manifest says")] = None,
    backend: Annotated[str, make_option(MACHINE, default=BACKEND_DEFAULT)] = "auto",
    device: Annotated[str, make_option(MACHINE, default=DEVICE_DEFAULT)] = "auto",
    links_under: LinksUnderOption = (),
) -> int:
    """Check every file of a data set against its manifest.

    Problems are listed, and then the exit status is 1. A data set at a URL is fetched for it, a few shards at
    a time, and not kept.

    Args:
        dataset: Folder of the data set, or its URL (https://, s3://, gs://).
        deep: Also decode every image, draw every label again, test the labels' distributions, and render some
            views again if the meshes are available (--meshes, or generated ones).
        views: Number of views to render again, chosen at random; 0 for none.
        meshes: Folder of the meshes that the data set was rendered from.
        source: Kind of meshes in that folder.
        backend: Renderer for the comparison: moderngl, embree or pyrender.
        device: Device to render on: software, egl:N or cuda:N.
        links_under: Folder into which links of the data set and of the meshes may point, besides their own
            folders and the hub's cache.
    """
    from turntable.console import CountBar
    from turntable.datasets import verify_dataset
    from turntable.datasets.stores import hide_password

    with CountBar(err, "shards") as bar:
        report = verify_dataset(dataset, bar, deep=deep, links_under=links_under)
    reports: list[CheckReport] = [report]
    rendered = ""
    if report.ok:  # a damaged data set may have nothing to compare with
        places = meshes, links_under
        comparison = _rerender_views(dataset, deep, views, places, source, (backend, device))
        if comparison is not None:
            reports.append(comparison)
            worst = f", lowest PSNR {comparison.worst_psnr_db:.1f} dB" if report.num_images else ""
            rendered = f"; {comparison.num_views} views made again{worst}"
    problems = [problem for each in reports for problem in each.problems]
    for problem in problems:
        say(problem)
    for each in reports:
        for note in each.notes:
            say(f"note: {note}")
    shown = hide_password(dataset)
    if problems:
        say(f"{shown}: {len(problems)} problems")
        return 1
    images = f"{report.num_images} images of " if report.num_images else ""
    counts = f"{images}{report.num_objects} objects in {report.num_shards} shards"
    how = "every file decoded" if deep else "checked by their hashes"
    say(f"{shown}: no problems: {counts}, {how}{rendered}")
    return 0


def _rerender_views(
    dataset: str,
    deep: bool,
    views: int | None,
    meshes_and_links_under: tuple[Path | None, tuple[Path, ...]],
    source: SourceName | None,
    backend_and_device: tuple[str, str],
) -> "RerenderReport | None":
    """Render some views again and compare them; return None if not requested or without meshes."""
    from turntable.datasets import open_dataset
    from turntable.datasets.labels import VIEW_ARRAYS

    manifest = open_dataset(dataset).manifest
    name = source or str(manifest.source.get("name", ""))
    meshes, links_under = meshes_and_links_under
    is_requested = views is not None or meshes is not None
    num_views = 32 if views is None else views
    if num_views == 0 or not (is_requested or (deep and name in GENERATED_SOURCES)):
        return None
    from turntable.console import CountBar
    from turntable.renderer.backends import select_backend
    from turntable.renderer.meshes.sources import reopen_source
    from turntable.renderer.replay import rerender

    mesh_source = reopen_source(manifest, name, meshes, links_under=links_under)
    # A set of arrays alone needs no device.
    is_drawn = any(output not in VIEW_ARRAYS for output in manifest.outputs)
    opened = select_backend(*backend_and_device).open() if is_drawn else nullcontext()
    with opened as renderer, CountBar(err, "views") as bar:
        return rerender(dataset, mesh_source, renderer, num_views=num_views, progress=bar)


@app.command(
    help_epilogue=format_examples(
        "turntable inspect",
        "turntable inspect my-set",
        "turntable inspect zoo --toml",
        "turntable inspect https://data.example.org/datasets/my-set",
        "turntable inspect 3diebench --plot labels.png",
        "turntable inspect articulated --objects 12",
        "turntable inspect ShapeNetCore.v2",
        "turntable inspect my-meshes --source folder --objects 100",
    )
)
def inspect(
    what: Annotated[str | None, Parameter(show_default=False)] = None,
    *,
    toml: Annotated[bool, make_option(OUTPUT, negative="")] = False,
    source: Annotated[SourceName | None, make_option(DATA, default="as the folder looks")] = None,
    objects: Annotated[int | None, make_option(DATA, default="1000, or all if there are fewer")] = None,
    symmetry: Annotated[bool, make_option(DATA)] = False,
    plot: Annotated[Path | None, make_option(OUTPUT)] = None,
    load_seconds: Annotated[float, make_option(LIMITS)] = 120,
    load_memory: Annotated[float, make_option(LIMITS)] = 8,
    links_under: LinksUnderOption = (),
) -> int:
    """Describe a data set, the labels that a recipe will draw, or the meshes in a folder.

    Without an argument, the recipes that come with the package are listed.

    Meshes are loaded, and it says which objects a run would leave out, and which it would show otherwise than
    their files say.

    Args:
        what: Folder or URL of a data set, or folder of meshes; or a recipe, by its name or its TOML file.
        toml: Print the recipe as TOML instead, to copy and change it; also the recipe of a data set.
        source: Kind of meshes in that folder.
        objects: Number of objects to load, at even distances in the list; 0 for none. For a recipe of
            articulated objects, the number of those whose parts and joints are listed.
        symmetry: Also measure the symmetry of the meshes that are loaded.
        plot: PNG file to write: of a recipe, with histograms of the labels that it draws, its scenes from
            above, the joints of some objects, and the paths of what moves in some sequences; of a data set,
            with the clouds, tracks, scans, graphs or molecules of some objects.
        load_seconds: Longest time for loading an object's files; a run leaves out an object that takes
            longer.
        load_memory: Most memory for loading an object's files, in GiB; a run leaves out an object that needs
            more.
        links_under: Folder into which links in the folder of the meshes may point, besides that folder and
            the hub's cache.
    """
    from turntable.datasets import list_shipped_recipes, load_recipe
    from turntable.datasets.stores import hide_password, normalize_place

    if plot is not None and (toml or what is None):
        raise InvalidInputError("--plot draws a recipe or a data set: name one, and leave --toml out")
    if what is None:
        return _list_recipes()
    if toml:
        say(_read_toml(what), end="")
        return 0
    place = normalize_place(what)
    is_url = isinstance(place, str)
    path = Path(what) if is_url else place
    if not is_url and (path.suffix == ".toml" or what in list_shipped_recipes()) and not path.is_dir():
        recipe = load_recipe(path)
        _check_for_meshes(what, source, None if recipe.source == "articulated" else objects, links_under)
        return _inspect_recipe(recipe, plot, objects)
    if not is_url and not path.is_dir():
        raise InvalidInputError(
            f"{what} is neither a folder nor a TOML file nor a recipe; give a folder of a data set or of "
            f"meshes, or one of the recipes {', '.join(list_shipped_recipes())}"
        )
    from turntable.console import build_dataset_tables
    from turntable.datasets import MANIFEST_NAME, open_dataset

    if not is_url and not (path / MANIFEST_NAME).exists():
        from turntable.renderer.meshes.sources import open_detected_source

        if plot is not None:
            raise InvalidInputError(f"--plot is for recipes and data sets, and {what} is neither")
        opened = open_detected_source(path, source, links_under=links_under)
        _inspect_meshes(opened, objects, (load_seconds, load_memory), symmetry)
        return 0
    _check_for_meshes(what, source, objects, links_under)
    if symmetry:
        raise InvalidInputError(
            f"--symmetry is for meshes, and {hide_password(what)} is a data set; render it with --symmetry "
            "to record them"
        )
    opened = open_dataset(place)
    for table in build_dataset_tables(opened):
        out.print(table)
    if plot is not None:
        _plot_objects(opened, plot)
    return 0


def _plot_objects(dataset: "Dataset", plot: Path) -> None:
    """Draw the arrays of some objects of a data set into a PNG file."""
    from turntable.datasets.describing import plot_objects
    from turntable.datasets.files import write_bytes

    with dataset.open_split(dataset.splits[0]) as split:
        write_bytes(plot, plot_objects(split))
    say(f"{plot}")


def _list_recipes() -> int:
    """Print the shipped recipes, a line each, and what else can be inspected."""
    from importlib import resources

    from turntable.datasets import list_shipped_recipes, load_recipe

    names = list_shipped_recipes()
    width = max(map(len, names))
    say("Recipes that come with the package:")
    for name in names:
        say(f"  {name:{width}}  {load_recipe(name).description}")
    say("turntable inspect RECIPE describes its labels, and turntable render RECIPE --out DIR renders it.")
    say("turntable inspect RECIPE --toml > mine.toml copies one; the name of a TOML file is a recipe too.")
    say(f"Their files are in {resources.files('turntable.datasets.recipes')}")
    say("turntable inspect DIR describes a data set, or a folder of meshes before it is rendered.")
    return 0


def _read_toml(what: str) -> str:
    """Return a recipe as TOML: a shipped one as its file has it, any other, or a data set's, anew."""
    from turntable.datasets import (
        MANIFEST_NAME,
        list_shipped_recipes,
        load_recipe,
        open_dataset,
        read_manifest_recipe,
    )
    from turntable.datasets.recipes import read_shipped_recipe
    from turntable.datasets.stores import normalize_place

    place = normalize_place(what)
    if isinstance(place, str) or (place / MANIFEST_NAME).exists():
        return read_manifest_recipe(open_dataset(place).manifest).to_toml()
    return read_shipped_recipe(what) if what in list_shipped_recipes() else load_recipe(place).to_toml()


def _check_for_meshes(
    what: str, source: SourceName | None, objects: int | None, links_under: tuple[Path, ...]
) -> None:
    """Check that no option for meshes was given with something else."""
    from turntable.datasets.stores import hide_password

    given = ("source", source), ("objects", objects), ("links-under", links_under or None)
    for name, value in given:
        if value is not None:
            raise InvalidInputError(
                f"--{name} is for folders of meshes, and {hide_password(what)} is none; leave it out"
            )


def _inspect_meshes(
    source: "MeshSource", num_objects: int | None, seconds_and_gib: tuple[float, float], symmetry: bool
) -> None:
    from turntable.console import CountBar
    from turntable.renderer.meshes import make_warning_records
    from turntable.renderer.meshes.sources import (
        SymmetrySource,
        find_folder_problems,
        format_survey,
        survey_source,
    )
    from turntable.renderer.runs import (
        LoadLimits,
        format_folder_warnings,
        format_inspection,
        format_symmetry,
        inspect_meshes,
    )

    try:
        survey = survey_source(source)
    except InvalidInputError:
        # The folder may hold no meshes because of its problems, such as formats that are not read.
        for row in format_folder_warnings(make_warning_records("", find_folder_problems(source))):
            say(row)
        raise
    for row in format_survey(survey):
        say(row)
    seconds, gib = seconds_and_gib
    with CountBar(err, "objects") as bar:
        limits = LoadLimits(seconds, int(gib * 2**30))
        measured = SymmetrySource(source) if symmetry else source
        found = inspect_meshes(measured, num_objects, limits=limits, progress=bar)
    for row in format_inspection(found):
        say(row)
    for row in format_symmetry(found) if symmetry else ():
        say(row)


def _make_motion_previews(
    recipe: "Recipe",
) -> tuple[tuple["JointPreview", ...], tuple["PathPreview", ...]]:
    """Return the joints and the motion that a plot of a recipe shows, and say what it cannot show."""
    if recipe.joints is None and recipe.sequence is None:
        return (), ()
    from turntable.renderer import make_joint_previews, make_path_previews

    moves_files = recipe.source not in GENERATED_SOURCES
    if moves_files and (recipe.joints is not None or recipe.dynamics is not None):
        say("note: joints and parts are those of the mesh files, which are not plotted")
    return make_joint_previews(recipe), make_path_previews(recipe)


def _inspect_recipe(recipe: "Recipe", plot: Path | None, objects: int | None) -> int:
    from turntable.console import build_recipe_tables
    from turntable.datasets.describing import plot_recipe
    from turntable.datasets.draws import compute_training_overlap, draw_pseudo_labels, has_different_rotations

    labels = None if recipe.draws == "imported" else draw_pseudo_labels(recipe)
    for table in build_recipe_tables(recipe, labels):
        out.print(table)
        say("")
    if (
        labels is not None
        and recipe.scene is None
        and recipe.street is None
        and has_different_rotations(recipe)
    ):
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
        joints, paths = _make_motion_previews(recipe)
        write_bytes(plot, plot_recipe(recipe, labels, joints, paths))
        say(f"{plot}")
    if objects is not None:
        from turntable.renderer import open_source
        from turntable.renderer.meshes.sources import format_parts

        for row in format_parts(open_source(recipe.source, None, objects)):
            say(row)
    return 0
