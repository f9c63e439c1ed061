"""Commands that bring data sets from place to place: copy, publish."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from turntable.cli.base import OUTPUT, LinksUnderOption, app, err, format_examples, make_option, say
from turntable.errors import InvalidInputError
from turntable.sizes import format_bytes

if TYPE_CHECKING:
    from turntable.datasets.copying import CopyCounts


@app.command(
    help_epilogue=format_examples(
        "turntable copy https://data.example.org/datasets/my-set my-set",
        "turntable copy my-set s3://bucket/my-set",
        "turntable copy s3://bucket/my-set gs://bucket/my-set",
    )
)
def copy(source: str, destination: str, *, links_under: LinksUnderOption = ()) -> int:
    """Copy a data set from any place to any place that can be written, and verify every file.

    Run the same command again to resume. The manifest is written last, so a reader who finds it finds the
    whole data set.

    Args:
        source: The data set: a folder, or its URL (https://, s3://, gs://).
        destination: Place that is to hold it: a folder, s3://bucket/folder or gs://bucket/folder. It must be
            new or empty, or hold all or part of the same data set.
        links_under: Folder into which links of a data set in a folder may point, besides its own folder and
            the hub's cache.
    """
    _say_counts(destination, _copy(source, destination, links_under))
    return 0


@app.command(
    help_epilogue=format_examples(
        "turntable publish my-set s3://bucket/my-set", "turntable publish my-set --hub my-set-on-the-hub"
    )
)
def publish(
    dataset: str,
    place: str | None = None,
    *,
    hub: Annotated[Path | None, make_option(OUTPUT)] = None,
    links_under: LinksUnderOption = (),
) -> int:
    """Upload a finished data set and verify every file, or prepare a folder for the Hugging Face hub.

    With PLACE it does what turntable copy does. Run the same command again to resume. The manifest is
    uploaded last, so a reader who finds it finds the whole data set.

    Args:
        dataset: Folder of the data set; or, with PLACE, its URL.
        place: Destination: s3://bucket/folder, gs://bucket/folder, or another folder.
        hub: Folder to write in the hub's layout; upload it with hf upload.
        links_under: Folder into which links of the data set may point, besides its own folder and the hub's
            cache.
    """
    from turntable.datasets import prepare_hub_folder

    if (place is None) == (hub is None):
        raise InvalidInputError(
            "no destination; give either s3://BUCKET/FOLDER (or gs://, or a folder) or --hub FOLDER"
        )
    if place is not None:
        _say_counts(place, _copy(dataset, place, links_under))
    elif hub is not None:
        prepare_hub_folder(dataset, hub, links_under=links_under)
        say(f"{hub} is ready: hf upload --repo-type dataset USER/NAME {hub}")
    return 0


def _copy(source: str, destination: str, links_under: tuple[Path, ...]) -> "CopyCounts":
    from turntable.console import ByteBar
    from turntable.datasets import copy_dataset

    with ByteBar(err) as bar:
        return copy_dataset(source, destination, bar, links_under=links_under)


def _say_counts(place: str, counts: "CopyCounts") -> None:
    sent = f"{counts.num_sent} files sent ({format_bytes(counts.sent_bytes)})"
    say(f"{place}: {sent}, {counts.num_present} were already there")
