"""Loading of matplotlib and drawing with it, without notices that users of a report can do nothing about."""

import logging
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from turntable.errors import StoreError
from turntable.extras import explain_import_errors

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def load_figure_class() -> "type[Figure]":
    """Import matplotlib and return its class of figures.

    Raises:
        MissingExtraError: It is not installed.
        StoreError: It finds no folder for its cache that it can write to.
    """
    with ignore_notices(), explain_import_errors("matplotlib"):
        try:
            from matplotlib.figure import Figure
        except OSError as error:
            raise StoreError(
                f"matplotlib finds no folder that it can write to ({error}); set MPLCONFIGDIR to one"
            ) from error
    return Figure


@contextmanager
def ignore_notices() -> Generator[None]:
    """Keep matplotlib's notices about its cache and about signs that its font lacks from the console.

    A name with such signs has boxes in a figure; the tables of the page have it as it is.
    """
    logger = logging.getLogger("matplotlib")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r"Glyph .* missing from")
            yield
    finally:
        logger.setLevel(before)
