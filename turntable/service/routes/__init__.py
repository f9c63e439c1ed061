"""What can be asked of the service, and what answers."""

from turntable.service.routes.table import service_routes

__all__ = ["service_routes"]
