"""The routes of the service and their endpoints."""

from turntable.service.routes.route_table import build_routes

__all__ = ["build_routes"]
