"""Types of the service's JSON responses.

``/openapi.json`` is generated from them: their docstrings and descriptions are texts for its readers.
"""

from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

FactorValues = dict[str, float]
"""Values of a view's factors by the factors' names."""
Point = tuple[float, float]
"""A point (x, y) in a picture: (0, 0) is the top left corner, (1, 1) the bottom right corner."""
Line = tuple[Point, Point]
"""A line from one point in a picture to another."""
Quaternion = Annotated[list[float], Field(description="xyzw")]
Matrix = list[list[float]]
"""The rows of a matrix."""


class StatusOk(TypedDict):
    """A success without further content."""

    status: Literal["ok"]


class Health(StatusOk):
    """The health of the service, with the number of its data sets."""

    datasets: int


class SessionToken(TypedDict):
    """The token that was sent, without its text."""

    name: Annotated[str, Field(description="Name for people")]
    scopes: list[str]
    datasets: Annotated[list[str], Field(description='Names of data sets, or "*" for all')]
    expires: Annotated[
        float | None, Field(description="Seconds since 1970 at which it expires; null for never")
    ]


class Session(TypedDict):
    """The state of a session: who is signed in, and what can be read without a token."""

    needs_token: Annotated[bool, Field(description="True if data sets that are not public need a token")]
    token: Annotated[
        SessionToken | None, Field(description="The valid token that was sent; null if none was")
    ]
    token_error: Annotated[
        str, Field(description="Reason why the token that was sent is refused; empty if it is not")
    ]
    public_datasets: Annotated[int, Field(description="Number of data sets that need no token")]


class Refusal(TypedDict):
    """An error: what is wrong with the request, and what to do."""

    error: str


class Broken(TypedDict):
    """A data set that cannot be served."""

    name: str
    problem: str


class DatasetLine(TypedDict):
    """A summary of a data set, as the catalog lists it."""

    name: str
    title: str
    description: str
    objects: int
    images: int
    views: Annotated[int, Field(description="Number of views of each object")]
    bytes: int
    image_size_px: int
    outputs: list[str]
    splits: list[str]
    categories: list[str]
    factors: list[str]
    licence: str
    fingerprint: str


class DatasetDescription(DatasetLine):
    """A summary of a data set, with more of its manifest and the sizes of its categories."""

    quarantined: int
    source: dict[str, Any]
    conventions: dict[str, str]
    camera: dict[str, Any]
    shards: int
    classes: Annotated[
        dict[str, dict[str, int]], Field(description="Number of objects by split and category")
    ]


class About(DatasetDescription):
    """A description of a data set, as the gallery's page shows it."""

    renders: Annotated[bool, Field(description="True if its views can be rendered on request")]
    sequence_length: Annotated[
        int, Field(description="Number of views that follow one another; 0 if there are no sequences")
    ]
    drawings: Annotated[
        dict[str, str], Field(description="Titles of the drawings of an object's arrays, by name")
    ]


class FactorHistogram(TypedDict):
    """A histogram of a factor's values over all views, in bins of equal width from ``low`` to ``high``."""

    name: str
    unit: str
    description: str
    low: float
    high: float
    counts: list[int]


class ObjectLine(TypedDict):
    """A summary of an object."""

    key: str
    id: str
    category: str
    split: str
    licence: str


class ObjectsPage(TypedDict):
    """One page of the objects of a split."""

    total: Annotated[int, Field(description="Number of matching objects on all pages")]
    objects: list[ObjectLine]


class JointLine(TypedDict):
    """The joint that moves a part."""

    kind: Annotated[str, Field(description="hinge or slide")]
    unit: Annotated[str, Field(description="Unit of its values")]
    low: Annotated[float, Field(description="Least value; the part is at rest at 0")]
    high: Annotated[float, Field(description="Greatest value")]


