"""What an OBJ file says, however it was read."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class ObjText:
    """The statements of a file as arrays; nothing is resolved or checked yet."""

    positions: NDArray[np.float64]
    """[V, 3]."""
    texcoords: NDArray[np.float64]
    """[U, 2]."""
    normals: NDArray[np.float64]
    """[N, 3]."""
    corners: NDArray[np.int64]
    """[3, C] corners of all faces: position, texcoord, normal as written, 0 where left out."""
    sizes: NDArray[np.intp]
    """[F] corners of each face."""
    defined: NDArray[np.int64]
    """[3, F] how many v, vt and vn stand above a face: negative references count from there."""
    face_material: NDArray[np.int32]
    """[F] number of the material in force, 0 before any."""
    material_names: dict[str, int]
    """Numbers from 1, in the order of their first use."""
    libraries: tuple[str, ...]
    """Names of material files."""
