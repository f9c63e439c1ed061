"""Pages complete in themselves: templates, and pictures as URLs that hold them."""

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from turntable.errors import MissingExtraError
from turntable.evaluation.report.figures import training_curves
from turntable.evaluation.report.summaries import RunCurve


def curves_url(runs: Sequence[RunCurve], with_terms: bool = True) -> str | None:
    """Draw the losses of trainings, and return the picture as a URL; None where none has been trained."""
    trained = [run for run in runs if run.losses]
    if not trained:
        return None
    panels = [(run.name, {"loss": run.losses, **(run.terms if with_terms else {})}) for run in trained]
    return image_url(training_curves(panels))


def image_url(image: bytes) -> str:
    """Return a PNG or JPEG as a URL that holds it."""
    kind = "png" if image.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(image).decode('ascii')}"


def open_template(name: str, *folders: Path) -> Any:
    """Open a template by its name.

    Args:
        name: of the file.
        folders: where it and what it includes are looked for, before the folder of this module.

    Raises:
        MissingExtraError: Jinja2 is not installed.
    """
    try:
        import jinja2
    except ImportError as error:
        raise MissingExtraError("Jinja2", "train") from error
    loader = jinja2.FileSystemLoader([*folders, Path(__file__).parent])
    environment = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.get_template(name)
