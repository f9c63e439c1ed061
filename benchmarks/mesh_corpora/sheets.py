"""Sheets of pictures: each file that differs, as turntable and as the other readers read it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from mesh_corpora.reading import FileFindings

COLUMNS = ("turntable", "trimesh", "pymeshlab")
ROWS = 6
"""Files on a sheet."""
CAPTION_PX = 30


def write_sheets(
    out: Path, rows: Sequence[tuple[FileFindings, Mapping[str, NDArray[np.uint8]]]], size_px: int
) -> list[Path]:
    """Write the sheets as PNG files, in the order given, and return their paths."""
    out.mkdir(parents=True, exist_ok=True)
    paths: list[Path] = []
    for start in range(0, len(rows), ROWS):
        path = out / f"sheet-{start // ROWS:03d}.png"
        _draw_sheet(rows[start : start + ROWS], size_px).save(path)
        paths.append(path)
    return paths


def _draw_sheet(
    rows: Sequence[tuple[FileFindings, Mapping[str, NDArray[np.uint8]]]], size_px: int
) -> Image.Image:
    height = size_px + CAPTION_PX
    sheet = Image.new("RGB", (size_px * len(COLUMNS), height * len(rows)), "white")
    draw = ImageDraw.Draw(sheet)
    for number, (findings, pictures) in enumerate(rows):
        top = number * height
        draw.text((4, top + 2), f"{findings.corpus}: {findings.file}"[-100:], fill="black")
        draw.text((4, top + 15), format_differences(findings)[:110], fill="darkred")
        for column, name in enumerate(COLUMNS):
            if name in pictures:
                sheet.paste(Image.fromarray(pictures[name]), (column * size_px, top + CAPTION_PX))
            else:
                text = findings.reason if column == 0 else "not read"
                draw.text((column * size_px + 8, top + CAPTION_PX + 8), f"{name}: {text}", fill="gray")
    return sheet


def format_differences(findings: FileFindings) -> str:
    """Format the differences of a file to the other readers as one line."""
    if findings.status == "left out":
        readers = [name for name, found in findings.others.items() if not isinstance(found, str)]
        return f"{findings.reason}; read by {', '.join(readers) or 'no other reader'}"
    return "; ".join(
        f"{name} {item.what} {item.ours} / {item.theirs}"
        for name, items in findings.differences.items()
        for item in items
    )
