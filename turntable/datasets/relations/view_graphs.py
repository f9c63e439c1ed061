"""Graphs of views: nodes are views of objects, edges carry the relative rotations, exact or with noise."""

from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from turntable.choices import check_choice
from turntable.datasets.dataset import Dataset
from turntable.datasets.draws import draw_words, make_philox_key, pairs_to_normals, words_to_units
from turntable.datasets.labels import FloatArray
from turntable.datasets.relations.labeled_views import IntArray, LabeledViews, read_labeled_views
from turntable.errors import InvalidInputError
from turntable.geometry import (
    compute_geodesic_angle,
    compute_relative_rotation,
    exp_so3,
    quaternion_to_matrix,
    units_to_quaternion,
)

GraphKind = Literal["complete", "nearest", "radius", "sequence", "random"]
_WORDS_PER_EDGE = 12
"""Words of an edge's errors: one decides whether it is an outlier, three are a random rotation, six the
noise; two are left."""
_MAX_DRAWS = 1_000
"""Number of random graphs that are drawn until one is connected."""


@dataclass(frozen=True, slots=True)
class ViewGraphRule:
    """The rule by which views of one object are joined by edges.

    Raises:
        InvalidInputError: A value is wrong.
    """

    kind: GraphKind = "complete"
    """"complete": all pairs. "nearest": each view with those of the smallest angles. "radius": pairs within
    an angle. "sequence": views of one sequence that are a few frames apart. "random": each pair with a
    probability, drawn again until the graph is connected."""
    neighbors: int = 4
    """Number of neighbors for "nearest", greatest distance in frames for "sequence"."""
    max_angle_deg: float = 60.0
    """Greatest angle in degrees for "radius"."""
    probability: float = 0.5
    """Probability of an edge for "random"."""
    seed: int = 0
    """Seed of "random"."""

    def __post_init__(self) -> None:
        check_choice("graph kind", self.kind, get_args(GraphKind))
        if self.neighbors < 1 or not 0 < self.max_angle_deg <= 180 or not 0 < self.probability <= 1:
            raise InvalidInputError(
                f"{self}: neighbors must be from 1, max_angle_deg above 0 and up to 180, probability above 0 "
                "and up to 1"
            )


@dataclass(frozen=True, slots=True)
class GraphNoise:
    """Errors of the relative rotations of a view graph, seeded, the same for both directions of an edge.

    Raises:
        InvalidInputError: A value is wrong.
    """

    angle_deg: float = 0.0
    """Standard deviation in degrees of each component of the rotation vector by which an edge is wrong."""
    outlier_share: float = 0.0
    """Probability that an edge has a rotation that is uniform on SO(3), whatever the truth."""
    seed: int = 0
    """Seed of the errors."""

    def __post_init__(self) -> None:
        if not self.angle_deg >= 0 or not 0 <= self.outlier_share <= 1:
            raise InvalidInputError(f"{self}: angle_deg must be from 0, outlier_share from 0 to 1")


@dataclass(frozen=True, slots=True, eq=False)
class ViewGraph:
    """Graphs of the views of some objects, one after the other: n nodes and E directed edges.

    Both directions of an edge are in it.
    """

    objects: IntArray
    """[n] rows of the objects in their split."""
    views: IntArray
    """[n] numbers of the views."""
    rotations: FloatArray
    """[n, 3, 3] rotations R from the object to the world: the truth."""
    ptr: IntArray
    """[G + 1] index of each object's first node, and n."""
    edge_index: IntArray
    """[2, E] nodes i and j of each edge, sorted."""
    relative_rotation: FloatArray
    """[E, 3, 3] measured relative rotations, ``R_i^T R_j`` with the errors of the noise."""
    true_relative_rotation: FloatArray
    """[E, 3, 3] relative rotations ``R_i^T R_j`` of the labels."""
    is_outlier: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    """[E] True for edges whose measured rotation is drawn at random."""


def build_view_graphs(
    dataset: Dataset,
    split: str,
    rows: IntArray | None = None,
    rule: ViewGraphRule = ViewGraphRule(),
    noise: GraphNoise = GraphNoise(),
) -> ViewGraph:
    """Build a graph of the views of each object. Edges join views of one object.

    Draws are functions of the seed, the object and the two views: an object has the same graph whatever other
    objects are taken.

    Args:
        dataset: The data set.
        split: Name of the split.
        rows: Rows of the objects in the split; None for all.
        rule: Rule of the edges.
        noise: Errors of the relative rotations; by default there are none.

    Raises:
        InvalidInputError: There is no such object, the data set has no sequences, or no random graph is
            connected.
    """
    with dataset.open_split(split) as opened:
        chosen = np.arange(opened.num_objects) if rows is None else np.asarray(rows, np.int64)
        wrong = (chosen < 0) | (chosen >= opened.num_objects)
        if wrong.any() or not len(chosen):
            raise InvalidInputError(f"rows {chosen[wrong][:5]}: {split} has {opened.num_objects} objects")
        num_views = opened.num_views
        objects, views = np.repeat(chosen, num_views), np.tile(np.arange(num_views), len(chosen))
        table = read_labeled_views(opened, objects, views)
        ids = [opened.get_object_id(int(row)) for row in chosen]
    parts = [
        _build_graph(table, ids[place], slice(place * num_views, (place + 1) * num_views), rule, noise)
        for place in range(len(chosen))
    ]
    edges, measured, outliers = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    truth = compute_relative_rotation(table.rotations[edges[:, 0]], table.rotations[edges[:, 1]])
    ptr = np.arange(len(chosen) + 1) * num_views
    exact = noise.angle_deg == 0 and noise.outlier_share == 0
    return ViewGraph(
        objects, views, table.rotations, ptr, edges.T, truth if exact else measured, truth, outliers
    )


