"""Random parameters of augmentations: drawn for each view, and stored in the batch as labels.

The workers of loaders draw these parameters, so this module does not import torch.
``turntable.loaders.augment`` applies them to images, on any device.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from turntable.choices import check_choice, check_names
from turntable.datasets.draws import draw_words, make_philox_key, words_to_units
from turntable.errors import InvalidInputError, format_text, format_value
from turntable.loaders.argument_checks import check_number, is_number
from turntable.markdown import format_markdown_table

FloatArray = NDArray[np.float64]
Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class AugmentationParameter:
    """A parameter of an augmentation, which is also a field of the batch."""

    name: str
    shape: tuple[int, ...]
    """Shape of one view's value, without the axes of the batch and the views."""
    unit: str
    values: str
    """Range, then the value that leaves the image unchanged: "0 or 1; 0"."""
    meaning: str


PARAMETERS: tuple[AugmentationParameter, ...] = (
    AugmentationParameter(
        "crop",
        (4,),
        "share of a side",
        "0 to 1; 0, 0, 1, 1",
        "top, left, height, width of the part that is kept",
    ),
    AugmentationParameter("flip", (), "1", "0 or 1; 0", "1: left and right exchanged, after the crop"),
    AugmentationParameter("brightness", (), "1", "at least 0; 1", "factor of all channels"),
    AugmentationParameter(
        "contrast", (), "1", "at least 0; 1", "factor of the distance from the image's mean gray"
    ),
    AugmentationParameter(
        "saturation", (), "1", "at least 0; 1", "factor of the distance from the pixel's gray"
    ),
    AugmentationParameter("hue_shift", (), "turn", "-0.5 to 0.5; 0", "added to the HSV hue of every pixel"),
    AugmentationParameter("grey", (), "1", "0 or 1; 0", "1: converted to gray"),
    AugmentationParameter(
        "blur_sigma_px",
        (),
        "pixel",
        "at least 0; 0",
        "standard deviation of the Gaussian blur, in pixels of the result",
    ),
    AugmentationParameter(
        "solarize", (), "1", "0 or 1; 0", "1: values of 128 and above become 255 minus themselves"
    ),
)
"""All parameters, in the order in which they are applied."""

PARAMETER_NAMES: tuple[str, ...] = tuple(row.name for row in PARAMETERS)


def format_parameter_table() -> str:
    """Return ``PARAMETERS`` as a Markdown table for the documentation."""
    rows = [
        (f"`{row.name}`", "[4]" if row.shape else "scalar", row.unit, row.values, row.meaning)
        for row in PARAMETERS
    ]
    return format_markdown_table(
        ("field", "shape", "unit", "range; what changes nothing", "what it is"), rows
    )


_MAX_CROP_ATTEMPTS = 10
_WORD_COUNTS = {
    "crop": _MAX_CROP_ATTEMPTS * 2 + 2,
    "flip": 1,
    "jitter": 1,
    "brightness": 1,
    "contrast": 1,
    "saturation": 1,
    "hue_shift": 1,
    "grey": 1,
    "blur": 2,
    "solarize": 1,
}
"""Number of random words that each operation uses for a view.

Every operation has fixed words, even when it is off. So turning one operation on or off does not change the
numbers of the others.
"""
_FIRST_WORDS = dict(zip(_WORD_COUNTS, np.cumsum([0, *_WORD_COUNTS.values()])[:-1].tolist(), strict=True))
"""Position of each operation's first word."""
_WORDS_PER_VIEW = 40
"""Number of random words drawn for a view.

A multiple of four, because Philox makes four words at a time. It is more than the operations use now: a new
operation can take the words that are left, and the numbers of the others stay the same.
"""


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

    def __post_init__(self) -> None:
        for item in fields(self):
            if item.name.endswith("_probability"):
                self._check_range(item.name, 0.0, 1.0)
        for name in ("brightness", "contrast", "saturation"):
            self._check_range(name, 0.0, np.inf)
        self._check_range("hue", 0.0, 0.5)
        _check_span("crop_scale", self.crop_scale, 1.0)
        _check_span("crop_ratio", self.crop_ratio, np.inf)
        _check_span("blur_sigma_px", self.blur_sigma_px, np.inf)

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

    def draw_parameters(
        self, seed: int, epoch: int, positions: NDArray[np.int64], num_views: int
    ) -> dict[str, NDArray[np.float32]]:
        """Draw the parameters of each view.

        They are a pure function of the seed, the epoch, the sample's position and the view's place in its
        sample. Ranks, workers, the batch size and the number of views do not change them. Turning one
        operation on or off does not change the parameters of another.

        Args:
            seed: Seed of the loader.
            epoch: Number of the epoch, from 0.
            positions: [B] positions of the samples in the epoch.
            num_views: Number of views k of a sample.

        Returns:
            float32 [B, k, ...] by name, for the operations that are on: see ``PARAMETERS``.
        """
        keys = [
            make_philox_key("augmentation", str(seed), str(epoch), str(view)) for view in range(num_views)
        ]
        words = [draw_words(key, positions, _WORDS_PER_VIEW) for key in keys]
        drawn = self._compute_parameters(_UniformNumbers(words_to_units(np.stack(words, axis=1))))
        return {name: drawn[name].astype(np.float32) for name in PARAMETER_NAMES if name in drawn}

    def _compute_parameters(self, units: "_UniformNumbers") -> dict[str, FloatArray]:
        """Compute the parameters of the operations that are on from uniform numbers, [...] by name."""
        drawn = self._compute_jitter(units)
        if self.crop_scale is not None:
            drawn["crop"] = _compute_crops(units.get_words("crop"), self.crop_scale, self.crop_ratio)
        if self.blur_sigma_px is not None:
            chance, unit_sigma = np.moveaxis(units.get_words("blur"), -1, 0)
            drawn["blur_sigma_px"] = np.where(
                chance < self.blur_probability, _scale_to_span(unit_sigma, self.blur_sigma_px), 0.0
            )
        for name in ("flip", "grey", "solarize"):
            probability = getattr(self, f"{name}_probability")
            if probability:
                drawn[name] = (units.get_scalar(name) < probability).astype(np.float64)
        return drawn

    def _compute_jitter(self, units: "_UniformNumbers") -> dict[str, FloatArray]:
        """Compute the parameters of the four changes of color. Views without jitter get neutral values."""
        applied = units.get_scalar("jitter") < self.jitter_probability
        drawn: dict[str, FloatArray] = {}
        for name in ("brightness", "contrast", "saturation"):
            strength = getattr(self, name)
            if strength:
                span = (max(0.0, 1.0 - strength), 1.0 + strength)
                drawn[name] = np.where(applied, _scale_to_span(units.get_scalar(name), span), 1.0)
        if self.hue:
            drawn["hue_shift"] = np.where(
                applied, _scale_to_span(units.get_scalar("hue_shift"), (-self.hue, self.hue)), 0.0
            )
        return drawn


