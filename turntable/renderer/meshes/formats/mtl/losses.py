"""Statements of MTL materials that the renderer does not draw, reported where the picture would differ."""

import math

from turntable.errors import format_text
from turntable.renderer.meshes.formats.mtl.blocks import MtlBlock
from turntable.renderer.meshes.formats.mtl.map_statements import read_map_statement
from turntable.renderer.meshes.formats.mtl.values import SPECTRAL, parse_color, parse_value
from turntable.renderer.meshes.formats.wavefront_text import parse_number
from turntable.renderer.meshes.mesh import Material
from turntable.renderer.meshes.mesh_warnings import WarningKind, WarningLog

GLASS_MODES = frozenset((4, 6, 7, 9))
"""Illumination models of glass and of refraction."""
MIRROR_MODES = frozenset((3, 5, 8))
"""Illumination models of mirrors."""
_BUMP_MAPS = (
    *("map_bump", "bump", "norm", "map_norm", "disp", "map_disp"),
    *("decal", "refl", "map_refl", "map_tr"),
)
"""Keywords of textures that are not drawn, whatever the numbers are."""
_SURFACES = {"pm": "metal", "pc": "clear coat", "ps": "sheen", "aniso": "brushed metal"}
"""Keywords of surfaces that are drawn as a plain one where their number is above 0."""
_SURFACE_MAPS = ("map_pr", "map_pm", "map_pc", "map_ps", "map_aniso", "map_pcr", "map_rma", "map_orm")
"""Keywords of textures of such surfaces."""
_COLORS = ("kd", "ks", "ke")
"""Keywords of the colors that are drawn."""
_NUMBERS = ("ns", "d", "tr", "pr", "illum")
"""Keywords of the numbers that are drawn."""
_WITHOUT_EFFECT = frozenset(
    (
        *("ka", "ni", "tf", "km", "sharpness", "pcr", "anisor", "map_ka", "map_aat"),
        *("map_kd", "map_ke", "map_d", "map_ks", "map_ns"),
    )
)
"""Keywords that are read elsewhere, or change no picture here or in Blender."""
_KNOWN = _WITHOUT_EFFECT.union(_BUMP_MAPS, _SURFACES, _SURFACE_MAPS, _COLORS, _NUMBERS)
"""All known keywords."""


def report_losses(block: MtlBlock, material: Material, file: str, log: WarningLog) -> None:
    """Report what a material says and is drawn otherwise.

    Args:
        block: Block of the material.
        material: The material as it is drawn.
        file: Name of the MTL file, for warnings.
        log: Warnings about the object.
    """
    losses = [
        *_find_skipped_maps(block, material),
        *_find_surfaces(block, material),
        *_find_glass(block, material),
        *_find_unread_values(block),
    ]
    name = format_text(block.name, 80)
    for kind, detail, shown in losses:
        log.add(kind, f"material {name} has {detail}", shown, file)


Omission = tuple[WarningKind, str, str]
"""Kind of a warning, what the material has, and what is shown instead."""


def _find_skipped_maps(block: MtlBlock, material: Material) -> list[Omission]:
    """Find the textures that are not drawn."""
    names = [word for word in _BUMP_MAPS if block.values.get(word) and _has_effect(block.values[word])]
    names += [word for word in _SURFACE_MAPS if block.values.get(word)]
    if material.specular > 0:
        names += [word for word in ("map_ks", "map_ns") if block.values.get(word)]
    return [("map-skipped", f"a texture {word}", "it is not drawn") for word in names]


def _has_effect(statement: str) -> bool:
    """Return False for a bump map that is multiplied by zero."""
    readings = read_map_statement(statement)
    return not readings or readings[0].options.bump != 0


def _find_surfaces(block: MtlBlock, material: Material) -> list[Omission]:
    """Find the properties of surfaces that are drawn as a plain one."""
    losses: list[Omission] = [
        ("surface-approximated", f"{noun} ({word})", "it is drawn as a plain surface")
        for word, noun in _SURFACES.items()
        if parse_value(block.values.get(word), 0.0) > 0
    ]
    if parse_value(block.values.get("illum"), 0.0) in MIRROR_MODES and material.specular > 0:
        losses.append(("surface-approximated", "a mirror (illum)", "it is drawn as a glossy surface"))
    return losses


def _find_glass(block: MtlBlock, material: Material) -> list[Omission]:
    """Find what glass does and plain transparency does not."""
    values, kind = block.values, "transparency-approximated"
    losses: list[Omission] = []
    illum = parse_value(values.get("illum"), 0.0)
    if illum in GLASS_MODES and material.alpha >= 1:
        losses.append((kind, f"glass (illum {illum:g}) and no opacity below 1", "it is opaque"))
    if "d" not in values and parse_value(values.get("tr"), 0.0) >= 1:
        losses.append((kind, "Tr 1, which would make it invisible", "it is opaque"))
    if values.get("d", "").startswith("-halo"):
        losses.append((kind, "an opacity that depends on the angle (-halo)", "it is the same at all angles"))
    tint = parse_color(values.get("tf"))
    if material.alpha < 1 and tint is not None and len(set(tint)) > 1:
        losses.append((kind, "colored transparency (Tf)", "it has no color of its own"))
    return losses


def _find_unread_values(block: MtlBlock) -> list[Omission]:
    """Find colors and numbers that cannot be read, and statements that are not known."""
    losses: list[Omission] = []
    for word in (*_COLORS, *_NUMBERS):
        text = block.values.get(word, "")
        first = text.removeprefix("-halo").split(None, 1)[:1]
        if not first:
            continue
        if word in _COLORS and first[0].lower() == SPECTRAL:
            losses.append(("statement-skipped", f"a spectrum ({word})", "the default stands in for it"))
        elif parse_color(text) is None if word in _COLORS else not math.isfinite(parse_number(first[0])):
            losses.append(("number-repaired", f"no finite number in {word}", "the default stands in for it"))
    unknown = [word for word in block.values if word not in _KNOWN]
    if unknown:
        detail = f"{len(unknown)} unknown statements (the first is {format_text(unknown[0], 20)})"
        losses.append(("statement-skipped", detail, "it is drawn without them"))
    return losses
