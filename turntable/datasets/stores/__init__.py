"""Stores of a data set's files: one interface over folders, object stores and web servers."""

from turntable.datasets.stores.disk_errors import convert_os_errors
from turntable.datasets.stores.downloads import download_to_temporary_file
from turntable.datasets.stores.journal import open_journal
from turntable.datasets.stores.local import LocalStore
from turntable.datasets.stores.passwords import hide_password, remove_secrets
from turntable.datasets.stores.places import normalize_place, restore_url
from turntable.datasets.stores.protocol import Download, Store, make_too_long_error
from turntable.datasets.stores.registry import register_store
from turntable.datasets.stores.urls import open_store

__all__ = [
    "Download",
    "LocalStore",
    "Store",
    "convert_os_errors",
    "download_to_temporary_file",
    "hide_password",
    "make_too_long_error",
    "normalize_place",
    "open_journal",
    "open_store",
    "register_store",
    "remove_secrets",
    "restore_url",
]
