"""Rendering of views that already exist: those of a published table, and those of a data set to check."""

from turntable.renderer.replay.latent_table import read_latents
from turntable.renderer.replay.replaying import replay
from turntable.renderer.replay.rerendering import RerenderReport, rerender

__all__ = [
    "RerenderReport",
    "read_latents",
    "replay",
    "rerender",
]
