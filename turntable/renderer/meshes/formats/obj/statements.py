"""The statements of an OBJ file as arrays, the common result of both parsers."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAX_EXTRAS = 4
"""Most numbers read of a vertex beyond its position: a weight and a color, or a color and an opacity."""
NUM_CHANNELS = 3
"""Number of channels of a color."""

_POINTS = frozenset((b"p", b"l"))
"""Keywords of points and lines."""
_CURVES = frozenset((b"curv", b"curv2", b"surf"))
"""Keywords that draw curves and surfaces."""
_CALLS = frozenset((b"call", b"csh"))
"""Keywords that would read another file or run a program."""
_NOT_DRAWN = frozenset(
    b"o g s mg v vt vn vp f usemtl mtllib bevel c_interp d_interp lod shadow_obj trace_obj ctech stech "
    b"cstype deg bmat step parm trim hole scrv sp end con".split()
)
"""Keywords that are read, or that draw nothing by themselves."""


@dataclass(frozen=True, slots=True)
class OtherStatements:
    """The numbers of statements of an OBJ file that are not read."""

    num_points: int = 0
    """Number of points and lines."""
    num_curves: int = 0
    """Number of curves and surfaces."""
    num_calls: int = 0
    """Number of statements that would read another file or run a program."""
    num_unknown: int = 0
    """Number of statements with an unknown keyword."""
    first_unknown: str = ""
    """The first unknown keyword."""


def count_other_statements(keywords: Iterable[bytes]) -> OtherStatements:
    """Count statements that are not read, by their keywords in lower case. Comments are none."""
    points = curves = calls = unknown = 0
    first = ""
    for word in keywords:
        if word in _NOT_DRAWN or word.startswith(b"#") or not word:
            continue
        points += word in _POINTS
        curves += word in _CURVES
        calls += word in _CALLS
        if not (word in _POINTS or word in _CURVES or word in _CALLS):
            first = first or word.decode("utf-8", "replace")
            unknown += 1
    return OtherStatements(points, curves, calls, unknown, first)


@dataclass(frozen=True, slots=True, eq=False)
class ObjStatements:
    """The statements of an OBJ file. No reference is resolved or checked yet.

    What cannot be read is NaN in the tables of numbers, and a reference that no file defines in the corners.
    """

    positions: NDArray[np.float64]
    """[V, 3] positions (``v``)."""
    extras: NDArray[np.float64] | None
    """[V, up to ``MAX_EXTRAS``] further numbers of the ``v`` lines, NaN where a line has fewer. None if no
    line has three."""
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
    """Texts of the ``mtllib`` lines: names of MTL files, one or several each."""
    painted: tuple[tuple[int, bytes], ...] = ()
    """The ``#MRGB`` comments, in which ZBrush writes colors: number of v lines above, and text."""
    others: OtherStatements = OtherStatements()
    """Numbers of the statements that are not read."""


def number_material(names: dict[str, int], name: str) -> int:
    """Return the number of a material by first use, from 1, and 0 for one without a name, which is none."""
    return names.setdefault(name, len(names) + 1) if name else 0
