"""Data sets: recipes, labels, shards and the manifest that binds them. Importing it loads numpy alone."""

from turntable.datasets.convert import export_folder, import_folder
from turntable.datasets.dataset import Dataset, open_dataset, open_folder
from turntable.datasets.describing import prepare_hub, publish
from turntable.datasets.draws import draw_factors
from turntable.datasets.manifest import MANIFEST_NAME, Manifest
from turntable.datasets.objects import ObjectRecord
from turntable.datasets.recipes import Recipe, load_recipe, shipped_recipes
from turntable.datasets.split import Split
from turntable.datasets.stores import open_store
from turntable.datasets.subset import MatchingViews
from turntable.datasets.vectors import Vectors, digest_ids, read_vectors, write_vectors
from turntable.datasets.verification import verify

__all__ = [
    "MANIFEST_NAME",
    "Dataset",
    "Manifest",
    "MatchingViews",
    "ObjectRecord",
    "Recipe",
    "Split",
    "Vectors",
    "digest_ids",
    "draw_factors",
    "export_folder",
    "import_folder",
    "load_recipe",
    "open_dataset",
    "open_folder",
    "open_store",
    "prepare_hub",
    "publish",
    "read_vectors",
    "shipped_recipes",
    "verify",
    "write_vectors",
]
