"""Commands that move data sets between shards and the published folders."""

from pathlib import Path
from typing import Annotated, Any

import cyclopts
from cyclopts import Parameter

from turntable.choices import ChannelOrder, SourceName
from turntable.cli.base import LinksUnder, app, err, say
from turntable.cli.rendering import say_finished

convert = cyclopts.App(name="convert", help="Move data sets between shards and the published folders.")
app.command(convert)


@convert.command(name="import")
def convert_import(
    folder: Path,
    *,
    out_dir: Annotated[Path, Parameter("--out")],
    like: str | None = None,
    name: str | None = None,
    channel_order: ChannelOrder = "bgr",
    split: tuple[Path, ...] = (),
    source: SourceName = "shapenet",
    licence: str | None = None,
    views: int | None = None,
    threads: int | None = None,
    links_under: LinksUnder = (),
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
        links_under: A folder that links in FOLDER may lead to, beside FOLDER itself and the hub's cache.
    """
    from turntable.console import CountBar
    from turntable.datasets import import_folder
    from turntable.datasets.convert import Origin
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
            links_under=links_under,
        )
    say_finished(str(out_dir), out_dir, manifest)
    return 0


@convert.command(name="export")
def convert_export(
    dataset: Path,
    *,
    out_dir: Annotated[Path, Parameter("--out")],
    channel_order: ChannelOrder | None = None,
    threads: int | None = None,
    links_under: LinksUnder = (),
) -> int:
    """Write a data set as 3DIEBench is published, for the original training code; the same command resumes.

    Args:
        dataset: The folder of the data set.
        out_dir: Gets {synset}/{id}/image_{view}.jpg, latent_{view}.npy and the lists of the splits.
        channel_order: Of the JPEGs; by default they are copied byte for byte.
        threads: That write; one a core by default.
        links_under: A folder that links of the data set may lead to, beside its own and the hub's cache.
    """
    from turntable.console import CountBar
    from turntable.datasets import export_folder

    with CountBar(err, "objects") as bar:
        done = export_folder(
            dataset,
            out_dir,
            channel_order=channel_order,
            threads=threads,
            progress=bar,
            links_under=links_under,
        )
    for note in done.notes:
        say(f"note: {note}")
    say(f"{out_dir}: {done.images} views of {done.objects} objects")
    return 0
