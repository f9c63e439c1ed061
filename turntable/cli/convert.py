"""Commands that convert data sets between shards and the folders in which 3DIEBench is published."""

from pathlib import Path
from shlex import quote
from typing import Annotated

import cyclopts

from turntable.choices import ChannelOrder, SourceName
from turntable.cli.base import (
    DATA,
    MACHINE,
    OUTPUT,
    LinksUnderOption,
    app,
    err,
    format_examples,
    make_option,
    say,
    warn,
)
from turntable.cli.rendering import print_dataset_summary
from turntable.errors import InvalidInputError

convert = cyclopts.App(
    name="convert", help="Convert data sets between shards and the layout in which 3DIEBench is published."
)
app.command(convert)


@convert.command(
    name="import",
    help_epilogue=format_examples(
        "turntable convert import 3DIEBench --out 3diebench --split val_images.npy --split train_images.npy",
        "turntable convert import my-folder --like my-recipe.toml --channel-order rgb --out my-set",
    ),
)
def convert_import(
    folder: Path,
    *,
    out_dir: Annotated[Path, make_option(OUTPUT, "--out")],
    like: Annotated[str | None, make_option(DATA, default="3diebench or 3diebench-t, by the labels")] = None,
    name: Annotated[str | None, make_option(OUTPUT, default="the recipe's")] = None,
    channel_order: Annotated[ChannelOrder | None, make_option(DATA, default="bgr")] = None,
    split: Annotated[tuple[Path, ...], make_option(DATA, default="by turntable's own rule")] = (),
    source: Annotated[SourceName | None, make_option(DATA, default="shapenet")] = None,
    licence: Annotated[str | None, make_option(DATA, default="ShapeNet's")] = None,
    views: Annotated[
        int | None, make_option(DATA, default="as many as most of the first objects have")
    ] = None,
    threads: Annotated[int | None, make_option(MACHINE, default="one per core")] = None,
    links_under: LinksUnderOption = (),
) -> int:
    """Write shards from a folder in 3DIEBench's layout. Run the same command again to resume.

    Of a folder that turntable convert export has written, its export.json gives recipe, name, channel order,
    splits, source and licence; options have precedence.

    Args:
        folder: Folder that holds {synset}/{id}/image_{view}.jpg and latent_{view}.npy.
        out_dir: Folder of the new data set.
        like: Recipe (name or TOML file) with the ranges that the labels lie in.
        name: Name of the data set.
        channel_order: Order of the channels in the JPEG files; the published ones have red and blue swapped
            (bgr).
        split: SIE's val_images.npy and train_images.npy, which say which objects are in which split.
        source: Kind of meshes that the images were rendered from.
        licence: License of those meshes.
        views: Number of views of each object.
        threads: Number of threads that read and check files.
        links_under: Folder into which links in FOLDER may point, besides FOLDER itself and the hub's cache.
    """
    from turntable.console import CountBar
    from turntable.datasets import import_folder
    from turntable.datasets.convert import ImportSettings
    from turntable.renderer.scene import DEFAULT_CAMERA

    settings = ImportSettings(channel_order, like, name, source, licence, views)
    with CountBar(err, "objects") as bar:
        manifest = import_folder(
            folder,
            out_dir,
            settings=settings,
            split_lists=split,
            describe_camera=DEFAULT_CAMERA.describe,
            warn=warn,
            num_threads=threads,
            progress=bar,
            links_under=links_under,
        )
    print_dataset_summary(str(out_dir), out_dir, manifest)
    return 0


@convert.command(
    name="export", help_epilogue=format_examples("turntable convert export my-set --out my-set-folders")
)
def convert_export(
    dataset: str,
    *,
    out_dir: Annotated[Path, make_option(OUTPUT, "--out")],
    form: Annotated[str | None, make_option(OUTPUT, default="3DIEBench's layout")] = None,
    channel_order: Annotated[
        ChannelOrder | None, make_option(OUTPUT, default="as stored, byte for byte")
    ] = None,
    threads: Annotated[int | None, make_option(MACHINE, default="one per core")] = None,
    links_under: LinksUnderOption = (),
) -> int:
    """Write a data set in 3DIEBench's layout, for the original training code, or a modality in another form.

    In 3DIEBench's layout, run the same command again to resume.

    Args:
        dataset: Folder of the data set, or its URL (https://, s3://, gs://).
        out_dir: Folder for {synset}/{id}/image_{view}.jpg, latent_{view}.npy and the lists of the splits.
        form: Form of another modality; the page Convert data sets of the documentation lists them.
        channel_order: Order of the channels in the JPEG files, in 3DIEBench's layout.
        threads: Number of threads that write files, in 3DIEBench's layout.
        links_under: Folder into which links of the data set may point, besides its own folder and the hub's
            cache.
    """
    from turntable.console import CountBar
    from turntable.datasets import export_folder
    from turntable.datasets.convert import export_form

    if form is not None:
        _refuse_layout_options(channel_order, threads)
        with CountBar(err, "objects") as bar:
            num_objects = export_form(dataset, out_dir, form, progress=bar, links_under=links_under)
        say(f"{out_dir}: {num_objects} objects as {form}")
        return 0
    with CountBar(err, "objects") as bar:
        exported = export_folder(
            dataset,
            out_dir,
            channel_order=channel_order,
            num_threads=threads,
            progress=bar,
            links_under=links_under,
        )
    for note in exported.notes:
        say(f"note: {note}")
    say(f"{out_dir}: {exported.num_images} views of {exported.num_objects} objects")
    say(
        f"next: train the original code on {out_dir}, or read it back with turntable convert import "
        f"{quote(str(out_dir))}"
    )
    return 0


def _refuse_layout_options(channel_order: ChannelOrder | None, threads: int | None) -> None:
    """Refuse the options of 3DIEBench's layout, which other forms do not have."""
    if channel_order is not None or threads is not None:
        raise InvalidInputError("--channel-order and --threads are for 3DIEBench's layout; leave --form out")
