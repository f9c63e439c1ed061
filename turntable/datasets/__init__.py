"""Data sets: recipes, labels, shards, and the manifest that lists them. Its import needs numpy alone."""

from turntable.datasets.convert import export_folder, import_folder
from turntable.datasets.copying import copy_dataset, prepare_hub_folder, publish
from turntable.datasets.dataset import Dataset, open_dataset, open_local_dataset
from turntable.datasets.draws import draw_factors
from turntable.datasets.manifest import MANIFEST_NAME, Manifest
from turntable.datasets.manifest_recipe import read_manifest_recipe
from turntable.datasets.object_matching import match_objects
from turntable.datasets.objects import ObjectRecord
from turntable.datasets.recipes import Recipe, list_shipped_recipes, load_recipe
from turntable.datasets.selection import Selection, are_disjoint
from turntable.datasets.split import Split
from turntable.datasets.stores import open_store
from turntable.datasets.subset import MatchingViews
from turntable.datasets.vector_files import ViewVectors, digest_ids, read_vectors, write_vectors
from turntable.datasets.verification import verify_dataset
from turntable.datasets.view_records import (
    RecordField,
    describe_view_records,
    flatten_view_record,
    iter_view_records,
    read_view_record,
)

__all__ = [
    "MANIFEST_NAME",
    "Dataset",
    "Manifest",
    "MatchingViews",
    "ObjectRecord",
    "Recipe",
    "RecordField",
    "Selection",
    "Split",
    "ViewVectors",
    "are_disjoint",
    "copy_dataset",
    "describe_view_records",
    "digest_ids",
    "draw_factors",
    "export_folder",
    "flatten_view_record",
    "import_folder",
    "iter_view_records",
    "list_shipped_recipes",
    "load_recipe",
    "match_objects",
    "open_dataset",
    "open_local_dataset",
    "open_store",
    "prepare_hub_folder",
    "publish",
    "read_manifest_recipe",
    "read_vectors",
    "read_view_record",
    "verify_dataset",
    "write_vectors",
]
