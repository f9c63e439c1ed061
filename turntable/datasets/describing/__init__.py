"""Descriptions of a data set: card, Croissant, contact sheet, pixel statistics, plots."""

from turntable.datasets.describing.card import CARD_NAME, Provenance, format_card
from turntable.datasets.describing.contact_sheet import SHEET_NAME, build_contact_sheet
from turntable.datasets.describing.croissant import (
    CROISSANT_NAME,
    build_dataset_croissant,
    parse_croissant_digests,
)
from turntable.datasets.describing.description_files import DESCRIPTION_FILES, MAX_DESCRIPTION_BYTES
from turntable.datasets.describing.drawing_plot import plot_objects
from turntable.datasets.describing.drawings import Drawing, draw_object, list_drawings
from turntable.datasets.describing.joint_plot import JointPreview
from turntable.datasets.describing.label_table import describe_columns, describe_interventions
from turntable.datasets.describing.molecule_marginals import compute_molecule_statistics
from turntable.datasets.describing.part_colors import BACKGROUND, PART_COLORS
from turntable.datasets.describing.path_plot import NUM_PLOTTED_SEQUENCES, PathPreview
from turntable.datasets.describing.pixel_statistics import compute_pixel_statistics
from turntable.datasets.describing.recipe_plot import plot_recipe

__all__ = [
    "BACKGROUND",
    "CARD_NAME",
    "CROISSANT_NAME",
    "DESCRIPTION_FILES",
    "MAX_DESCRIPTION_BYTES",
    "NUM_PLOTTED_SEQUENCES",
    "PART_COLORS",
    "SHEET_NAME",
    "Drawing",
    "JointPreview",
    "PathPreview",
    "Provenance",
    "build_contact_sheet",
    "build_dataset_croissant",
    "compute_molecule_statistics",
    "compute_pixel_statistics",
    "describe_columns",
    "describe_interventions",
    "draw_object",
    "format_card",
    "list_drawings",
    "parse_croissant_digests",
    "plot_objects",
    "plot_recipe",
]
