"""Import of published checkpoints as finished runs, which are evaluated like any other."""

import logging
from pathlib import Path

from turntable.choices import PublishedKind
from turntable.errors import InvalidInputError
from turntable.home import expand_home
from turntable.models import Normalize
from turntable.models.weights import read_published_weights
from turntable.training.runs.checkpoints import check_weights_fit, load_weights, save_weights
from turntable.training.runs.data import describe_training_data
from turntable.training.runs.folder import Run, build_meta_method, build_run_method
from turntable.training.runs.output_folder import hold_output_folder
from turntable.training.runs.planning import create_run, plan_run
from turntable.training.runs.presets import make_paper_config

_LOG = logging.getLogger("turntable.training")


def import_checkpoint(
    file: Path | str, dataset: Path | str, out_dir: Path | str, kind: PublishedKind | None = None
) -> Run:
    """Make a finished run from a checkpoint of SIE's, EquiCaps' or seq-JEPA's code.

    Args:
        file: Path of the checkpoint, as the published code saved it.
        dataset: Path or URL of the data set whose color statistics normalize the images. For the published
            weights it is 3DIEBench, converted.
        out_dir: Path of the folder to which config.json and weights.pt are written.
        kind: Expected kind of the checkpoint; None to infer it from the file.

    Returns:
        The finished run.

    Raises:
        InvalidInputError: The file is of another kind; or the folder holds another run, a data set or other
            files, or another process is writing there.
        IntegrityError: It is damaged; or a weight is missing, superfluous, of another shape or not finite.
    """
    published = read_published_weights(file, kind)
    config = make_paper_config(
        published.method,
        dataset,
        method_config=published.config,
        backbone=published.backbone,
        image_size=published.image_size_px,
    )
    run = plan_run(expand_home(out_dir), config, describe_training_data(config))
    if run.weights_path.exists():
        raise InvalidInputError(
            f"{out_dir} holds a finished run; import into another folder (--out, in Python out_dir)"
        )
    colors = Normalize(run.data.mean, run.data.std).state_dict()
    weights = {**{f"normalize.{name}": value for name, value in colors.items()}, **published.weights}
    # First without memory for the method: the file may ask for a network of any size.
    check_weights_fit(build_meta_method(run), weights, Path(file))
    method = build_run_method(run)
    load_weights(method, weights, Path(file))
    with hold_output_folder(run.folder, _LOG.warning):
        create_run(run)
        save_weights(run.weights_path, method.state_dict())
    return run
