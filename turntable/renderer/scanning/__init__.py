"""A spinning LiDAR: rays against the parts of an object on Embree, in meters, without torch."""

from turntable.renderer.scanning.scanned_views import ScannedViews

__all__ = [
    "ScannedViews",
]
