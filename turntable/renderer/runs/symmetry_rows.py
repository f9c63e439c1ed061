"""Lines of text about the symmetry of meshes that were loaded to inspect them."""

from collections import Counter
from collections.abc import Iterator

from turntable.errors import format_text
from turntable.renderer.meshes.symmetry import SYMMETRY_TOLERANCE
from turntable.renderer.runs.mesh_inspection import MeshInspection

NARROW_GAP = 0.02
"""Eigen gap below which two principal axes are hardly told apart."""


def format_symmetry(inspection: MeshInspection) -> Iterator[str]:
    """Yield the symmetry of the meshes as lines of text: counts, then a line for each mesh."""
    found = inspection.symmetry.values()
    num_unmeasured = len(inspection.loaded_ids) - len(found)
    groups = Counter(facts.symmetry.group for facts in found)
    yield "symmetry: " + (", ".join(f"{name} {count:,}" for name, count in groups.most_common()) or "none")
    yield f"their own mirror image: {sum(facts.mirror_residual <= SYMMETRY_TOLERANCE for facts in found):,}"
    yield f"eigen gap below {NARROW_GAP}: {sum(facts.eigen_gap < NARROW_GAP for facts in found):,}"
    if num_unmeasured:
        yield f"not measured: {num_unmeasured:,}"
    for object_id, facts in inspection.symmetry.items():
        numbers = f"mirror residual {facts.mirror_residual:.4f}, eigen gap {facts.eigen_gap:.4f}"
        yield f"  {format_text(object_id)}: {facts.symmetry.group}, {numbers}"
