"""Methods that learn from point clouds, one file per method."""

from turntable.models.point_methods.pointnet import PointNet, PointNetConfig

__all__ = ["PointNet", "PointNetConfig"]
