"""Views drawn on request, by a process apart from the service."""

from turntable.service.renders.job import LEAST_PX, MOST_PX, render_job
from turntable.service.renders.queue import (
    QueueIsFullError,
    RenderFailedError,
    RenderingIsOffError,
    RenderService,
    RenderSettings,
)

__all__ = [
    "LEAST_PX",
    "MOST_PX",
    "QueueIsFullError",
    "RenderFailedError",
    "RenderService",
    "RenderSettings",
    "RenderingIsOffError",
    "render_job",
]