@dataclass(frozen=True, slots=True, eq=False)
class _UniformNumbers:
    """Uniform random numbers of views, looked up by the operation that uses them."""

    numbers: FloatArray
    """[..., 40] numbers from 0 to 1."""

    def get_words(self, operation: str) -> FloatArray:
        """Return all n numbers of an operation, [..., n]."""
        first = _FIRST_WORDS[operation]
        return self.numbers[..., first : first + _WORD_COUNTS[operation]]

    def get_scalar(self, operation: str) -> FloatArray:
        """Return the first number of an operation, [...]."""
        return self.get_words(operation)[..., 0]


def _compute_crops(units: FloatArray, scale: Span, ratio: Span) -> FloatArray:
    """Compute crops [..., 4] like torchvision's RandomResizedCrop, but not rounded to pixels.

    Area and ratio are tried ten times, and the first that fit into the image are taken. If none fit, the crop
    is the largest part of the image that has an allowed ratio, from its center.

    All ten attempts come from numbers drawn beforehand, rather than in a loop that stops early. So every view
    uses the same number of words.
    """
    areas = _scale_to_span(units[..., 0 : 2 * _MAX_CROP_ATTEMPTS : 2], scale)
    ratios = np.exp(
        _scale_to_span(units[..., 1 : 2 * _MAX_CROP_ATTEMPTS : 2], (np.log(ratio[0]), np.log(ratio[1])))
    )
    heights, widths = np.sqrt(areas / ratios), np.sqrt(areas * ratios)
    fits = (heights <= 1) & (widths <= 1)
    first = np.argmax(fits, axis=-1, keepdims=True)
    any_fits = fits.any(axis=-1)
    height = np.where(any_fits, np.take_along_axis(heights, first, -1)[..., 0], min(1.0, 1.0 / ratio[0]))
    width = np.where(any_fits, np.take_along_axis(widths, first, -1)[..., 0], min(1.0, ratio[1]))
    vertical, horizontal = np.where(any_fits, np.moveaxis(units[..., -2:], -1, 0), 0.5)
    return np.stack([vertical * (1 - height), horizontal * (1 - width), height, width], axis=-1)


def _scale_to_span(units: FloatArray, span: Span) -> FloatArray:
    return span[0] + units * (span[1] - span[0])


def _check_span(name: str, span: Any, max_value: float) -> None:
    if span is None:
        return
    is_span = isinstance(span, Sequence) and len(span) == 2 and all(map(is_number, span))
    if not is_span or not 0 < span[0] <= span[1] <= max_value or not np.isfinite(span[1]):
        bound = f", and the largest at most {max_value:g}" if np.isfinite(max_value) else ""
        raise InvalidInputError(
            f"{name} {format_value(span)}: give two numbers, the smallest and the largest; both must be "
            f"above 0{bound}"
        )


AUGMENTATIONS: Mapping[str, Augmentation] = {
    "simclr": Augmentation.simclr(),
    "simclr-unmirrored": Augmentation.simclr(flip_probability=0.0),
    "crop": Augmentation.crop_only(),
    "color": Augmentation.color_only(),
}
"""The augmentations that ``turntable train --augment`` may name."""


def get_augmentation(name: str) -> Augmentation:
    """Return the augmentation that has a name in ``AUGMENTATIONS``.

    Raises:
        InvalidInputError: No augmentation has that name.
    """
    check_choice("augmentation", name, AUGMENTATIONS)
    return AUGMENTATIONS[name]
