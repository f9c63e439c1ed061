"""The point clouds of batches: their settings, faults, frames, and what one view shows of an object."""

from turntable.loaders.clouds.cloud_options import CloudOptions
from turntable.loaders.clouds.corruption import CorruptedClouds, PointCorruption, draw_corrupted_clouds
from turntable.loaders.clouds.overlap import OVERLAP_BINS, compute_overlap, find_overlap_bin
from turntable.loaders.clouds.partial_clouds import PartialCloud, read_partial_cloud
from turntable.loaders.clouds.point_draws import PointDraws
from turntable.loaders.clouds.point_frames import compute_point_frames
from turntable.loaders.clouds.scan_returns import ScanReturns, read_scan

__all__ = [
    "OVERLAP_BINS",
    "CloudOptions",
    "CorruptedClouds",
    "PartialCloud",
    "PointCorruption",
    "PointDraws",
    "ScanReturns",
    "compute_overlap",
    "compute_point_frames",
    "draw_corrupted_clouds",
    "find_overlap_bin",
    "read_partial_cloud",
    "read_scan",
]
