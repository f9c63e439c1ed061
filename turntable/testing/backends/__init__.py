"""The contract tests of render backends, with small meshes and scenes to test a backend further."""

from turntable.extras import explain_import_errors

with explain_import_errors("scipy", "testing"):
    import scipy

from turntable.testing.backends.contract import BackendContract
from turntable.testing.backends.meshes import make_box, make_corner, with_doubled_faces
from turntable.testing.backends.photometry import compute_psnr, linear_from_display
from turntable.testing.backends.views import make_label, make_scenes

del scipy

__all__ = [
    "BackendContract",
    "compute_psnr",
    "linear_from_display",
    "make_box",
    "make_corner",
    "make_label",
    "make_scenes",
    "with_doubled_faces",
]
