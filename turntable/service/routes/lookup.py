"""Lookups of the data sets and objects that requests name.

Each raises HTTPException (404) if there is none of that name.
"""

from starlette.exceptions import HTTPException
from starlette.requests import Request

from turntable.service.catalog import CatalogEntry, DatasetCatalog


def get_entry_in_path(catalog: DatasetCatalog, request: Request) -> CatalogEntry:
    """Return the data set that the request's path names."""
    return get_entry(catalog, request.path_params["name"])


def get_entry(catalog: DatasetCatalog, name: str) -> CatalogEntry:
    """Return the data set of a name."""
    entry = catalog.find_entry(name)
    if entry is None:
        raise HTTPException(404, f"there is no data set {name[:80]!r}; /datasets lists them")
    return entry


def get_location(entry: CatalogEntry, key: str) -> tuple[str, int]:
    """Return the split and row of an object."""
    location = entry.find_location(key)
    if location is None:
        raise HTTPException(404, f"{entry.name} has no object {key[:80]!r}")
    return location
