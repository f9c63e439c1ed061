"""Views drawn again: from the labels of a published data set, and of one of ours."""

from turntable.renderer.replay.replaying import read_latents, replay
from turntable.renderer.replay.rerendering import Rerendered, rerender

__all__ = [
    "Rerendered",
    "read_latents",
    "replay",
    "rerender",
]
