"""Data sets over HTTP: a catalogue, their files with Range, and single views."""

from turntable.service.app import create_app, serve
from turntable.service.catalogue import Catalogue, find_datasets

__all__ = ["Catalogue", "create_app", "find_datasets", "serve"]
