"""Comparing what was stored with what is made: values exactly or nearly, pictures by tolerance."""

import math
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
from numpy.typing import NDArray

PIXELS = ("shards.*.bytes", "shards.*.sha256", "shards.*.idx_sha256", "totals.bytes", "pixel_*", "device.*")
"""Fields of a manifest that depend on the pixels, which differ between drivers."""
VERSION = ("generator_version",)
"""Fields that a later version may state otherwise."""


def differences(
    before: Any,
    after: Any,
    *,
    gains: bool = False,
    free: Sequence[str] = (),
    absolute: float = 0.0,
    relative: float = 0.0,
    where: str = "",
) -> list[str]:
    """Say where two JSON values differ; nothing where they do not.

    Args:
        before: What was stored.
        after: What there is now.
        gains: Whether tables may have gained keys.
        free: Patterns of paths, such as "shards.*.bytes", whose values may be others; they must be there.
        absolute: By how much fractions may differ; whole numbers must be equal.
        relative: By which share of themselves, besides.
        where: The path of the values.
    """
    if where and any(fnmatchcase(where, pattern) for pattern in free):
        return []
    options: dict[str, Any] = {"gains": gains, "free": free, "absolute": absolute, "relative": relative}
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        found = [f"{_at(where, key)}: gone" for key in before if key not in after]
        if not gains:
            found += [f"{_at(where, key)}: gained" for key in after if key not in before]
        for key in before:
            if key in after:
                found += differences(before[key], after[key], where=_at(where, key), **options)
        return found
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        pairs = enumerate(zip(before, after, strict=True))
        return [
            text
            for place, (one, two) in pairs
            for text in differences(one, two, where=_at(where, place), **options)
        ]
    if isinstance(before, float) and isinstance(after, float):
        same = math.isclose(before, after, rel_tol=relative, abs_tol=absolute)
    else:
        same = type(before) is type(after) and before == after
    return [] if same else [f"{where}: was {_short(before)}, now {_short(after)}"]


def gained(before: Any, after: Any, where: str = "") -> list[str]:
    """The paths of keys that tables have gained."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        found = [_at(where, key) for key in after if key not in before]
        shared = [(key, before[key], after[key]) for key in before if key in after]
    elif isinstance(before, list) and isinstance(after, list):
        found, shared = [], [(place, *pair) for place, pair in enumerate(zip(before, after, strict=False))]
    else:
        return []
    return found + [path for key, one, two in shared for path in gained(one, two, _at(where, key))]


def array_differences(
    before: Mapping[str, NDArray[Any]],
    after: Mapping[str, NDArray[Any]],
    absolute: float,
    relative: float = 0,
) -> list[str]:
    """Say which arrays differ: whole numbers exactly, others by more than a tolerance."""
    found = [f"{name}: gone" for name in before if name not in after]
    found += [f"{name}: gained" for name in after if name not in before]
    for name in before:
        if name in after and (text := _array_difference(before[name], after[name], absolute, relative)):
            found.append(f"{name}: {text}")
    return found


def picture_differences(before: NDArray[Any], after: NDArray[Any]) -> list[str]:
    """Say how far uint8 pictures are apart, where it is more than two drivers of one scene are."""
    if before.shape != after.shape:
        return [f"shape {before.shape}, now {after.shape}"]
    apart = np.abs(before.astype(np.int64) - after.astype(np.int64))
    mean, far = float(apart.mean()), float((apart > FAR).mean())
    found = [f"they differ by {mean:.2f} of 255 on average"] if mean >= MEAN else []
    return found + ([f"{far:.2%} of the values differ by more than {FAR}"] if far > FAR_SHARE else [])


MEAN, FAR, FAR_SHARE = 1.5, 32, 1e-3
"""Bounds, of 255: the mean difference; a large one; the share of values that may differ by more."""


def _array_difference(one: NDArray[Any], two: NDArray[Any], absolute: float, relative: float) -> str | None:
    if one.shape != two.shape or one.dtype != two.dtype:
        return f"was {one.dtype} {one.shape}, now {two.dtype} {two.shape}"
    if one.dtype.kind != "f":
        return None if np.array_equal(one, two) else "other values"
    apart = np.abs(one.astype(np.float64) - two)
    if bool((apart <= absolute + relative * np.abs(one)).all()):
        return None
    return f"differs by up to {apart.max():.3g}"


def _at(where: str, key: object) -> str:
    return f"{where}.{key}" if where else str(key)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
