"""Conversion between shards and the folders in which 3DIEBench and its variants are published."""

from turntable.datasets.convert.folder_export import export_folder
from turntable.datasets.convert.folder_import import import_folder
from turntable.datasets.convert.import_origin import ImportSettings

__all__ = [
    "ImportSettings",
    "export_folder",
    "import_folder",
]
