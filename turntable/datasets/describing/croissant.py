"""The Croissant description of a data set, croissant.json, for search engines and data loaders.

The format is Croissant 1.0 (mlcommons.org/croissant/1.0), with the fields of its responsible-AI vocabulary
that venues ask for. It depends on the manifest and the table alone, so the same data set always gives the
same bytes: it holds no date and no address. Whoever publishes the data set adds ``url`` and
``datePublished``, which are not known before.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from turntable.datasets.files import MAX_OBJECTS, JsonFields, compute_file_sha256, parse_json
from turntable.datasets.labels import VIEW_ARRAYS
from turntable.datasets.manifest import MANIFEST_NAME, Manifest
from turntable.datasets.shards import LABELS_TABLE_COLUMNS, LABELS_TABLE_NAME, SHARD_SUFFIX, ShardRecord

CROISSANT_NAME = "croissant.json"

_Node = dict[str, Any]

_CONFORMS_TO = ["http://mlcommons.org/croissant/1.0", "http://mlcommons.org/croissant/RAI/1.0"]
_CONTEXT: _Node = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "prov": "http://www.w3.org/ns/prov#",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}

_TEXT, _INTEGER, _FLOAT, _IMAGE = "sc:Text", "sc:Integer", "sc:Float", "sc:ImageObject"
_INTEGERS = frozenset({"category_index", "view", "offset", "size", "crc32"})
_JPEGS = "jpegs"
_KEY_AND_VIEW = r"^(?:.*/)?([a-z0-9_-]+\.\d+)\.jpg$"
_SPDX = re.compile(r"[A-Za-z0-9]+(?:[.-][A-Za-z0-9]+)+")
"""Pattern of SPDX identifiers that have a page, such as CC0-1.0 and Apache-2.0."""


def format_croissant(manifest: Manifest, manifest_sha256: str, table_sha256: str) -> str:
    """Return the text of the file.

    Args:
        manifest: Manifest of the data set.
        manifest_sha256: Hex digest of the manifest's file, which does not depend on croissant.json.
        table_sha256: Hex digest of ``labels.parquet``.
    """
    totals, size = manifest.totals, manifest.image_size_px
    about = f"{manifest.recipe.get('description', '')}\n\n" if manifest.recipe.get("description") else ""
    node: _Node = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": _CONFORMS_TO,
        "name": manifest.name,
        "description": (
            f"{about}{totals.images} labeled views of {totals.objects} objects of "
            f"{len(manifest.categories)} categories, {size} x {size} pixels. "
            f"Fingerprint of recipe, objects and labels: {manifest.fingerprint}."
        ),
        "version": f"1.0.0+{manifest.fingerprint[:16]}",
        "license": _format_license(str(manifest.source.get("licence", ""))),
        "citeAs": _format_citation(manifest),
        "keywords": ["3D objects", "pose", "equivariant representation learning", "synthetic images"],
        "isLiveDataset": False,
        **_build_rai_fields(manifest),
        "distribution": list(_iter_file_nodes(manifest, manifest_sha256, table_sha256)),
        "recordSet": [
            _build_label_record_set(manifest),
            *([_build_view_record_set()] if manifest.has_pictures else []),
        ],
    }
    return json.dumps(node, indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def build_dataset_croissant(folder: Path, manifest: Manifest) -> str:
    """Return the text of the file for a data set whose table is written; its manifest need not be yet."""
    digest = hashlib.sha256(manifest.to_json().encode("utf-8")).hexdigest()
    return format_croissant(manifest, digest, compute_file_sha256(folder / LABELS_TABLE_NAME))


def parse_croissant_digests(text: str | bytes) -> dict[str, str]:
    """Parse a croissant.json, and return the sha256 of each file by its path in the data set.

    Raises:
        ValueError: The text is not JSON, or lacks the fields of a Croissant file.
    """
    files = JsonFields(parse_json(text)).iter_fields("distribution", MAX_OBJECTS)
    named = [node for node in files if node.get_text("@type") == "cr:FileObject"]
    return {node.get_text("contentUrl"): node.get_digest("sha256") for node in named}


def _format_license(text: str) -> str:
    """Return the address of a known license, as Croissant recommends, or else the license's text."""
    if _SPDX.fullmatch(text):
        return f"https://spdx.org/licenses/{text}.html"
    return text or "not recorded"


def _format_citation(manifest: Manifest) -> str:
    key = re.sub(r"[^a-z0-9]+", "-", manifest.name.lower()).strip("-")
    return (
        f"@misc{{{key}, title = {{{manifest.name}}}, howpublished = {{rendered by turntable "
        f"{manifest.generator_version}}}, note = {{fingerprint {manifest.fingerprint}}}}}"
    )


def _build_rai_fields(manifest: Manifest) -> _Node:
    """Return the fields of the responsible-AI vocabulary, and those on provenance."""
    meshes = str(manifest.source.get("name", "not recorded"))
    device = ", ".join(f"{name}: {value}" for name, value in manifest.device.items()) or "not recorded"
    generator = (
        f"turntable {manifest.generator_version}, recipe {manifest.name} ({manifest.recipe_digest}); {device}"
    )
    return {
        "rai:dataCollection": (
            f"Rendered from 3D meshes ({meshes}); each picture's pose, light and colors are drawn at random "
            "from the ranges of the recipe, and are its labels. No sensor and no person took part."
        ),
        "rai:dataCollectionType": ["Software Collection", "Others"],
        "rai:dataCollectionMissingData": (
            f"{manifest.quarantined} objects were left out; quarantine.jsonl names each with its reason."
        ),
        "rai:dataAnnotationProtocol": ["Labels are the numbers that were rendered, exact to float32."],
        "rai:dataLimitations": [
            "One object over an even floor under one colored spot: not a sample of photographs, and no "
            "basis for claims about performance in the real world."
        ],
        "rai:dataBiases": [
            "Categories, shapes and textures are those of the meshes' source, in its proportions; factors "
            "are distributed as the recipe says, not as in nature."
        ],
        "rai:dataUseCases": [
            "Research in equivariant and self-supervised representation learning; training and evaluation of "
            "pose, color and light estimation on synthetic objects."
        ],
        "rai:dataSocialImpact": "None is known beyond that of the methods trained on it.",
        "rai:personalSensitiveInformation": ["None: pictures of synthetic objects."],
        "rai:hasSyntheticData": True,
        "prov:wasDerivedFrom": meshes,
        "prov:wasGeneratedBy": generator,
    }


