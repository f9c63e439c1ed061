"""README.md of a data set: what is in the folder, and how to read it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from turntable.datasets.manifest import Manifest

CARD_NAME = "README.md"


@dataclass(frozen=True, slots=True)
class Provenance:
    """What is known of the meshes, counted."""

    licences: Mapping[str, int]
    """How many objects have each."""
    incomplete: int = 0
    """Objects that were kept though something of theirs was missing."""
    missing: int = 0
    """Things that were: textures, materials."""


def card_text(manifest: Manifest, meshes: Provenance) -> str:
    """The card."""
    totals = manifest.totals
    made = "Converted" if manifest.recipe.get("draws") == "imported" else "Rendered"
    device = ", ".join(f"{name}: {value}" for name, value in manifest.device.items()) or "not recorded"
    return f"""# {manifest.name}

{manifest.recipe.get("description", "")}

{totals.images:,} views of {totals.objects:,} objects of {len(manifest.categories)} categories,
{manifest.image_size_px} x {manifest.image_size_px} pixels, {totals.bytes / 1e6:,.1f} MB of shards.
Objects left out: {manifest.quarantined} (`quarantine.jsonl` names each with its reason).
Objects with missing textures or materials: {meshes.incomplete} ({meshes.missing} files, `warnings.jsonl`).

| split | objects | views | shards |
|---|---|---|---|
{_split_rows(manifest)}

Meshes: {_cell(manifest.meshes)}
{made} by turntable {manifest.generator_version} ({device})

| licence of the mesh | objects |
|---|---|
{_licence_rows(meshes.licences)}

## Labels

| factor | unit | low | high | what it is |
|---|---|---|---|---|
{_factor_rows(manifest)}

{_conventions(manifest)}

## Files

* `manifest.json`: everything needed to read and to check the rest.
* `labels.parquet`: one row a view: object, category, split, factors, where its JPEG is, and the licence and
  sha256 of the object's mesh.
* `croissant.json`: the same for search engines and loaders that read Croissant.
* `train/`, `val/`: WebDataset shards, one sample an object: `<key>.latents.npy` (float32 [views, factors]),
  `<key>.meta.json`, `<key>.000.jpg` and on{_further(manifest)}.
  Beside each shard its `.idx`: offsets, checksums and labels, an uncompressed .npz.

`turntable verify <this folder>` checks every byte; with `--deep` every image and label too.
Fingerprint (recipe, objects and labels, not pixels): `{manifest.fingerprint}`
"""


def _cell(text: str) -> str:
    """A text of whoever made the meshes, as words and nothing else where Markdown is shown."""
    plain = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([\\`*_\[\]|#!])", r"\\\1", plain)


def _licence_rows(licences: Mapping[str, int]) -> str:
    ranked = sorted(licences.items(), key=lambda item: (-item[1], item[0]))
    return "\n".join(f"| {_cell(name) or 'not recorded'} | {count:,} |" for name, count in ranked)


def _further(manifest: Manifest) -> str:
    names = [f"`<key>.000.{output}.png`" for output in manifest.outputs if output != "rgb"]
    names += ["`<key>.points.npy`"] if manifest.points else []
    return f", {', '.join(names)} (conventions above)" if names else ""


def _split_rows(manifest: Manifest) -> str:
    rows: list[str] = []
    for split in manifest.splits:
        shards = manifest.shards_of(split)
        objects = sum(shard.objects for shard in shards)
        rows.append(f"| {split} | {objects:,} | {objects * manifest.views:,} | {len(shards)} |")
    return "\n".join(rows)


def _factor_rows(manifest: Manifest) -> str:
    return "\n".join(
        f"| {item.name} | {item.unit} | {item.low:.6g} | {item.high:.6g} | {item.description} |"
        for item in manifest.factors
    )


def _conventions(manifest: Manifest) -> str:
    lines = [f"* {name.replace('_', ' ')}: {text}" for name, text in manifest.conventions.items()]
    if manifest.channel_order == "bgr":
        lines.append('* **red and blue are exchanged in the files** (channel order "bgr"), as in 3DIEBench')
    return "\n".join(lines)
