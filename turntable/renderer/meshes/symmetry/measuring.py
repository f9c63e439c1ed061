"""Measurement of a mesh's symmetry: the rotations and reflections that leave its surface as it is."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.objects import ObjectSymmetry, make_object_symmetry
from turntable.renderer.meshes.mesh import Mesh
from turntable.renderer.meshes.symmetry.candidates import (
    PrincipalAxes,
    adjust_motion,
    find_axis,
    find_least_motion,
    find_principal_axes,
    list_directions,
    make_half_sphere,
    select_directions,
)
from turntable.renderer.meshes.symmetry.rotation_groups import (
    PolyhedralGroup,
    close_group,
    make_across,
    make_cyclic_group,
    make_dihedral_group,
    make_polyhedral_group,
    make_turn,
    sort_quaternions,
)
from turntable.renderer.meshes.symmetry.surface_discs import (
    NUM_DISCS,
    NUM_PROBES,
    SurfaceDiscs,
    sample_surface_discs,
)

FloatArray64 = NDArray[np.float64]

SYMMETRY_TOLERANCE = 0.003
"""Largest root mean square deviation of a surface after a rotation that counts as none, in diagonals."""
MAX_ORDER = 16
"""Largest order of a turn; a regular prism of more sides is round within the tolerance."""
CONTINUOUS_ANGLES = (0.3819660112501051, 0.2360679774997898, 0.1458980337503153, 0.0557280900008412)
"""Turns that stand for all: shares of a circle that are no small fractions (powers of the golden ratio)."""
QUICK_PROBES = 64
"""Points at which most candidates fail."""
CHECK_PROBES = 128
"""Points at which the elements of a large group are checked."""


@dataclass(frozen=True, slots=True)
class SymmetryFacts:
    """The symmetry facts of a mesh."""

    symmetry: ObjectSymmetry
    """Rotations that leave the surface as it is."""
    mirror_residual: float
    """Root mean square deviation of the surface from its mirror image where they fit best, in diagonals."""
    eigen_gap: float
    """Smallest difference of two eigenvalues of the covariance of the surface's points, over the largest."""
    hidden_symmetry: ObjectSymmetry | None = None
    """Rotations that leave the surface as it is without its mark; None for an object that is not known to
    have one."""

    def mirror(self) -> "SymmetryFacts":
        """Return the facts of the mirror image, x to -x."""
        hidden = None if self.hidden_symmetry is None else self.hidden_symmetry.mirror()
        return replace(self, symmetry=self.symmetry.mirror(), hidden_symmetry=hidden)


@dataclass(frozen=True, slots=True, eq=False)
class _FoundAxis:
    """An axis of symmetry."""

    axis: FloatArray64
    order: int
    """Largest order of a turn about it that leaves the surface as it is; 0 for every turn."""


def describe_measure() -> dict[str, Any]:
    """Return how symmetry is measured, for a manifest."""
    return {
        "points": NUM_DISCS + NUM_PROBES,
        "tolerance": SYMMETRY_TOLERANCE,
        "max_order": MAX_ORDER,
        "center": "centroid of the surface",
    }


def measure_symmetry(mesh: Mesh) -> SymmetryFacts:
    """Measure the symmetry facts of a mesh. They depend on its positions and triangles alone.

    Colors and textures do not count. The rotations are those about the centroid of the surface.

    Raises:
        MeshError: The mesh has no area.
    """
    surface = sample_surface_discs(mesh)
    principal = find_principal_axes(surface)
    directions = list_directions(principal)
    found = _find_axes(surface, principal, directions)
    group, rotations, axis = _build_group(surface, found)
    residuals = [surface.compute_residual(rotation, CHECK_PROBES) for rotation in rotations[1:13]]
    symmetry = make_object_symmetry(
        group, sort_quaternions(rotations), axis, surface.center, max(residuals, default=0.0)
    )
    mirror_residual = _measure_mirror(surface, principal, directions, found)
    return SymmetryFacts(symmetry, round(mirror_residual, 6), round(min(principal.gaps), 6))


def _check_rotation(surface: SurfaceDiscs, rotation: FloatArray64) -> bool:
    """Return True if a rotation leaves the surface as it is; a quick look at few points comes first."""
    return (
        surface.compute_residual(rotation, QUICK_PROBES) <= 2 * SYMMETRY_TOLERANCE
        and surface.compute_residual(rotation) <= SYMMETRY_TOLERANCE
    )