def _iter_file_nodes(manifest: Manifest, manifest_sha256: str, table_sha256: str) -> Iterator[_Node]:
    yield _make_file_node(
        MANIFEST_NAME, "application/json", manifest_sha256, "everything needed to read the rest"
    )
    yield _make_file_node(LABELS_TABLE_NAME, "application/x-parquet", table_sha256, "one row a view")
    for shard in manifest.shards:
        about = f"WebDataset shard: {shard.objects} objects of {shard.views} views"
        yield _make_file_node(_make_shard_path(shard), "application/x-tar", shard.sha256, about) | {
            "contentSize": f"{shard.bytes} B"
        }
    if manifest.has_pictures:
        about = "the views; a file is called <key>.<view>.jpg"
        yield _make_file_set_node(manifest, _JPEGS, about, "image/jpeg", "*.jpg")
    for name, media_type, includes in _list_member_sets(manifest):
        yield _make_file_set_node(manifest, name, manifest.conventions[name], media_type, includes)


def _list_member_sets(manifest: Manifest) -> list[tuple[str, str, str]]:
    """Return name, type and pattern of the further members that are described each by a set of files.

    Members that are older than such sets have none, so that the files of earlier data sets stay as they are.
    """
    outputs = [name for name in ("parts", "flow") if name in manifest.outputs]
    arrays = [
        *["part_pose"] * (manifest.max_parts > 0),
        *["joint_values"] * (manifest.max_joints > 0),
        *(name for name in manifest.outputs if name in VIEW_ARRAYS),
        *manifest.arrays,
    ]
    return [
        *((name, "image/png", f"*.{name}.png") for name in outputs),
        *((name, "application/octet-stream", f"*.{name}.npy") for name in arrays),
    ]


def _make_file_set_node(manifest: Manifest, name: str, about: str, media_type: str, includes: str) -> _Node:
    return {
        "@type": "cr:FileSet",
        "@id": name,
        "name": name,
        "description": about,
        "containedIn": [{"@id": _make_shard_path(shard)} for shard in manifest.shards],
        "encodingFormat": media_type,
        "includes": includes,
    }


def _make_file_node(path: str, media_type: str, sha256: str, about: str) -> _Node:
    return {
        "@type": "cr:FileObject",
        "@id": path,
        "name": path,
        "description": about,
        "contentUrl": path,
        "encodingFormat": media_type,
        "sha256": sha256,
    }


def _make_shard_path(shard: ShardRecord) -> str:
    return f"{shard.split}/{shard.name}{SHARD_SUFFIX}"


def _build_label_record_set(manifest: Manifest) -> _Node:
    factors = {item.name: f"{item.description} ({_format_unit(item.unit)})" for item in manifest.factors}
    # The table has the factors after the column "view".
    columns = list(LABELS_TABLE_COLUMNS)
    split_at = columns.index("view") + 1
    names = [*columns[:split_at], *factors, *columns[split_at:]]
    return {
        "@type": "cr:RecordSet",
        "@id": "labels",
        "name": "labels",
        "description": "One record a view: its object, its split, every factor, and where its JPEG is.",
        "key": [{"@id": "labels/key"}, {"@id": "labels/view"}],
        "field": [_make_column_node(name, factors) for name in names],
    }


def _make_column_node(name: str, factors: Mapping[str, str]) -> _Node:
    plain_type = _INTEGER if name in _INTEGERS else _TEXT
    return _make_field_node(
        f"labels/{name}",
        factors.get(name) or LABELS_TABLE_COLUMNS[name],
        _FLOAT if name in factors else plain_type,
        {"fileObject": {"@id": LABELS_TABLE_NAME}, "extract": {"column": name}},
    )


def _build_view_record_set() -> _Node:
    files: _Node = {"fileSet": {"@id": _JPEGS}}
    return {
        "@type": "cr:RecordSet",
        "@id": "views",
        "name": "views",
        "description": "One record a JPEG in the shards; its name is <key>.<view>, as in the labels.",
        "key": {"@id": "views/name"},
        "field": [
            _make_field_node(
                "views/name",
                "key of the object and number of the view, as <key>.<view>",
                _TEXT,
                {
                    **files,
                    "extract": {"fileProperty": "filename"},
                    "transform": {"regex": _KEY_AND_VIEW},
                },
            ),
            _make_field_node(
                "views/image", "the picture", _IMAGE, {**files, "extract": {"fileProperty": "content"}}
            ),
        ],
    }


def _make_field_node(name: str, about: str, data_type: str, source: _Node) -> _Node:
    return {
        "@type": "cr:Field",
        "@id": name,
        "name": name,
        "description": about,
        "dataType": data_type,
        "source": source,
    }


def _format_unit(unit: str) -> str:
    return {
        "rad": "radians",
        "turn": "turns, 1 is a full circle",
        "px": "pixels",
        "1": "bounding-box diagonals",
    }.get(unit, unit)
