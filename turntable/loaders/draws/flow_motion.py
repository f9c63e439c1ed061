"""The motion of objects on a torus: whole velocities in pixels a frame, drawn for each object of a sample."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from turntable.datasets.draws import WORDS_PER_BLOCK, draw_words, make_philox_key, words_to_units
from turntable.errors import InvalidInputError, format_value
from turntable.loaders.argument_checks import check_flag, check_integer, is_integer
from turntable.loaders.draws.geometry_draws import pick
from turntable.loaders.sampling import IntArray

Velocity = tuple[int, int]
"""A velocity in whole pixels a frame: right, down."""


def list_velocities(max_px: int, min_px: int = 0) -> tuple[Velocity, ...]:
    """List the whole velocities whose larger component is in a range, in pixels a frame (right, down).

    ``list_velocities(2)`` has the 25 velocities of FERNN's experiments, and ``list_velocities(4, 3)`` the
    faster ones up to 4, none of which is among them.

    Args:
        max_px: Largest size of a component.
        min_px: Smallest size of the larger component.

    Raises:
        InvalidInputError: An argument is no whole number, or there is no such velocity.
    """
    max_px, min_px = check_integer("max_px", max_px, 0), check_integer("min_px", min_px, 0)
    if min_px > max_px:
        raise InvalidInputError(f"min_px {min_px}: must be at most max_px, which is {max_px}")
    steps = range(-max_px, max_px + 1)
    return tuple((x, y) for x in steps for y in steps if max(abs(x), abs(y)) >= min_px)


@dataclass(frozen=True, slots=True)
class FlowMotion:
    """Objects that move over a torus, each by a velocity of its own (Keller, arXiv:2507.14793).

    Raises:
        InvalidInputError: A value is wrong.
    """

    num_frames: int = 20
    """Number of frames T of a sample; with ``Sequences(k)``, whose views follow one another, k."""
    objects: int = 1
    """Number of objects that are superposed in a sample, 1 or 2."""
    velocities: Sequence[Velocity] = list_velocities(2)
    """Velocities that are drawn, all equally likely, in whole pixels a frame, right and down."""
    canvas_px: int | None = None
    """Side of the torus in pixels, at least that of the pictures; None: that of the pictures."""
    random_positions: bool = True
    """True for a start anywhere on the torus, False for a start at the left and top."""
    cut_out: bool = True
    """True for the object alone, cut out by its mask; False for the whole picture."""
    background: tuple[int, int, int] = (0, 0, 0)
    """Color (red, green, blue, from 0 to 255) of what no object covers."""
    disc: bool = False
    """True for a circular field of view: the background outside of the circle that fits into the frame."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "num_frames", check_integer("FlowMotion.num_frames", self.num_frames, 1))
        object.__setattr__(self, "objects", check_integer("FlowMotion.objects", self.objects, 1))
        if self.objects > 2:
            raise InvalidInputError(f"FlowMotion.objects {self.objects}: must be 1 or 2")
        if self.objects == 2 and not self.cut_out:
            raise InvalidInputError("FlowMotion: whole pictures cannot be superposed; use cut_out=True")
        object.__setattr__(self, "velocities", _check_velocities(self.velocities))
        if self.canvas_px is not None:
            object.__setattr__(self, "canvas_px", check_integer("FlowMotion.canvas_px", self.canvas_px, 1))
        for name in ("random_positions", "cut_out", "disc"):
            object.__setattr__(self, name, check_flag(f"FlowMotion.{name}", getattr(self, name)))
        object.__setattr__(self, "background", check_color("FlowMotion.background", self.background))

    def draw_parameters(
        self, seed: int, epoch: int, positions: IntArray, canvas_px: int
    ) -> dict[str, IntArray]:
        """Draw the motion of each object.

        Args:
            seed: Seed of the loader.
            epoch: Number of the epoch, from 0.
            positions: [N] positions of the samples in the epoch; those of second objects count on from the
                end of the epoch.
            canvas_px: Side of the torus in pixels.

        Returns:
            int64 [N, 2] ``velocity_px`` in pixels a frame, and ``position_px`` in pixels, the place of the
            picture's left top corner in frame 0; right and down.
        """
        key = make_philox_key("flow", str(seed), str(epoch))
        units = words_to_units(draw_words(key, positions, WORDS_PER_BLOCK))
        places = pick(units[:, 1:3], np.arange(canvas_px if self.random_positions else 1))
        velocities = pick(units[:, 0], np.array(self.velocities, dtype=np.int64))
        return {"velocity_px": velocities, "position_px": places}


def check_color(name: str, color: Any) -> tuple[int, int, int]:
    """Check a color, and return it as three whole numbers from 0 to 255.

    Raises:
        InvalidInputError: It is something else.
    """
    is_color = isinstance(color, Sequence) and len(color) == 3 and all(map(is_integer, color))
    if not is_color or not all(0 <= value <= 255 for value in color):
        raise InvalidInputError(
            f"{name} {format_value(color)}: give three whole numbers from 0 to 255, red, green and blue"
        )
    red, green, blue = map(int, color)
    return red, green, blue


def _check_velocities(velocities: Any) -> tuple[Velocity, ...]:
    pairs = tuple(velocities) if isinstance(velocities, Sequence) and not isinstance(velocities, str) else ()
    if not pairs or not all(_is_velocity(pair) for pair in pairs):
        raise InvalidInputError(
            f"FlowMotion.velocities {format_value(velocities)}: give a list of pairs of whole numbers, right"
            " and down, such as list_velocities(2)"
        )
    return tuple((int(x), int(y)) for x, y in pairs)


def _is_velocity(pair: Any) -> bool:
    return isinstance(pair, Sequence) and len(pair) == 2 and all(map(is_integer, pair))