def _find_order(surface: SurfaceDiscs, axis: FloatArray64) -> int:
    """Return the order of the group of turns about an axis: 1 for none, 0 for every turn."""
    residuals = {
        order: surface.compute_residual(make_turn(axis, order), QUICK_PROBES)
        for order in range(2, MAX_ORDER + 1)
    }
    if max(residuals.values()) <= 2 * SYMMETRY_TOLERANCE and all(
        _check_rotation(surface, make_turn(axis, 1 / share)) for share in CONTINUOUS_ANGLES
    ):
        return 0
    # Nearly round shapes pass for other orders than their own, so the best one counts, or a multiple of it
    # that is as good.
    likely = [order for order, residual in residuals.items() if residual <= 2 * SYMMETRY_TOLERANCE]
    exact = {order: _measure_turns(surface, axis, order) for order in likely}
    best = min(exact.values(), default=1.0)
    if best > SYMMETRY_TOLERANCE:
        return 1
    as_good = max(best + SYMMETRY_TOLERANCE / 3, SYMMETRY_TOLERANCE / 2)
    return max(order for order, residual in exact.items() if residual <= as_good)


def _measure_turns(surface: SurfaceDiscs, axis: FloatArray64, order: int) -> float:
    """Return the largest residual of the turns about an axis by one, by half and by a third of the circle."""
    steps = {1, order // 2, max(order // 3, 1)}
    return max(surface.compute_residual(make_turn(axis, order / step)) for step in steps)


def _find_axes(surface: SurfaceDiscs, principal: PrincipalAxes, directions: FloatArray64) -> list[_FoundAxis]:
    """Return the axes of symmetry that generate the group."""
    if len(principal.single) == 3:
        orders = [2 if _check_rotation(surface, make_turn(axis, 2)) else 1 for axis in principal.single]
        return [
            _FoundAxis(axis, order) for axis, order in zip(principal.single, orders, strict=True) if order > 1
        ]
    found: list[_FoundAxis] = []
    for axis in principal.single:
        order = _find_order(surface, axis)
        if order != 1:
            found.append(_FoundAxis(axis, order))
    # Across a single axis there are half turns only. Where nothing is single, turns of any order may be.
    for turn, most in ((2, 4),) if principal.single else ((5, 7), (3, 6), (2, 10)):
        for direction in select_directions(surface, directions, turn, 1.0, most):
            axis = find_axis(surface, direction, turn)
            if any(abs(item.axis @ axis) > 0.98 for item in found):
                continue
            if not _check_rotation(surface, make_turn(axis, turn)):
                continue
            order = turn if principal.single else _find_order(surface, axis)
            found.append(_FoundAxis(axis, order))
            if principal.single or _is_enough(found):
                return found
    return found


def _is_enough(found: list[_FoundAxis]) -> bool:
    """Return True if the axes generate a group that no further axis can enlarge."""
    orders = sorted(item.order for item in found)
    return orders[:2] == [0, 0] or orders.count(5) >= 2 or orders.count(4) >= 2


def _build_group(
    surface: SurfaceDiscs, found: list[_FoundAxis]
) -> tuple[str, FloatArray64, FloatArray64 | None]:
    """Return the group's name, its rotations [N, 3, 3] with the identity first, and a continuous axis."""
    if not found:
        return "C1", np.eye(3)[None], None
    continuous = [item.axis for item in found if item.order == 0]
    if len(continuous) > 1:
        return "SO3", np.eye(3)[None], None
    if continuous:
        axis = continuous[0]
        across = make_across(axis)
        if _check_rotation(surface, make_turn(across, 2)):
            return "Dinf", np.stack([np.eye(3), make_turn(across, 2)]), axis
        return "Cinf", np.eye(3)[None], axis
    steep = [item for item in found if item.order > 2]
    if len(steep) > 1 and (polyhedral := _align_polyhedral(surface, found)) is not None:
        return (*polyhedral, None)
    main = max(found, key=lambda item: item.order)
    for item in found:
        # A half turn must be across the main axis; what is nearly so is taken as exactly so.
        slope = float(item.axis @ main.axis)
        if item is not main and abs(slope) < 0.1:
            across = item.axis - slope * main.axis
            across /= np.linalg.norm(across)
            return f"D{main.order}", make_dihedral_group(main.axis, across, main.order), None
    return f"C{main.order}", make_cyclic_group(main.axis, main.order), None


def _align_polyhedral(
    surface: SurfaceDiscs, found: list[_FoundAxis]
) -> tuple[PolyhedralGroup, FloatArray64] | None:
    """Return the largest group of a polyhedron that the axes generate and that the surface has, or None."""
    generators = np.array([make_turn(item.axis, item.order) for item in found])
    closed = close_group(generators, 60)
    names: dict[int, tuple[PolyhedralGroup, int]] = {60: ("I", 5), 24: ("O", 4), 12: ("T", 3)}
    if len(closed) not in names:
        return None
    name, order = names[len(closed)]
    exact = make_polyhedral_group(name)
    frame = _make_frame(_list_axes(closed, order)) @ _make_frame(_list_axes(exact, order)).T
    aligned = frame @ exact @ frame.T
    residuals = [surface.compute_residual(rotation, CHECK_PROBES) for rotation in aligned]
    return (name, aligned) if max(residuals) <= 1.5 * SYMMETRY_TOLERANCE else None


def _list_axes(rotations: FloatArray64, order: int) -> FloatArray64:
    """Return the unit axes of the turns by one part in ``order`` of a group."""
    angles = np.arccos(np.clip((np.trace(rotations, axis1=1, axis2=2) - 1) / 2, -1, 1))
    turns = rotations[np.abs(angles - 2 * np.pi / order) < 0.1]
    axes = np.stack(
        [turns[:, 2, 1] - turns[:, 1, 2], turns[:, 0, 2] - turns[:, 2, 0], turns[:, 1, 0] - turns[:, 0, 1]],
        axis=-1,
    )
    return axes / np.linalg.norm(axes, axis=-1, keepdims=True)


def _make_frame(axes: FloatArray64) -> FloatArray64:
    """Return a frame [3, 3] in columns, from the first axis and the one next to it."""
    first = axes[0]
    cosines = axes @ first
    second = axes[np.where(cosines > 0.99, -2.0, cosines).argmax()]
    third = np.cross(first, second)
    third /= np.linalg.norm(third)
    # The middle of the two axes shares the error of both.
    middle = (first + second) / np.linalg.norm(first + second)
    return np.stack([middle, np.cross(third, middle), third], axis=-1)


def _measure_mirror(
    surface: SurfaceDiscs, principal: PrincipalAxes, directions: FloatArray64, found: list[_FoundAxis]
) -> float:
    """Return the smallest deviation after a reflection, alone or with a turn about its axis."""
    axes = [*principal.axes, *(item.axis for item in found)]
    motions = [-np.eye(3), *(-make_turn(axis, 2) for axis in axes)]
    if len(principal.single) < 3:
        planes = select_directions(surface, directions, 2, -1.0, 4)
        motions += [-make_turn(axis, 2) for axis in planes]
        motions += [-make_turn(axis, order) for axis in axes[:3] for order in (3, 4, 6)]
    motion, residual = _find_best_motion(surface, motions)
    if residual <= SYMMETRY_TOLERANCE:
        return residual
    # The plane that fits best need not be a principal one where none fits well.
    planes = select_directions(surface, make_half_sphere(), 2, -1.0, 6)
    other, other_residual = _find_best_motion(surface, [-make_turn(axis, 2) for axis in planes])
    polished = find_least_motion(surface, other if other_residual < residual else motion)
    return min(residual, other_residual, surface.compute_residual(polished))


def _find_best_motion(surface: SurfaceDiscs, motions: list[FloatArray64]) -> tuple[FloatArray64, float]:
    """Return the motion that moves the surface least, after small turns of each, and its residual."""
    rough = [surface.compute_residual(motion, QUICK_PROBES) for motion in motions]
    best, least = motions[0], float("inf")
    for number in np.argsort(rough, kind="stable")[:6].tolist():
        for motion in (motions[number], adjust_motion(surface, motions[number])):
            residual = surface.compute_residual(motion)
            if residual < least:
                best, least = motion, residual
        if least <= SYMMETRY_TOLERANCE / 3:
            break
    return best, least
