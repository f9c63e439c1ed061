"""The card of a data set, README.md: its contents and how to read it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from turntable.datasets.labels import get_output_suffix
from turntable.datasets.manifest import Manifest
from turntable.datasets.objects import KindCount
from turntable.sizes import format_bytes

CARD_NAME = "README.md"


@dataclass(frozen=True, slots=True)
class Provenance:
    """The provenance of the meshes in numbers: licenses, and warnings about their files."""

    licenses: Mapping[str, int]
    """Number of objects by license."""
    num_warned: int = 0
    """Number of objects that are shown otherwise than their files say."""
    warnings: Sequence[KindCount] = ()
    """Warnings by kind."""
    kind_meanings: Mapping[str, str] = field(default_factory=dict[str, str])
    """Meaning of each kind of warning."""


def format_card(manifest: Manifest, provenance: Provenance) -> str:
    """Return the text of the card."""
    totals = manifest.totals
    first_picture = ", `<key>.000.jpg` and on" if manifest.has_pictures else ""
    made = "Converted" if manifest.recipe.get("draws") == "imported" else "Rendered"
    device = ", ".join(f"{name}: {value}" for name, value in manifest.device.items()) or "not recorded"
    return f"""# {manifest.name}

{manifest.recipe.get("description", "")}

{totals.images:,} views of {totals.objects:,} objects of {len(manifest.categories)} categories,
{manifest.image_size_px} x {manifest.image_size_px} pixels, {format_bytes(totals.bytes)} of shards.
Objects left out: {manifest.quarantined} (`quarantine.jsonl` names each with its reason).
Objects shown otherwise than their files say: {provenance.num_warned} (`warnings.jsonl` says how).
{_format_warning_table(provenance)}
| split | objects | views | shards |
|---|---|---|---|
{_format_split_rows(manifest)}

Meshes: {_format_cell(manifest.mesh_source_text)}
{made} by turntable {manifest.generator_version} ({device})

| license of the mesh | objects |
|---|---|
{_format_license_rows(provenance.licenses)}

## Labels

| factor | unit | low | high | what it is |
|---|---|---|---|---|
{_format_factor_rows(manifest)}

{_format_conventions(manifest)}

## Files

* `manifest.json`: everything needed to read and to check the rest.
* `labels.parquet`: one row a view: object, category, split, factors, where its JPEG is, and the license and
  sha256 of the object's mesh.
* `croissant.json`: the same for search engines and loaders that read Croissant.
* `train/`, `val/`: WebDataset shards, one sample an object: `<key>.latents.npy` (float32 [views, factors]),
  `<key>.meta.json`{first_picture}{_format_further_files(manifest)}.
  Beside each shard its `.idx`: offsets, checksums and labels, an uncompressed .npz.

`turntable verify <this folder>` checks every byte; with `--deep` every image and label too.
Fingerprint (recipe, objects and labels, not pixels): `{manifest.fingerprint}`
"""


def _format_cell(text: str) -> str:
    """Escape a text that the makers of the meshes wrote, so that Markdown shows it as plain words."""
    plain = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([\\`*_\[\]|#!])", r"\\\1", plain)


def _format_license_rows(licenses: Mapping[str, int]) -> str:
    ranked = sorted(licenses.items(), key=lambda item: (-item[1], item[0]))
    return "\n".join(f"| {_format_cell(name) or 'not recorded'} | {count:,} |" for name, count in ranked)


def _format_warning_table(provenance: Provenance) -> str:
    """Return a table of the warnings by kind with an empty line before it; nothing if there are none."""
    if not provenance.warnings:
        return ""
    rows = (
        f"| {_format_cell(count.kind)} | {count.num_warnings:,} | {count.num_objects:,} "
        f"| {_format_cell(provenance.kind_meanings.get(count.kind, ''))} |\n"
        for count in provenance.warnings
    )
    return f"\n| warning | warnings | objects | meaning |\n|---|---|---|---|\n{''.join(rows)}"


def _format_further_files(manifest: Manifest) -> str:
    names = [
        f"`<key>.000.{output}.{get_output_suffix(output)}`" for output in manifest.outputs if output != "rgb"
    ]
    names += ["`<key>.points.npy`"] if manifest.points else []
    names += ["`<key>.part_pose.npy`"] if manifest.max_parts else []
    names += ["`<key>.joint_values.npy`"] if manifest.max_joints else []
    names += [f"`<key>.{name}.npy`" for name in manifest.arrays]
    return f", {', '.join(names)} (conventions above)" if names else ""


def _format_split_rows(manifest: Manifest) -> str:
    rows: list[str] = []
    for split in manifest.splits:
        shards = manifest.select_shards(split)
        num_objects = sum(shard.objects for shard in shards)
        rows.append(f"| {split} | {num_objects:,} | {num_objects * manifest.views:,} | {len(shards)} |")
    return "\n".join(rows)


def _format_factor_rows(manifest: Manifest) -> str:
    return "\n".join(
        f"| {item.name} | {item.unit} | {item.low:.6g} | {item.high:.6g} | {item.description} |"
        for item in manifest.factors
    )


def _format_conventions(manifest: Manifest) -> str:
    lines = [f"* {name.replace('_', ' ')}: {text}" for name, text in manifest.conventions.items()]
    if manifest.channel_order == "bgr":
        lines.append('* **red and blue are exchanged in the files** (channel order "bgr"), as in 3DIEBench')
    return "\n".join(lines)
