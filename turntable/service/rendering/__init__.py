"""Rendering on request, in a process of its own."""

from turntable.service.rendering.jobs import MAX_SIZE_PX, MIN_SIZE_PX, make_render_job
from turntable.service.rendering.render_service import (
    QueueIsFullError,
    RenderFailedError,
    RenderingIsOffError,
    RenderService,
    RenderSettings,
)

__all__ = [
    "MAX_SIZE_PX",
    "MIN_SIZE_PX",
    "QueueIsFullError",
    "RenderFailedError",
    "RenderService",
    "RenderSettings",
    "RenderingIsOffError",
    "make_render_job",
]
