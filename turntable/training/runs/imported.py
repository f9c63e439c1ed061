"""Runs that were trained elsewhere: a published checkpoint as a finished run, to be evaluated as any is."""

from pathlib import Path

from turntable.choices import PublishedKind
from turntable.errors import InvalidInputError
from turntable.models import Normalize
from turntable.models.weights import read_published
from turntable.training.runs.checkpoints import check_fit, load_weights, save_weights
from turntable.training.runs.data import training_data
from turntable.training.runs.folder import Run, begin_run, new_method, plan_run, planned_method
from turntable.training.runs.presets import paper_config


def import_checkpoint(
    file: Path | str, dataset: Path | str, out_dir: Path | str, kind: PublishedKind | None = None
) -> Run:
    """Make a finished run of a checkpoint of SIE's, EquiCaps' or seq-JEPA's code.

    Args:
        file: As the published code saved it.
        dataset: Whose colours normalise the images: 3DIEBench, converted, for the published weights.
        out_dir: Gets config.json and weights.pt.
        kind: What the file should be; None leaves it to the file.

    Returns:
        The run.

    Raises:
        InvalidInputError: The file is of another kind, or the folder holds another run.
        IntegrityError: It is damaged; or a weight is missing, superfluous, of another shape or not finite.
    """
    published = read_published(file, kind)
    config = paper_config(
        published.method,
        dataset,
        method_config=published.config,
        backbone=published.backbone,
        image_size=published.image_size_px,
    )
    run = plan_run(Path(out_dir), config, training_data(config))
    if run.weights.exists():
        raise InvalidInputError(f"{out_dir} holds a finished run; import into another folder")
    colors = Normalize(run.data.mean, run.data.std).state_dict()
    weights = {**{f"normalize.{name}": value for name, value in colors.items()}, **published.weights}
    check_fit(planned_method(run), weights, Path(file))  # before there is memory for what they should fit
    method = new_method(run)
    load_weights(method, weights, Path(file))
    begin_run(run)
    save_weights(run.weights, method.state_dict())
    return run
