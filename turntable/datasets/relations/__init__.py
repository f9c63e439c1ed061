"""Relations between views: rules of pairs, lists of edges exact or mined, and graphs of views."""

from turntable.datasets.relations.close_rotations import find_close_rotations
from turntable.datasets.relations.edge_files import EDGE_COLUMNS, read_edges, write_edges
from turntable.datasets.relations.edges import EdgeList, find_edges, join_edges
from turntable.datasets.relations.labeled_views import LabeledViews, read_labeled_views
from turntable.datasets.relations.mining import EdgePurity, measure_purity, mine_edges
from turntable.datasets.relations.relation_rule import RelationRule, compute_half_cosines
from turntable.datasets.relations.transitive_edges import find_transitive_edges
from turntable.datasets.relations.view_graphs import GraphNoise, ViewGraph, ViewGraphRule, build_view_graphs

__all__ = [
    "EDGE_COLUMNS",
    "EdgeList",
    "EdgePurity",
    "GraphNoise",
    "LabeledViews",
    "RelationRule",
    "ViewGraph",
    "ViewGraphRule",
    "build_view_graphs",
    "compute_half_cosines",
    "find_close_rotations",
    "find_edges",
    "find_transitive_edges",
    "join_edges",
    "measure_purity",
    "mine_edges",
    "read_edges",
    "read_labeled_views",
    "write_edges",
]