def _build_graph(
    table: LabeledViews, object_id: str, place: slice, rule: ViewGraphRule, noise: GraphNoise
) -> tuple[IntArray, FloatArray, NDArray[np.bool_]]:
    """Return the edges [E, 2] of one object's views, their measured rotations, and which are outliers."""
    rotations = table.rotations[place]
    joined = _join_views(rotations, table.sequence_length, rule, object_id)
    first, second = np.nonzero(np.triu(joined | joined.T, 1))
    truth = compute_relative_rotation(rotations[first], rotations[second])
    measured, outliers = _add_noise(truth, first * len(rotations) + second, noise, object_id)
    # The other direction of an edge is its inverse.
    edges = np.concatenate([np.stack([first, second], 1), np.stack([second, first], 1)])
    both = np.concatenate([measured, measured.swapaxes(-1, -2)])
    order = np.lexsort((edges[:, 1], edges[:, 0]))
    return edges[order] + place.start, both[order], np.tile(outliers, 2)[order]


def _join_views(
    rotations: FloatArray, sequence_length: int, rule: ViewGraphRule, object_id: str
) -> NDArray[np.bool_]:
    """Return which views of an object a rule joins, [V, V]; an edge may stand in one direction alone."""
    count = len(rotations)
    places = np.arange(count)
    if rule.kind == "complete":
        return np.ones((count, count), np.bool_)
    if rule.kind == "sequence":
        return _join_frames(places, sequence_length, rule.neighbors)
    if rule.kind == "random":
        return _join_at_random(count, rule, object_id)
    angles = compute_geodesic_angle(rotations[:, None], rotations[None])
    if rule.kind == "radius":
        return angles <= np.radians(rule.max_angle_deg)
    np.fill_diagonal(angles, np.inf)
    nearest = np.argsort(angles, axis=1, kind="stable")[:, : min(rule.neighbors, count - 1)]
    joined = np.zeros((count, count), np.bool_)
    joined[places[:, None], nearest] = True
    return joined


def _join_frames(places: IntArray, length: int, reach: int) -> NDArray[np.bool_]:
    if not length:
        raise InvalidInputError(
            "this data set has no sequences; render one with the recipe 'sequences', or take another kind of "
            "graph"
        )
    near = np.abs(places[:, None] - places[None]) <= reach
    return near & (places[:, None] // length == places[None] // length)


def _join_at_random(count: int, rule: ViewGraphRule, object_id: str) -> NDArray[np.bool_]:
    """Draw each pair with a probability, until all views are connected."""
    first, second = np.triu_indices(count, 1)
    for attempt in range(_MAX_DRAWS):
        key = make_philox_key(f"{rule.seed}", "view graph", object_id, f"{attempt}")
        units = words_to_units(draw_words(key, first * count + second, 4)[:, 0])
        joined = np.zeros((count, count), np.bool_)
        joined[first, second] = units < rule.probability
        if _is_connected(joined | joined.T):
            return joined
    raise InvalidInputError(
        f"no connected graph of the {count} views of {object_id} was found in {_MAX_DRAWS} draws; use a "
        f"probability above {rule.probability:g}"
    )


def _is_connected(joined: NDArray[np.bool_]) -> bool:
    reached = np.zeros(len(joined), np.bool_)
    frontier = reached.copy()
    frontier[0] = True
    while frontier.any():
        reached |= frontier
        frontier = joined[frontier].any(axis=0) & ~reached
    return bool(reached.all())


def _add_noise(
    truth: FloatArray, counters: IntArray, noise: GraphNoise, object_id: str
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return rotations [E, 3, 3] with errors, and which of them are outliers."""
    if noise.angle_deg == 0 and noise.outlier_share == 0:
        return truth, np.zeros(len(truth), np.bool_)
    key = make_philox_key(f"{noise.seed}", "view graph noise", object_id)
    units = words_to_units(draw_words(key, counters, _WORDS_PER_EDGE))
    outliers = units[:, 0] < noise.outlier_share
    vectors = np.radians(noise.angle_deg) * pairs_to_normals(units[:, 4:7], units[:, 7:10])
    measured = truth @ exp_so3(vectors)
    random = quaternion_to_matrix(units_to_quaternion(units[:, 1:4]))
    return np.where(outliers[:, None, None], random, measured), outliers
