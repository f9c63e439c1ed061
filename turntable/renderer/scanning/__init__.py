"""A spinning LiDAR: rays against the parts of an object on Embree, in meters, without torch."""

from turntable.renderer.scanning.scanned_views import ScannedViews, check_rays

__all__ = [
    "ScannedViews",
    "check_rays",
]
