"""What an augmentation does to each view, as numbers drawn by counting: they are labels of the batch.

No torch: workers of loaders draw them. ``turntable.loaders.augment.images`` applies them on any device.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from turntable.choices import check_choice, check_names
from turntable.datasets.draws import counter_key, units_of, words_of
from turntable.errors import InvalidInputError, shown
from turntable.markdown import markdown_table

FloatArray = NDArray[np.float64]
Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class ParameterRow:
    """One field of the batch."""

    name: str
    shape: tuple[int, ...]
    """Without the batch and the views before it."""
    unit: str
    values: str
    """Its range; the value that changes nothing."""
    meaning: str


PARAMETERS: tuple[ParameterRow, ...] = (
    ParameterRow(
        "crop",
        (4,),
        "share of a side",
        "0 to 1; 0, 0, 1, 1",
        "top, left, height, width of the part that is kept",
    ),
    ParameterRow("flip", (), "1", "0 or 1; 0", "1: left and right exchanged, after the crop"),
    ParameterRow("brightness", (), "1", "at least 0; 1", "factor of all channels"),
    ParameterRow("contrast", (), "1", "at least 0; 1", "factor of the distance from the picture's mean grey"),
    ParameterRow("saturation", (), "1", "at least 0; 1", "factor of the distance from the pixel's own grey"),
    ParameterRow("hue_shift", (), "turn", "-0.5 to 0.5; 0", "added to the HSV hue of every pixel"),
    ParameterRow("grey", (), "1", "0 or 1; 0", "1: without colour"),
    ParameterRow("blur_sigma_px", (), "pixel", "at least 0; 0", "of the Gaussian, in pixels of the result"),
    ParameterRow("solarize", (), "1", "0 or 1; 0", "1: values of 128 and above become 255 minus themselves"),
)
"""In the order in which they are applied."""

PARAMETER_NAMES: tuple[str, ...] = tuple(row.name for row in PARAMETERS)


def parameters_text() -> str:
    """All of them as a table in Markdown."""
    rows = [
        (f"`{row.name}`", "[4]" if row.shape else "scalar", row.unit, row.values, row.meaning)
        for row in PARAMETERS
    ]
    return markdown_table(("field", "shape", "unit", "range; what changes nothing", "what it is"), rows)


_ATTEMPTS = 10
_WORDS = {
    "crop": _ATTEMPTS * 2 + 2,
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
"""Words of a view that decide each part: always these, so that no part's numbers hang on another's."""
_STARTS = dict(zip(_WORDS, np.cumsum([0, *_WORDS.values()])[:-1].tolist(), strict=True))
_WORDS_PER_VIEW = 40
"""A multiple of four, with room for parts to come."""


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Changes to pictures that are drawn at random for each view; as it stands, none.

    A crop or a flip changes what the picture tells of the pose: see docs/labels.md.

    Raises:
        InvalidInputError: a value cannot be right.
    """

    crop_scale: Span | None = None
    """Share of the area that a random crop keeps, uniform; None: no crop."""
    crop_ratio: Span = (3 / 4, 4 / 3)
    """Its width to its height, log-uniform."""
    flip_probability: float = 0.0
    brightness: float = 0.0
    """Factors are uniform in [max(0, 1 - brightness), 1 + brightness]; 0: unchanged."""
    contrast: float = 0.0
    """Likewise."""
    saturation: float = 0.0
    """Likewise."""
    hue: float = 0.0
    """Shifts are uniform in [-hue, hue], in turns; at most 0.5."""
    jitter_probability: float = 1.0
    """That the four above are applied to a view."""
    grey_probability: float = 0.0
    blur_sigma_px: Span | None = None
    """Standard deviation of a Gaussian blur, uniform, in pixels of the result; None: no blur."""
    blur_probability: float = 1.0
    solarize_probability: float = 0.0

    def __post_init__(self) -> None:
        for item in fields(self):
            if item.name.endswith("_probability"):
                self._check(item.name, 0.0, 1.0)
        for name in ("brightness", "contrast", "saturation"):
            self._check(name, 0.0, np.inf)
        self._check("hue", 0.0, 0.5)
        _check_span("crop_scale", self.crop_scale, 1.0)
        _check_span("crop_ratio", self.crop_ratio, np.inf)
        _check_span("blur_sigma_px", self.blur_sigma_px, np.inf)

    def _check(self, name: str, low: float, high: float) -> None:
        value = getattr(self, name)
        if not low <= value <= high:
            bounds = f"from {low:g} to {high:g}" if np.isfinite(high) else f"at least {low:g}"
            raise InvalidInputError(f"{name} {value}: must be {bounds}")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Make an augmentation of plain values, as JSON has them.

        Raises:
            InvalidInputError: A name is unknown, or a value cannot be right.
        """
        check_names("an augmentation", values, (item.name for item in fields(cls)))
        try:
            given: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in values.items()}
            return cls(**given)
        except TypeError as error:
            raise InvalidInputError(f"an augmentation cannot be right: {shown(str(error))}") from error

    @classmethod
    def simclr(cls, strength: float = 1.0, flip_probability: float = 0.5) -> Self:
        """That of SimCLR (Chen et al., 2020), for methods that read no pose: it mirrors every other picture.

        Args:
            strength: of the colour jitter, their s; at most 2.5.
            flip_probability: 0 where labels of poses are read.
        """
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
        """Random crops, never mirrored."""
        return cls(crop_scale=scale)

    @classmethod
    def colour_only(cls, strength: float = 0.5) -> Self:
        """Colour jitter, grey and blur as in ``simclr``: poses stay what their labels say, hues do not."""
        whole = cls.simclr(strength)
        return cls(
            brightness=whole.brightness,
            contrast=whole.contrast,
            saturation=whole.saturation,
            hue=whole.hue,
            jitter_probability=whole.jitter_probability,
            grey_probability=whole.grey_probability,
            blur_sigma_px=whole.blur_sigma_px,
            blur_probability=whole.blur_probability,
        )

    def parameters(
        self, seed: int, epoch: int, positions: NDArray[np.int64], views: int
    ) -> dict[str, NDArray[np.float32]]:
        """What happens to each view: a pure function of seed, epoch, position and the view's number.

        Neither ranks, workers, the batch nor the number of views change a view's numbers, and no part's
        numbers depend on which others are on.

        Args:
            seed: of the loader.
            epoch: counted from 0.
            positions: [B] of the samples in the epoch.
            views: k, of a sample.

        Returns:
            By name, of the parts that are on, float32 [B, k, ...]: see ``PARAMETERS``.
        """
        keys = [counter_key("augmentation", str(seed), str(epoch), str(view)) for view in range(views)]
        words = [words_of(key, positions, _WORDS_PER_VIEW) for key in keys]
        drawn = self._draw(_Units(units_of(np.stack(words, axis=1))))
        return {name: drawn[name].astype(np.float32) for name in PARAMETER_NAMES if name in drawn}

    def _draw(self, units: "_Units") -> dict[str, FloatArray]:
        drawn = self._jitter(units)
        if self.crop_scale is not None:
            drawn["crop"] = _crops(units.of("crop"), self.crop_scale, self.crop_ratio)
        if self.blur_sigma_px is not None:
            chance, place = np.moveaxis(units.of("blur"), -1, 0)
            drawn["blur_sigma_px"] = np.where(
                chance < self.blur_probability, _within(place, self.blur_sigma_px), 0.0
            )
        for name in ("flip", "grey", "solarize"):
            probability = getattr(self, f"{name}_probability")
            if probability:
                drawn[name] = (units.one_of(name) < probability).astype(np.float64)
        return drawn

    def _jitter(self, units: "_Units") -> dict[str, FloatArray]:
        applied = units.one_of("jitter") < self.jitter_probability
        drawn: dict[str, FloatArray] = {}
        for name in ("brightness", "contrast", "saturation"):
            most = getattr(self, name)
            if most:
                span = (max(0.0, 1.0 - most), 1.0 + most)
                drawn[name] = np.where(applied, _within(units.one_of(name), span), 1.0)
        if self.hue:
            drawn["hue_shift"] = np.where(
                applied, _within(units.one_of("hue_shift"), (-self.hue, self.hue)), 0.0
            )
        return drawn


@dataclass(frozen=True, slots=True, eq=False)
class _Units:
    """Uniform numbers [..., 40] of views, by the part that they decide."""

    all: FloatArray

    def of(self, part: str) -> FloatArray:
        """[..., n]."""
        return self.all[..., _STARTS[part] : _STARTS[part] + _WORDS[part]]

    def one_of(self, part: str) -> FloatArray:
        """[...] of a part with one."""
        return self.of(part)[..., 0]


def _crops(units: FloatArray, scale: Span, ratio: Span) -> FloatArray:
    """Crops [..., 4] as torchvision's RandomResizedCrop has them, but for rounding to pixels.

    Area and ratio are drawn until they fit, ten times at most; then the whole picture, made narrower or
    lower until its ratio is allowed, is taken from the middle.
    """
    areas = _within(units[..., 0 : 2 * _ATTEMPTS : 2], scale)
    ratios = np.exp(_within(units[..., 1 : 2 * _ATTEMPTS : 2], (np.log(ratio[0]), np.log(ratio[1]))))
    heights, widths = np.sqrt(areas / ratios), np.sqrt(areas * ratios)
    fits = (heights <= 1) & (widths <= 1)
    first = np.argmax(fits, axis=-1, keepdims=True)
    found = fits.any(axis=-1)
    height = np.where(found, np.take_along_axis(heights, first, -1)[..., 0], min(1.0, 1.0 / ratio[0]))
    width = np.where(found, np.take_along_axis(widths, first, -1)[..., 0], min(1.0, ratio[1]))
    down, across = np.where(found, np.moveaxis(units[..., -2:], -1, 0), 0.5)
    return np.stack([down * (1 - height), across * (1 - width), height, width], axis=-1)


def _within(units: FloatArray, span: Span) -> FloatArray:
    return span[0] + units * (span[1] - span[0])


def _check_span(name: str, span: Any, most: float) -> None:
    if span is None:
        return
    if len(span) != 2 or not 0 < span[0] <= span[1] <= most or not np.isfinite(span[1]):
        bound = f", the greatest at most {most:g}" if np.isfinite(most) else ""
        raise InvalidInputError(f"{name} {span}: give the least and the greatest, above 0{bound}")


AUGMENTATIONS: Mapping[str, Augmentation] = {
    "simclr": Augmentation.simclr(),
    "simclr-unmirrored": Augmentation.simclr(flip_probability=0.0),
    "crop": Augmentation.crop_only(),
    "color": Augmentation.colour_only(),
}
"""The augmentations that ``turntable train --augment`` may name."""


def augmentation_by_name(name: str) -> Augmentation:
    """Look an augmentation up.

    Raises:
        InvalidInputError: None has that name.
    """
    check_choice("augmentation", name, AUGMENTATIONS)
    return AUGMENTATIONS[name]
