"""Labeled views of 3D objects: rendered, kept in shards, streamed, and learned from."""

__version__ = "0.1.0"
