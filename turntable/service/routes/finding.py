"""What requests name: data sets and their objects. Each raises HTTPException (404) where there is none."""

from starlette.exceptions import HTTPException
from starlette.requests import Request

from turntable.service.catalogue import Catalogue, CatalogueEntry


def entry_in_path(catalogue: Catalogue, request: Request) -> CatalogueEntry:
    """Return the data set that an address is of."""
    return entry_named(catalogue, request.path_params["name"])


def entry_named(catalogue: Catalogue, name: str) -> CatalogueEntry:
    """Return the data set of a name."""
    entry = catalogue.get(name)
    if entry is None:
        raise HTTPException(404, f"no data set {name[:80]!r}; see /datasets")
    return entry


def place_of(entry: CatalogueEntry, key: str) -> tuple[str, int]:
    """Return the split and row of an object."""
    place = entry.place(key)
    if place is None:
        raise HTTPException(404, f"{entry.name} has no object {key[:80]!r}")
    return place
