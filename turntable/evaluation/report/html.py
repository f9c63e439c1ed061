"""HTML templates, and images as data URLs, for pages that need no other file."""

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from turntable.evaluation.report.plots import plot_training_curves
from turntable.evaluation.report.report_summaries import RunSummary
from turntable.extras import explain_import_errors


def curves_to_url(runs: Sequence[RunSummary], with_terms: bool = True) -> str | None:
    """Plot the losses of trainings as a data URL; None if no run has losses.

    Args:
        runs: Runs, in the order to show.
        with_terms: True to plot the terms of the losses too.
    """
    trained = [run for run in runs if run.losses]
    if not trained:
        return None
    panels = [(run.name, {"loss": run.losses, **(run.terms if with_terms else {})}) for run in trained]
    return image_to_url(plot_training_curves(panels))


def image_to_url(image: bytes) -> str:
    """Return a PNG or JPEG as a data URL."""
    kind = "png" if image.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(image).decode('ascii')}"


def load_template(name: str, *folders: Path) -> Any:
    """Load a template by its name.

    Args:
        name: Name of the file.
        folders: Folders that are searched for it and for its includes, before the folder of this module.

    Raises:
        MissingExtraError: Jinja2 is not installed.
    """
    with explain_import_errors("jinja2"):
        import jinja2
    loader = jinja2.FileSystemLoader([*folders, Path(__file__).parent])
    environment = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.get_template(name)
