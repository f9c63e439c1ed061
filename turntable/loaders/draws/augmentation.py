"""Augmentations: random changes to images, whose parameters are drawn for each view, and labels of the batch.

The workers of loaders draw these parameters, so this module does not import torch.
``turntable.loaders.augment`` applies them to images, on any device.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from turntable.choices import check_names
from turntable.errors import InvalidInputError, format_text, format_value
from turntable.loaders.argument_checks import check_flag, check_integer, check_number, is_number
from turntable.loaders.draws.geometry_draws import (
    FloatArray,
    Span,
    compute_affine_maps,
    compute_crops,
    list_shifts,
    pick,
    scale_to_span,
)
from turntable.loaders.draws.parameters import PARAMETERS
from turntable.loaders.draws.span_checks import check_span
from turntable.loaders.draws.uniform_numbers import UniformNumbers

_MAX_ANGLE_RAD = 3.1415927
_MAX_SHEAR = 10.0


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Random changes to the image of each view. The default changes nothing.

    A crop or a flip changes the pose that the image shows, but not the pose labels: see docs/labels.md.

    Raises:
        InvalidInputError: A value is out of range.
    """

    crop_scale: Span | None = None
    """Range of the share of the area that a random crop keeps, drawn uniformly; None: no crop."""
    crop_ratio: Span = (3 / 4, 4 / 3)
    """Range of the crop's width divided by its height, drawn log-uniformly."""
    flip_probability: float = 0.0
    """Probability that left and right are exchanged, from 0 to 1."""
    brightness: float = 0.0
    """Strength of the brightness jitter: factors are uniform in [max(0, 1 - brightness), 1 + brightness];
    0: unchanged."""
    contrast: float = 0.0
    """Strength of the contrast jitter, as for ``brightness``."""
    saturation: float = 0.0
    """Strength of the saturation jitter, as for ``brightness``."""
    hue: float = 0.0
    """Strength of the hue jitter: shifts are uniform in [-hue, hue], in turns; at most 0.5."""
    jitter_probability: float = 1.0
    """Probability that the four changes of color above are applied to a view."""
    grey_probability: float = 0.0
    """Probability that the image is converted to gray."""
    blur_sigma_px: Span | None = None
    """Range of the standard deviation of a Gaussian blur, drawn uniformly, in pixels of the result; None: no
    blur."""
    blur_probability: float = 1.0
    """Probability that a view is blurred, where ``blur_sigma_px`` is given."""
    solarize_probability: float = 0.0
    """Probability that a view is solarized."""
    affine_rotation_rad: float = 0.0
    """Largest rotation of an affine map, in radians; angles are uniform in both directions, at most pi."""
    affine_shear: float = 0.0
    """Largest shear k of an affine map, uniform in both directions; at most 10."""
    affine_scale: Span | None = None
    """Range of the two scales of an affine map, each drawn uniformly by itself; None: no scaling."""
    affine_shift: float = 0.0
    """Largest shift of an affine map along each axis, in half sides of the image, uniform in both
    directions; at most 10."""
    affine_keeps_area: bool = False
    """True for affine maps of determinant 1: both scales are divided by the root of their product."""
    affine_fill: tuple[float, float, float] | None = None
    """Color (red, green, blue, from 0 to 255) of what an affine map brings in from outside the image; None:
    the image is reflected at its edges."""
    circular_shift_px: int = 0
    """Largest circular shift along each axis in pixels of the result, in both directions, all whole numbers
    equally likely."""
    circular_shift_grid_px: int = 1
    """Distance in pixels of the lines of a grid, such as the side of the patches of a transformer."""
    circular_shift_on_grid: bool = True
    """True for shifts that are multiples of ``circular_shift_grid_px``, False for shifts that are none, along
    either axis."""

    def __post_init__(self) -> None:
        for item in fields(self):
            if item.name.endswith("_probability"):
                self._check_range(item.name, 0.0, 1.0)
        for name in ("brightness", "contrast", "saturation"):
            self._check_range(name, 0.0, np.inf)
        self._check_range("hue", 0.0, 0.5)
        check_span("crop_ratio", self.crop_ratio, np.inf)
        for name, most in (("crop_scale", 1.0), ("blur_sigma_px", np.inf), ("affine_scale", np.inf)):
            if getattr(self, name) is not None:
                check_span(name, getattr(self, name), most)
        self._check_affine()
        self._check_shifts()

    @property
    def has_affine(self) -> bool:
        """True if images are warped by affine maps."""
        return bool(self.affine_rotation_rad or self.affine_shear or self.affine_scale or self.affine_shift)

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Names of all parameters that it draws, in the order of ``PARAMETERS``."""
        return tuple(self.draw_parameters(0, 0, np.zeros(1, dtype=np.int64), 1))

    @property
    def moving_parameters(self) -> tuple[str, ...]:
        """Names of the parameters that move pixels, in the order in which they are applied."""
        parts = {
            "crop": self.crop_scale is not None,
            "flip": self.flip_probability > 0,
            "affine": self.has_affine,
            "shift_px": self.circular_shift_px > 0,
        }
        return tuple(name for name, is_on in parts.items() if is_on)

    def _check_affine(self) -> None:
        self._check_range("affine_rotation_rad", 0.0, _MAX_ANGLE_RAD)
        for name in ("affine_shear", "affine_shift"):
            self._check_range(name, 0.0, _MAX_SHEAR)
        check_flag("affine_keeps_area", self.affine_keeps_area)
        fill: Any = self.affine_fill
        is_color = isinstance(fill, Sequence) and len(fill) == 3 and all(map(is_number, fill))
        if fill is not None and not (is_color and all(0 <= value <= 255 for value in fill)):
            raise InvalidInputError(
                f"affine_fill {format_value(fill)}: give three numbers from 0 to 255, red, green and blue, or"
                " None to reflect the image at its edges"
            )

    def _check_shifts(self) -> None:
        for name, least in (("circular_shift_px", 0), ("circular_shift_grid_px", 1)):
            object.__setattr__(self, name, check_integer(name, getattr(self, name), least))
        check_flag("circular_shift_on_grid", self.circular_shift_on_grid)
        if self.circular_shift_px and not self._list_shifts().any():
            kind = "multiple" if self.circular_shift_on_grid else "shift beside the multiples"
            raise InvalidInputError(
                f"circular_shift_px {self.circular_shift_px}: there is no {kind} of circular_shift_grid_px"
                f" {self.circular_shift_grid_px} up to it, except 0; give a larger one, or another grid"
            )

    def _check_range(self, name: str, low: float, high: float) -> None:
        value = check_number(name, getattr(self, name))
        if not low <= value <= high:
            bounds = f"from {low:g} to {high:g}" if np.isfinite(high) else f"at least {low:g}"
            raise InvalidInputError(f"{name} {value}: must be {bounds}")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return the augmentation that plain values describe, such as those of a JSON file.

        Args:
            values: Values by the names of this class's fields; ranges may be lists.

        Raises:
            InvalidInputError: A name is unknown, or a value has a wrong type or is out of range.
        """
        check_names("an augmentation", values, (item.name for item in fields(cls)))
        try:
            arguments: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in values.items()}
            return cls(**arguments)
        except TypeError as error:
            raise InvalidInputError(
                f"an augmentation has a value of the wrong type: {format_text(str(error))}"
            ) from error

    @classmethod
    def simclr(cls, strength: float = 1.0, flip_probability: float = 0.5) -> Self:
        """Return the augmentation of SimCLR (Chen et al., 2020).

        It mirrors images, so it suits methods that do not use pose labels.

        Args:
            strength: Strength of the color jitter (s in the paper), at most 2.5.
            flip_probability: Probability of mirroring; use 0 if pose labels are used.
        """
        strength = check_number("strength", strength)
        return cls(
            crop_scale=(0.08, 1.0),
            flip_probability=flip_probability,
            brightness=0.8 * strength,
            contrast=0.8 * strength,
            saturation=0.8 * strength,
            hue=0.2 * strength,
            jitter_probability=0.8,
            grey_probability=0.2,
            blur_sigma_px=(0.1, 2.0),
            blur_probability=0.5,
        )

    @classmethod
    def crop_only(cls, scale: Span = (0.2, 1.0)) -> Self:
        """Return random crops without mirroring.

        Args:
            scale: Range of the share of the area that a crop keeps.
        """
        return cls(crop_scale=scale)

    @classmethod
    def color_only(cls, strength: float = 0.5) -> Self:
        """Return the color jitter, gray conversion and blur of ``simclr``, without its crop and flip.

        Pose labels stay true for the changed images. Labels of hues do not.

        Args:
            strength: Strength of the color jitter, at most 2.5.
        """
        full = cls.simclr(strength)
        return cls(
            brightness=full.brightness,
            contrast=full.contrast,
            saturation=full.saturation,
            hue=full.hue,
            jitter_probability=full.jitter_probability,
            grey_probability=full.grey_probability,
            blur_sigma_px=full.blur_sigma_px,
            blur_probability=full.blur_probability,
        )

    @classmethod
    def warp_only(cls) -> Self:
        """Return affine maps in the ranges of affNIST, whose label is the field ``affine``.

        Rotations of 20 degrees, shears of 0.2, scales from 0.8 to 1.2 and shifts of 0.1 half sides, at most.
        """
        return cls(
            affine_rotation_rad=0.3490658504, affine_shear=0.2, affine_scale=(0.8, 1.2), affine_shift=0.1
        )

    def without_crop(self) -> Self:
        """Return the augmentation without its crop, for images that are crops already."""
        return replace(self, crop_scale=None)

    def draw_parameters(
        self,
        seed: int,
        epoch: int,
        positions: NDArray[np.int64],
        num_views: int,
        further_names: Sequence[str] = (),
    ) -> dict[str, NDArray[Any]]:
        """Draw the parameters of each view.

        They are a pure function of the seed, the epoch, the sample's position and the view's place in its
        sample. Ranks, workers, the batch size and the number of views do not change them. Turning one
        operation on or off does not change the parameters of another.

        Args:
            seed: Seed of the loader.
            epoch: Number of the epoch, from 0.
            positions: [B] positions of the samples in the epoch.
            num_views: Number of views k of a sample.
            further_names: Names of an independent stream, for images that are no views.

        Returns:
            [B, k, ...] by name, for the operations that are on: see ``PARAMETERS``.
        """
        names = (str(seed), str(epoch), *further_names)
        drawn = self._compute_parameters(UniformNumbers.draw(names, positions, num_views))
        return {row.name: drawn[row.name].astype(row.dtype) for row in PARAMETERS if row.name in drawn}

    def _compute_parameters(self, units: UniformNumbers) -> dict[str, NDArray[Any]]:
        """Compute the parameters of the operations that are on from uniform numbers, [...] by name."""
        drawn = {**self._compute_jitter(units), **dict(self._iter_geometry(units))}
        if self.blur_sigma_px is not None:
            chance, unit_sigma = np.moveaxis(units.get_words("blur"), -1, 0)
            drawn["blur_sigma_px"] = np.where(
                chance < self.blur_probability, scale_to_span(unit_sigma, self.blur_sigma_px), 0.0
            )
        for name in ("flip", "grey", "solarize"):
            probability = getattr(self, f"{name}_probability")
            if probability:
                drawn[name] = (units.get_scalar(name) < probability).astype(np.float64)
        return drawn

    def _iter_geometry(self, units: UniformNumbers) -> Iterator[tuple[str, NDArray[Any]]]:
        """Yield the parameters that move pixels, but for the flip."""
        if self.crop_scale is not None:
            yield "crop", compute_crops(units.get_words("crop"), self.crop_scale, self.crop_ratio)
        if self.has_affine:
            yield (
                "affine",
                compute_affine_maps(
                    units.get_words("affine"),
                    self.affine_rotation_rad,
                    self.affine_shear,
                    self.affine_scale or (1.0, 1.0),
                    self.affine_shift,
                    keeps_area=self.affine_keeps_area,
                ),
            )
        if self.circular_shift_px:
            yield "shift_px", pick(units.get_words("shift_px"), self._list_shifts())

    def _list_shifts(self) -> NDArray[np.int64]:
        return list_shifts(
            self.circular_shift_px, self.circular_shift_grid_px, on_grid=self.circular_shift_on_grid
        )

    def _compute_jitter(self, units: UniformNumbers) -> dict[str, FloatArray]:
        """Compute the parameters of the four changes of color. Views without jitter get neutral values."""
        applied = units.get_scalar("jitter") < self.jitter_probability
        drawn: dict[str, FloatArray] = {}
        for name in ("brightness", "contrast", "saturation"):
            strength = getattr(self, name)
            if strength:
                span = (max(0.0, 1.0 - strength), 1.0 + strength)
                drawn[name] = np.where(applied, scale_to_span(units.get_scalar(name), span), 1.0)
        if self.hue:
            drawn["hue_shift"] = np.where(
                applied, scale_to_span(units.get_scalar("hue_shift"), (-self.hue, self.hue)), 0.0
            )
        return drawn
