"""README.md of a data set: what is in the folder, and how to read it."""

from turntable.datasets.manifest import Manifest

CARD_NAME = "README.md"


def card_text(manifest: Manifest) -> str:
    """The card, made of the manifest alone."""
    totals = manifest.totals
    device = ", ".join(f"{name}: {value}" for name, value in manifest.device.items()) or "not recorded"
    source = ", ".join(f"{name}: {value}" for name, value in manifest.source.items()) or "not recorded"
    return f"""# {manifest.name}

{manifest.recipe.get("description", "")}

{totals.images:,} views of {totals.objects:,} objects of {len(manifest.categories)} categories,
{manifest.image_size_px} x {manifest.image_size_px} pixels, {totals.bytes / 1e6:,.1f} MB of shards.
Objects left out: {manifest.quarantined} (`quarantine.jsonl` names each with its reason).

| split | objects | views | shards |
|---|---|---|---|
{_split_rows(manifest)}

Meshes: {source}
Rendered by turntable {manifest.generator_version} ({device})

## Labels

| factor | unit | low | high | what it is |
|---|---|---|---|---|
{_factor_rows(manifest)}

{_conventions(manifest)}

## Files

* `manifest.json`: everything needed to read and to check the rest.
* `labels.parquet`: one row a view: object, category, split, factors, and where its JPEG is.
* `train/`, `val/`: WebDataset shards, one sample an object: `<key>.latents.npy` (float32 [views, factors]),
  `<key>.meta.json`, `<key>.000.jpg` and on{_further(manifest)}.
  Beside each shard its `.idx`: offsets, checksums and labels, an uncompressed .npz.

`turntable verify <this folder>` checks every byte and every label.
Fingerprint (recipe, objects and labels, not pixels): `{manifest.fingerprint}`
"""


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
