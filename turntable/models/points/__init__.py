"""Methods that learn from point clouds, one file a method."""

from turntable.models.points.pointnet import PointNet, PointNetConfig

__all__ = ["PointNet", "PointNetConfig"]
