"""The rule by which objects are composed into scenes, as in a recipe's table [scene].

A scene is an assembly whose parts are whole objects. Its own frame is that of the world, before the recipe's
rotation turns all of it. An arrangement places every object of a scene.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.labels.sequence_rule import Span

Orientation = Literal["upright", "haar"]
"""The turns of objects in a scene: about the vertical, standing on one level; or any, anywhere in a box."""
SceneLaw = Literal["train", "ood"]
"""A preset of the orientation: "train" is upright, "ood" is haar."""
LAW_ORIENTATIONS: dict[SceneLaw, Orientation] = {"train": "upright", "ood": "haar"}
MIN_SCENE_OBJECTS = 2
"""Smallest number of objects of a scene."""
MAX_SCENE_OBJECTS = 8
"""Largest number of objects of a scene."""
DEFAULT_GAP = 0.02
DEFAULT_LEVEL = -0.25
DEFAULT_TRIES = 100


@dataclass(frozen=True, slots=True)
class SceneRule:
    """The rule of a recipe's scenes. Lengths are in the unit of the world."""

    objects: tuple[int, int]
    """Least and greatest number of objects of a scene."""
    size: Span
    """Least and greatest diagonal of an object's bounding box."""
    area: float
    """Half the side of the square in which upright objects stand, or of the box that holds turned ones."""
    orientation: Orientation
    gap: float = DEFAULT_GAP
    """Least distance between the bounding boxes of upright objects, or between the spheres around turned
    ones."""
    level: float = DEFAULT_LEVEL
    """Height on which upright objects stand."""
    tries: int = DEFAULT_TRIES
    """Largest number of tries to arrange a scene."""
    arrangements: int | None = None
    """Number of arrangements that the views share; None for a new one in every view or sequence."""

    def number_arrangements(self, views: NDArray[np.int64], sequence_length: int = 1) -> NDArray[np.int64]:
        """Return the number of the arrangement that each view [V] shows.

        The views of a sequence show one arrangement. View (or sequence) n shows arrangement n, or n modulo
        their number, so that a larger number of views begins with the same ones.

        Args:
            views: Numbers of the views.
            sequence_length: Number of views of a sequence; 1 if the views are independent.
        """
        sequences = views // sequence_length
        return sequences if self.arrangements is None else sequences % self.arrangements

    def to_dict(self) -> dict[str, Any]:
        """Return the table [scene] of a recipe, without what has its default."""
        spans = {"objects": self.objects, "size": self.size}
        table: dict[str, Any] = {name: {"low": span[0], "high": span[1]} for name, span in spans.items()}
        table |= {"area": self.area, "orientation": self.orientation}
        defaults = {"gap": DEFAULT_GAP, "level": DEFAULT_LEVEL, "tries": DEFAULT_TRIES, "arrangements": None}
        given = {name: getattr(self, name) for name in defaults}
        return table | {name: value for name, value in given.items() if value != defaults[name]}

    def __str__(self) -> str:
        """Return the rule in words, for tables."""
        low, high = self.objects
        count = f"{low} objects" if low == high else f"{low} to {high} objects"
        how = (
            f"upright on z = {self.level:g}, within {self.area:g} of the vertical axis along x and y"
            if self.orientation == "upright"
            else f"turned at random, within {self.area:g} of the origin along each axis"
        )
        held = "" if self.arrangements is None else f", {self.arrangements} arrangements of each scene"
        return f"{count} of {self.size[0]:g} to {self.size[1]:g}, {how}, at least {self.gap:g} apart{held}"
