"""The keyframes of a file's animations, by the node that they move."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.errors import MeshError
from turntable.renderer.meshes.formats.gltf.accessors import count_elements, read_floats
from turntable.renderer.meshes.formats.gltf.file import GltfFile, JsonObject

Floats = NDArray[np.float64]
"""Numbers in double precision."""

RIGID_PATHS = {"translation": 3, "rotation": 4}
"""Widths of the values that move a node and leave its shape as it is, by the path of their channel."""
_SOFT_PATHS = {"scale": (3, "scales"), "weights": (1, "morphs")}
_MIN_CHANGE = 1e-4
"""Least change of a scale or a weight of a morph target that counts."""


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """The values of one property of a node over time."""

    times: Floats
    """[K] times in seconds, increasing."""
    values: Floats
    """[K, width] values."""

    def interpolate(self, times: Floats) -> Floats:
        """Return the values [T, width] at some times, evenly between keyframes, and held at both ends."""
        after = np.searchsorted(self.times, times).clip(0, len(self.times) - 1)
        before = np.maximum(after - 1, 0)
        span = np.where(after > before, self.times[after] - self.times[before], 1)
        share = ((times - self.times[before]) / span).clip(0, 1)[:, None]
        return self.values[before] + share * (self.values[after] - self.values[before])


@dataclass(slots=True)
class _KeyframeReader:
    """A reader of the channels of a file's animations."""

    file: GltfFile
    num_keyframes: int = 0
    """Number of keyframes read so far."""

    def read_animation(self, animation: JsonObject) -> dict[int, dict[str, Track]]:
        """Read the translations and rotations of an animation: tables by path, by node."""
        tables: dict[int, dict[str, Track]] = {}
        samplers, count = self.file.get_dicts(animation, "samplers"), len(self.file.get_list("nodes"))
        for channel in self.file.get_dicts(animation, "channels"):
            target = self.file.get_dict(channel, "target")
            node, path = target.get("node"), str(target.get("path"))
            if type(node) is not int or not 0 <= node < count:
                continue  # by the specification, a channel without a node moves nothing
            try:
                track = self._read_channel(samplers, channel.get("sampler"), node, path)
            except MeshError as error:
                if error.reason != "unreadable":
                    raise
                detail = f"an animation of node {node} cannot be read ({self.file.describe(error)})"
                self.file.log.add("reference-skipped", detail, "it moves nothing")
                continue
            if track is not None:
                tables.setdefault(node, {})[path] = track
        return tables

    def _read_channel(self, samplers: list[JsonObject], number: object, node: int, path: str) -> Track | None:
        """Read a channel. Return None, with a warning, if it changes the shape of what it moves."""
        if type(number) is not int or not 0 <= number < len(samplers):
            self.file.raise_unreadable(f"it has no sampler {number!r:.40}")
        sampler = samplers[number]
        self.num_keyframes += count_elements(self.file, sampler.get("output"))
        self.num_keyframes += count_elements(self.file, sampler.get("input"))
        self.file.object_files.limits.check_scaled(
            "placed_vertices",
            self.num_keyframes,
            self.file.object_files.bytes_read,
            str(self.file.path),
            "keyframes",
        )
        if path in RIGID_PATHS:
            return _read_track(self.file, sampler, RIGID_PATHS[path])
        if path in _SOFT_PATHS:
            _warn_of_change(self.file, sampler, node, path)
        return None


def read_keyframes(file: GltfFile) -> dict[int, list[dict[str, Track]]]:
    """Read the translations and rotations of all animations, by node: for each animation a table by path.

    Scales and morph targets that change are named by a warning, and left out; so are broken channels.

    Raises:
        MeshError: There are more keyframes than a file of this size may have.
    """
    found: dict[int, list[dict[str, Track]]] = {}
    reader = _KeyframeReader(file)
    for animation in file.get_list("animations"):
        for node, table in reader.read_animation(animation).items():
            found.setdefault(node, []).append(table)
    return found


def _read_track(file: GltfFile, sampler: JsonObject, width: int) -> Track | None:
    """Read a sampler. Return None if it has no finite keyframe."""
    times = read_floats(file, sampler.get("input"), 1)[:, 0]
    values = read_floats(file, sampler.get("output"), width)
    if sampler.get("interpolation") == "CUBICSPLINE":
        values = values[1::3]  # a tangent, the value, and another tangent
    count = min(len(times), len(values))
    times, values = times[:count], values[:count]
    good = np.isfinite(times) & np.isfinite(values).all(axis=1)
    if width == RIGID_PATHS["rotation"]:
        good &= np.linalg.norm(values, axis=1) > 0
    times, first = np.unique(times[good], return_index=True)
    values = values[good][first]
    if not len(times):
        return None
    return Track(times, _join_signs(values) if width == RIGID_PATHS["rotation"] else values)


def _join_signs(quaternions: Floats) -> Floats:
    """Return unit quaternions [K, 4] with signs such that each is on the side of the one before it."""
    units = quaternions / np.linalg.norm(quaternions, axis=1, keepdims=True)
    turned = (units[1:] * units[:-1]).sum(axis=1) < 0
    return units * np.cumprod(np.where(np.concatenate([[False], turned]), -1.0, 1.0))[:, None]


def _warn_of_change(file: GltfFile, sampler: JsonObject, node: int, path: str) -> None:
    """Add a warning about an animation that changes a shape."""
    width, verb = _SOFT_PATHS[path]
    count = max(count_elements(file, sampler.get("input")), 1)
    values = read_floats(file, sampler.get("output"), width)
    steps = values[: len(values) // count * count].reshape(count, -1)
    if steps.size and np.ptp(steps, axis=0).max(initial=0) > _MIN_CHANGE:
        file.log.add("motion-skipped", f"an animation {verb} node {node}", "it stands as it is at rest")
