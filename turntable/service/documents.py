"""What the service answers, as types: answers are made of them, and ``/openapi.json`` describes them."""

from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

Numbers = dict[str, float]
Point = tuple[float, float]
Line = tuple[Point, Point]
"""From a place of a picture to another; (0, 0) is the top left corner, (1, 1) the bottom right one."""
Quaternion = Annotated[list[float], Field(description="xyzw")]


class StatusOk(TypedDict):
    """The answer where there is nothing to tell."""

    status: Literal["ok"]


class Health(StatusOk):
    """How the service is."""

    datasets: int


class Refusal(TypedDict):
    """What is wrong with a request, and what to do."""

    error: str


class Broken(TypedDict):
    """A data set that cannot be served."""

    name: str
    problem: str


class DatasetLine(TypedDict):
    """A data set in the catalogue, in one line."""

    name: str
    title: str
    description: str
    objects: int
    images: int
    views: Annotated[int, Field(description="Of each object")]
    bytes: int
    image_size_px: int
    splits: list[str]
    categories: list[str]
    factors: list[str]
    licence: str
    fingerprint: str


class Described(DatasetLine):
    """A data set in the catalogue's words, and in those of its manifest."""

    quarantined: int
    source: dict[str, Any]
    conventions: dict[str, str]
    camera: dict[str, Any]
    outputs: list[str]
    shards: int
    classes: Annotated[dict[str, dict[str, int]], Field(description="Objects, by split and category")]


class About(Described):
    """A data set as its page shows it."""

    renders: Annotated[bool, Field(description="Whether views of it are drawn on request")]


class FactorHistogram(TypedDict):
    """How often the values of a factor occur, in bins of equal width from ``low`` to ``high``."""

    name: str
    unit: str
    description: str
    low: float
    high: float
    counts: list[int]


class ObjectLine(TypedDict):
    """An object in one line."""

    key: str
    id: str
    category: str
    split: str
    licence: str


class ObjectsPage(TypedDict):
    """Some objects of a split."""

    total: Annotated[int, Field(description="Of all that were asked for, on this page or not")]
    objects: list[ObjectLine]


class ObjectViews(ObjectLine):
    """An object with the factors of each of its views."""

    views: list[Numbers]


class ViewLine(ObjectLine):
    """A view in one line."""

    view: int
    factors: Numbers


class ViewsPage(TypedDict):
    """Some views that fulfil a condition."""

    total: Annotated[int, Field(description="Of all that fulfil it, on this page or not")]
    objects: Annotated[int, Field(description="That have one of them")]
    views: list[ViewLine]


class Label(TypedDict):
    """The factors of a view, and its pose."""

    object: str
    key: str
    category: str
    split: str
    view: int
    factors: Numbers
    rotation: Annotated[list[list[float]], Field(description="3 x 3, of the object in the world")]
    quaternion: Quaternion
    translation: Annotated[list[float], Field(description="In the object's frame, in diagonals")]
    overlay: Annotated[dict[str, Line] | None, Field(description="Lines over the picture, whose side is 1")]


class Pair(ObjectLine):
    """The pair of views that a loader gives at a place of an epoch."""

    views: list[int]
    pairs: Annotated[int, Field(description="Of the epoch")]
    labels: list[Label]
    relative_quaternion: Quaternion
    relative_angle_rad: float
