"""The space on the disk that the files of a run take."""

from turntable.datasets.stores import LocalStore
from turntable.models import Method
from turntable.training.runs import Run

_NUM_CHECKPOINTS = 3
"""Number of checkpoints at once: the last, the previous, and the one that is being written."""
_MOMENTS = {"adam": 2, "adamw": 2, "sgd": 1}
"""Number of values that an optimizer keeps for each parameter."""


def check_disk_space(run: Run, method: Method) -> None:
    """Check that the folder of a run can be written to, and that a new run's files have room.

    Raises:
        StoreError: It cannot be written to, or the disk has less free space than that.
    """
    LocalStore(run.folder).check_writable(0 if run.checkpoints.exist else estimate_bytes(run, method))


def estimate_bytes(run: Run, method: Method) -> int:
    """Estimate the size in bytes of the checkpoints and the weights of a run together."""
    state = sum(tensor.nbytes for tensor in method.state_dict().values())
    parameters = sum(parameter.nbytes for parameter in method.parameters())
    average = state if run.config.average_decay else 0
    checkpoint = state + average + _MOMENTS[run.config.optimizer] * parameters
    return _NUM_CHECKPOINTS * checkpoint + state
