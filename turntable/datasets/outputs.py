"""What can be kept of a view besides its picture."""

from typing import Literal, get_args

OutputName = Literal["rgb", "mask", "depth", "normals", "coordinates"]

OUTPUTS: tuple[OutputName, ...] = get_args(OutputName)
"""In the order in which a shard holds them."""