class PartLine(TypedDict):
    """A rigid part of an object."""

    name: str
    category: str
    color: Annotated[str, Field(description="Its color in pictures of the output parts, #rrggbb")]
    joint: Annotated[JointLine | None, Field(description="null if the part has no joint")]


class PartOverlay(TypedDict):
    """Lines of a part to draw over the picture, whose side is 1; those behind the camera are missing."""

    axes: Annotated[dict[str, Line], Field(description="Axes x, y and z of the part's own frame")]
    joint: Annotated[Line | None, Field(description="Axis of the part's joint; null if there is none")]


PartLines = Annotated[list[PartLine] | None, Field(description="null if the data set has no parts")]


class ObjectViews(ObjectLine):
    """A summary of an object: its views' factors, its parts, and its symmetry where it was measured."""

    views: list[FactorValues]
    parts: PartLines
    joint_values: Annotated[
        list[list[float]] | None,
        Field(description="Values of the joints in each view, in the order of the parts; null as above"),
    ]
    symmetry: Annotated[
        dict[str, Any] | None,
        Field(description="Rotations that leave the surface as it is; null if not measured"),
    ]
    mirror_residual: Annotated[
        float | None, Field(description="Deviation from the mirror image, in diagonals")
    ]
    eigen_gap: Annotated[
        float | None, Field(description="Smallest relative difference of two principal values")
    ]


class FrameLines(TypedDict):
    """One frame of a drawing."""

    points: Annotated[list[float], Field(description="x, y, z of each point, one after the other")]
    point_colors: Annotated[list[int], Field(description="Index of each point's color in the palette")]
    lines: Annotated[list[float], Field(description="x, y, z of both ends of each line, one after the other")]
    line_colors: Annotated[list[int], Field(description="Index of each line's color in the palette")]


class DrawingFrames(TypedDict):
    """A drawing of an array of an object in space: points and lines, frame by frame."""

    title: str
    unit: Annotated[str, Field(description="Unit of the places")]
    radius: Annotated[float, Field(description="Radius of a point in this unit")]
    palette: Annotated[list[str], Field(description="Colors as #rrggbb")]
    from_above: Annotated[bool, Field(description="True if it is seen best from above, with x to the right")]
    frames: Annotated[list[FrameLines], Field(description="One, or one of each of the first views")]


class ViewLine(ObjectLine):
    """A view: its object, its number and its factors."""

    view: int
    factors: FactorValues


class ViewsPage(TypedDict):
    """One page of the views that match a condition."""

    total: Annotated[int, Field(description="Number of matching views on all pages")]
    objects: Annotated[int, Field(description="Number of objects that have a matching view")]
    views: list[ViewLine]


class Label(TypedDict):
    """The label of a view: its factors, and the poses of its object and of the object's parts."""

    object: str
    key: str
    category: str
    split: str
    view: int
    factors: FactorValues
    rotation: Annotated[Matrix, Field(description="3 x 3 matrix, object to world")]
    quaternion: Quaternion
    translation: Annotated[list[float], Field(description="In the object's frame, in diagonals of its box")]
    overlay: Annotated[
        dict[str, Line] | None,
        Field(description="Lines to draw over the picture, whose side is 1; null if there are none"),
    ]
    parts: PartLines
    part_pose: Annotated[
        list[Matrix] | None,
        Field(description="4 x 4 pose of each part in the world, in diagonals; null for one piece"),
    ]
    joint_values: Annotated[
        list[float] | None,
        Field(description="Values of the joints, in the order of the parts; null if there are no parts"),
    ]
    part_overlay: Annotated[
        list[PartOverlay] | None,
        Field(description="Lines of each part; null for one piece, or if these labels describe no scene"),
    ]


class Pair(ObjectLine):
    """The pair of views that a loader yields at one position of an epoch."""

    views: list[int]
    pairs: Annotated[int, Field(description="Number of pairs in the epoch")]
    labels: list[Label]
    relative_quaternion: Quaternion
    relative_angle_rad: float
