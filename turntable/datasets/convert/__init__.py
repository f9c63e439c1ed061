"""Conversion between shards and folders: the layout of 3DIEBench, and the forms of other modalities."""

from turntable.datasets.convert.export_forms import export_form
from turntable.datasets.convert.folder_export import export_folder
from turntable.datasets.convert.folder_import import import_folder
from turntable.datasets.convert.import_origin import ImportSettings

__all__ = [
    "ImportSettings",
    "export_folder",
    "export_form",
    "import_folder",
]
