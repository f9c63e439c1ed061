"""Skins: what a part is painted, covered or built with, in colours drawn from a fixed palette."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.meshes.mesh import Material, Texture

Color = tuple[float, float, float]
"""sRGB, each channel in [0, 1]."""

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
SOFT = (0xE8B4A0, 0xF0D9A8, 0xBFD8B8, 0x9CC5C9, 0xA9B8DE, 0xD3B5D8, 0xC98F7A, 0x8FA876, 0x6E8CA0, 0xB49A86)
WOODS = (0x8A5A33, 0xA9713F, 0xC79A63, 0x6B4226, 0xDDB983, 0x9C5B3B)
METALS = (0xB8BCC2, 0x8E949B, 0xC9B27C, 0xB87A55, 0xD5D7DA)
PALE = (0xF2EFE8, 0xE6E2D6, 0xDDE3E6, 0xF5F5F2, 0xD9D0C1)
DARK = (0x23262B, 0x33302E, 0x2B3440, 0x40332B)
LEATHERS = (0x7A4526, 0x3F2A20, 0x9A6A3C, 0x5A2027, 0x2C3E35, 0x2A2C33)


@dataclass(frozen=True, slots=True, eq=False)
class Skin:
    """A material, and how large one repeat of its texture is."""

    material: Material
    tile: float = 1.0
    """In the unit of the object's lengths; 1 for a decal."""


def pick(rng: np.random.Generator, items: Sequence[Item]) -> Item:
    """One of a sequence, all equally likely."""
    return items[int(rng.integers(len(items)))]


def chance(rng: np.random.Generator, probability: float) -> bool:
    """True with a probability."""
    return bool(rng.random() < probability)


def color(rng: np.random.Generator, *groups: Sequence[int]) -> Color:
    """A colour out of groups of the palette, a little lighter or darker and off its hue."""
    code = pick(rng, [code for group in groups for code in group])
    base = np.array([code >> 16, code >> 8 & 255, code & 255]) / 255.0
    shifted = base * rng.uniform(0.85, 1.12) + rng.uniform(-0.025, 0.025, 3)
    return as_color(shifted)


def two_colors(rng: np.random.Generator, *groups: Sequence[int]) -> tuple[Color, Color]:
    """Two colours of groups that can be told apart."""
    first = color(rng, *groups)
    rest = [color(rng, *groups) for _ in range(8)]
    return first, max(rest, key=lambda other: float(np.abs(np.subtract(first, other)).sum()))


def as_color(channels: NDArray[np.float64]) -> Color:
    """Three channels, clipped to [0.02, 0.98]."""
    red, green, blue = (float(channel) for channel in np.clip(channels, 0.02, 0.98))
    return red, green, blue


def shade(base: Color, factor: float) -> Color:
    """A darker (< 1) or lighter (> 1) colour."""
    return as_color(np.array(base) * factor)


def plain(base: Color, roughness: float = 0.6, specular: float = 0.45) -> Skin:
    """One colour all over."""
    return Skin(Material("plain", _linear(base), specular, roughness))


def printed(pixels: NDArray[np.uint8], tile: float = 1.0, roughness: float = 0.7) -> Skin:
    """A texture [H, W, 3] (sRGB) repeated every ``tile``; as a decal for the tile 1."""
    mean = as_color(pixels.reshape(-1, 3).mean(axis=0) / 255.0)
    return Skin(Material("printed", _linear(mean), 0.45, roughness, texture=Texture(pixels)), tile)


def paint(rng: np.random.Generator) -> Skin:
    """Lacquer in a strong colour."""
    return plain(color(rng, VIVID), rng.uniform(0.5, 0.6))


def plastic(rng: np.random.Generator) -> Skin:
    """Plastic in any colour."""
    return plain(color(rng, VIVID, SOFT, PALE), rng.uniform(0.5, 0.75))


def metal(rng: np.random.Generator) -> Skin:
    """Bare metal: grey, brass or copper."""
    return plain(color(rng, METALS), rng.uniform(0.5, 0.6), 0.5)


def dark(rng: np.random.Generator) -> Skin:
    """Nearly black: rubber, handles, grilles."""
    return plain(color(rng, DARK), rng.uniform(0.7, 0.9))


def pale(rng: np.random.Generator) -> Skin:
    """Nearly white: enamel, paper, sails."""
    return plain(color(rng, PALE), rng.uniform(0.55, 0.8))


def glass(rng: np.random.Generator) -> Skin:
    """Window panes, opaque and bluish dark: every renderer shows them alike."""
    return plain(as_color(np.array([0.16, 0.22, 0.28]) * rng.uniform(0.7, 1.7)), 0.5, 0.5)


def _linear(base: Color) -> Color:
    """SRGB to linear Rec.709 (IEC 61966-2-1)."""
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in base)
    return red, green, blue
