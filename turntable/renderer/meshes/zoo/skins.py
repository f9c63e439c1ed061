"""Skins of parts, with colors drawn from fixed palettes.

A skin is a material and the size at which its texture repeats.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.meshes.mesh import Material, Texture

Color = tuple[float, float, float]
"""An sRGB color with channels in [0, 1]."""

Item = TypeVar("Item")

VIVID = (
    0xC8202F,
    0xE4572E,
    0xF2A71B,
    0xF4D35E,
    0x5BAA48,
    0x1B7F5C,
    0x17939B,
    0x2F80C9,
    0x27408B,
    0x7A3E9D,
    0xD6478B,
)
"""Palette of strong colors, as 0xRRGGBB like the others."""
SOFT = (0xE8B4A0, 0xF0D9A8, 0xBFD8B8, 0x9CC5C9, 0xA9B8DE, 0xD3B5D8, 0xC98F7A, 0x8FA876, 0x6E8CA0, 0xB49A86)
"""Palette of pastel and muted colors."""
WOODS = (0x8A5A33, 0xA9713F, 0xC79A63, 0x6B4226, 0xDDB983, 0x9C5B3B)
"""Palette of wood."""
METALS = (0xB8BCC2, 0x8E949B, 0xC9B27C, 0xB87A55, 0xD5D7DA)
"""Palette of bare metals."""
PALE = (0xF2EFE8, 0xE6E2D6, 0xDDE3E6, 0xF5F5F2, 0xD9D0C1)
"""Palette of nearly white colors."""
DARK = (0x23262B, 0x33302E, 0x2B3440, 0x40332B)
"""Palette of nearly black colors."""
LEATHERS = (0x7A4526, 0x3F2A20, 0x9A6A3C, 0x5A2027, 0x2C3E35, 0x2A2C33)
"""Palette of leather."""


@dataclass(frozen=True, slots=True, eq=False)
class Skin:
    """A material and the size of one repeat of its texture."""

    material: Material
    """Material of the part."""
    tile: float = 1.0
    """Size of one repeat, in the unit of the object's lengths; 1 for a decal."""


def draw_item(rng: np.random.Generator, items: Sequence[Item]) -> Item:
    """Draw one item of a sequence, all equally likely."""
    return items[int(rng.integers(len(items)))]


def draw_bool(rng: np.random.Generator, probability: float) -> bool:
    """Draw True with the given probability."""
    return bool(rng.random() < probability)


def draw_color(rng: np.random.Generator, *groups: Sequence[int]) -> Color:
    """Draw a color from palettes, slightly changed in brightness and hue."""
    code = draw_item(rng, [code for group in groups for code in group])
    base = np.array([code >> 16, code >> 8 & 255, code & 255]) / 255.0
    shifted = base * rng.uniform(0.85, 1.12) + rng.uniform(-0.025, 0.025, 3)
    return as_color(shifted)


def draw_two_colors(rng: np.random.Generator, *groups: Sequence[int]) -> tuple[Color, Color]:
    """Draw two clearly different colors from palettes."""
    first = draw_color(rng, *groups)
    candidates = [draw_color(rng, *groups) for _ in range(8)]
    return first, max(candidates, key=lambda other: float(np.abs(np.subtract(first, other)).sum()))


def as_color(channels: NDArray[np.float64]) -> Color:
    """Return three channels as a color, clipped to [0.02, 0.98]."""
    red, green, blue = (float(channel) for channel in np.clip(channels, 0.02, 0.98))
    return red, green, blue


def scale_color(base: Color, factor: float) -> Color:
    """Make a color darker (factor < 1) or lighter (factor > 1)."""
    return as_color(np.array(base) * factor)


def make_plain_skin(base: Color, roughness: float = 0.6, specular: float = 0.45) -> Skin:
    """Make a skin of one color."""
    return Skin(Material("plain", _srgb_to_linear(base), specular, roughness))


def make_textured_skin(pixels: NDArray[np.uint8], tile: float = 1.0, roughness: float = 0.7) -> Skin:
    """Make a skin of an sRGB texture [H, W, 3] that repeats every ``tile``; 1 for a decal."""
    mean = as_color(pixels.reshape(-1, 3).mean(axis=0) / 255.0)
    return Skin(Material("printed", _srgb_to_linear(mean), 0.45, roughness, texture=Texture(pixels)), tile)


def make_paint(rng: np.random.Generator) -> Skin:
    """Make glossy paint in a strong color."""
    return make_plain_skin(draw_color(rng, VIVID), rng.uniform(0.5, 0.6))


def make_plastic(rng: np.random.Generator) -> Skin:
    """Make plastic in any color."""
    return make_plain_skin(draw_color(rng, VIVID, SOFT, PALE), rng.uniform(0.5, 0.75))


def make_metal(rng: np.random.Generator) -> Skin:
    """Make bare metal: gray, brass or copper."""
    return make_plain_skin(draw_color(rng, METALS), rng.uniform(0.5, 0.6), 0.5)


def make_dark_skin(rng: np.random.Generator) -> Skin:
    """Make a nearly black skin for rubber, handles and grilles."""
    return make_plain_skin(draw_color(rng, DARK), rng.uniform(0.7, 0.9))


def make_pale_skin(rng: np.random.Generator) -> Skin:
    """Make a nearly white skin for enamel, paper and sails."""
    return make_plain_skin(draw_color(rng, PALE), rng.uniform(0.55, 0.8))


def make_glass(rng: np.random.Generator) -> Skin:
    """Make the skin of window panes: opaque and dark blue, so that every renderer shows them alike."""
    return make_plain_skin(as_color(np.array([0.16, 0.22, 0.28]) * rng.uniform(0.7, 1.7)), 0.5, 0.5)


def _srgb_to_linear(base: Color) -> Color:
    """Convert sRGB to linear Rec.709 (IEC 61966-2-1)."""
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in base)
    return red, green, blue
