"""The names of the files beside the shards that describe a data set."""

from turntable.datasets.describing.card import CARD_NAME
from turntable.datasets.describing.contact_sheet import SHEET_NAME
from turntable.datasets.describing.croissant import CROISSANT_NAME
from turntable.datasets.manifest import MANIFEST_NAME
from turntable.datasets.objects import QUARANTINE_NAME, WARNINGS_NAME
from turntable.datasets.shards import LABELS_TABLE_NAME

DESCRIPTION_FILES = (
    LABELS_TABLE_NAME,
    QUARANTINE_NAME,
    WARNINGS_NAME,
    CARD_NAME,
    SHEET_NAME,
    CROISSANT_NAME,
    MANIFEST_NAME,
)
"""The files that ``finish_dataset`` writes, in its order."""
MAX_DESCRIPTION_BYTES = 64 << 20
"""Largest size of one of them that is read, except the table."""
