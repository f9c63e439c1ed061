"""Tracks: where points of an object, or its particles, are in every view, and how fast they move."""

from turntable.renderer.tracks.track_arrays import compute_track_arrays

__all__ = ["compute_track_arrays"]
