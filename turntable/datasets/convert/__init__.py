"""Moving data sets: between our shards and the folders in which 3DIEBench and its kin are published."""

from turntable.datasets.convert.exporting import export_folder
from turntable.datasets.convert.importing import Origin, import_folder

__all__ = [
    "Origin",
    "export_folder",
    "import_folder",
]
