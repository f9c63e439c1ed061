"""What every backend must do, and small scenes to test one with."""

from turntable.errors import MissingExtraError

try:
    import scipy
except ImportError as error:
    raise MissingExtraError("scipy", "testing") from error

from turntable.testing.backends.contract import BackendContract
from turntable.testing.backends.light import linear_of, psnr
from turntable.testing.backends.shapes import box, corner_piece, doubled
from turntable.testing.backends.views import label, scenes

del scipy

__all__ = [
    "BackendContract",
    "box",
    "corner_piece",
    "doubled",
    "label",
    "linear_of",
    "psnr",
    "scenes",
]
