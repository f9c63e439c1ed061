"""The statements of an OBJ file as arrays, the common result of both parsers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class ObjStatements:
    """The statements of an OBJ file. No reference is resolved or checked yet."""

    positions: NDArray[np.float64]
    """[V, 3] positions (``v``)."""
    texcoords: NDArray[np.float64]
    """[U, 2] texture coordinates (``vt``)."""
    normals: NDArray[np.float64]
    """[N, 3] normals (``vn``)."""
    corners: NDArray[np.int64]
    """[3, C] corners of all faces: references to position, texcoord and normal as written, 0 if left out."""
    face_sizes: NDArray[np.intp]
    """[F] number of corners of each face."""
    num_defined: NDArray[np.int64]
    """[3, F] number of v, vt and vn lines above each face. Negative references count back from there."""
    face_material: NDArray[np.int32]
    """[F] index of the material in force, 0 before the first ``usemtl``."""
    material_names: dict[str, int]
    """Index of each material by name, from 1, in the order of first use."""
    libraries: tuple[str, ...]
    """Names of the MTL files."""
