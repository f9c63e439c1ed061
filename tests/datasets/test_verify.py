import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from turntable.datasets import verify_dataset
from turntable.datasets.files import FolderFiles, compute_json_sha256
from turntable.datasets.manifest import read_manifest
from turntable.datasets.shards.index import open_index
from turntable.datasets.shards.writer import compute_file_sha256
from turntable.datasets.verification.files import _is_same_column
from turntable.testing.datasets import make_synthetic_dataset

FIRST, SECOND = "train/shard-000000", "train/shard-000001"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_synthetic_dataset(
        tmp_path_factory.mktemp("set"), num_objects=14, num_views=3, image_size=16
    ).path


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "copy"))


def restate(folder: Path, change: Callable[[dict], None]) -> None:
    """Edit the manifest; the hashes of the shards become those of the files, as a forger would make them."""
    table = json.loads((folder / "manifest.json").read_text())
    for shard in table["shards"]:
        tar = folder / shard["split"] / f"{shard['name']}.tar"
        shard["sha256"], shard["bytes"] = compute_file_sha256(tar), tar.stat().st_size
        shard["idx_sha256"] = compute_file_sha256(tar.with_suffix(".idx"))
    change(table)
    (folder / "manifest.json").write_text(json.dumps(table))


def edit_index(path: Path, **changes: Callable[[np.ndarray], np.ndarray]) -> None:
    with np.load(path) as stock:
        arrays = {name: stock[name] for name in stock.files}
    arrays |= {name: change(arrays[name].copy()) for name, change in changes.items()}
    with path.open("wb") as file:
        np.savez(file, **arrays)


def only_problem(folder: Path) -> str:
    report = verify_dataset(folder)
    assert not report.ok
    assert len(report.problems) == 1, report.problems
    return report.problems[0]


def test_a_whole_data_set_has_no_problems(original: Path) -> None:
    calls: list[tuple[int, int]] = []
    report = verify_dataset(str(original), lambda done, total: calls.append((done, total)), deep=True)
    assert report.problems == report.notes == ()
    assert (report.ok, report.num_shards, report.num_objects, report.num_images) == (True, 4, 14, 42)
    assert calls == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_the_fast_check_decodes_nothing(original: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import simplejpeg

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("an image was decoded")

    monkeypatch.setattr(simplejpeg, "decode_jpeg", refuse)
    report = verify_dataset(original)
    assert (report.problems, report.num_shards, report.num_objects, report.num_images) == ((), 4, 14, 42)


def test_threads_change_nothing(folder: Path) -> None:
    for name in (FIRST, SECOND):
        (folder / f"{name}.tar").write_bytes(b"")
    one, three = (verify_dataset(folder, deep=True, num_threads=count) for count in (1, 3))
    assert one == three
    assert len(one.problems) >= 4


def test_no_manifest_is_the_one_problem(folder: Path) -> None:
    (folder / "manifest.json").unlink()
    assert "not a finished data set" in only_problem(folder)


def test_one_broken_shard_hides_no_other(folder: Path) -> None:
    for name, length in ((FIRST, -600), (SECOND, 1000)):
        tar = folder / f"{name}.tar"
        tar.write_bytes(tar.read_bytes()[:length])
    (folder / "val/shard-000000.idx").unlink()
    problems = "\n".join(verify_dataset(folder).problems)
    assert f"{FIRST}.tar: " in problems
    assert f"{SECOND}.tar: " in problems
    assert "val/shard-000000.idx: missing" in problems
    assert "cut or edited" in problems


def test_a_missing_shard_is_named(folder: Path) -> None:
    (folder / f"{FIRST}.tar").unlink()
    (folder / f"{FIRST}.idx").unlink()
    report = verify_dataset(folder)
    for suffix in ("tar", "idx"):
        assert f"{FIRST}.{suffix}: missing; re-run" in "\n".join(report.problems)
    assert report.num_objects == 14 - 4


@pytest.mark.parametrize("place", [0.001, 0.3, 0.7, 0.999])
def test_any_edited_byte_is_noticed(folder: Path, place: float) -> None:
    tar = folder / f"{FIRST}.tar"
    data = bytearray(tar.read_bytes())
    data[int(place * len(data))] ^= 4
    tar.write_bytes(data)
    problems = verify_dataset(folder).problems
    assert any(f"{FIRST}.tar: its sha256 is not the manifest's" in problem for problem in problems)


def test_a_damaged_image_is_named_even_where_the_hashes_were_renewed(folder: Path) -> None:
    tar = folder / f"{FIRST}.tar"
    index = open_index(tar.with_suffix(".idx"))
    data = bytearray(tar.read_bytes())
    start, size = int(index.offset[1, 2]), int(index.size[1, 2])
    data[start + size // 2 : start + size] = bytes(size - size // 2)
    tar.write_bytes(data)
    restate(folder, lambda table: None)
    assert not any(".jpg" in problem for problem in verify_dataset(folder).problems)
    problems = "\n".join(verify_dataset(folder, deep=True).problems)
    key = index.keys[1].decode()
    assert f"{key}.002.jpg: wrong checksum" in problems
    assert f"{key}.002.jpg: a JPEG does not decode" in problems


def test_an_index_that_points_elsewhere_is_noticed(folder: Path) -> None:
    edit_index(folder / f"{FIRST}.idx", offset=lambda offset: offset + 1)
    restate(folder, lambda table: None)
    assert any("is not where the index says" in problem for problem in verify_dataset(folder).problems)


def test_other_labels_in_the_index_are_noticed(folder: Path) -> None:
    def nudge(latents: np.ndarray) -> np.ndarray:
        latents[0, 0, 0] = np.nextafter(latents[0, 0, 0], np.float32(9))
        return latents

    edit_index(folder / f"{FIRST}.idx", latents=nudge)
    restate(folder, lambda table: None)
    problems = "\n".join(verify_dataset(folder, deep=True).problems)
    assert ".latents.npy and the index have different labels" in problems
    assert "not the labels the recipe draws for object class" in problems


@pytest.mark.parametrize("value", [np.nan, np.inf, 99.0])
def test_labels_out_of_range_are_noticed(folder: Path, value: float) -> None:
    def spoil(latents: np.ndarray) -> np.ndarray:
        latents[0, 0, 3] = value
        return latents

    edit_index(folder / f"{FIRST}.idx", latents=spoil)
    restate(folder, lambda table: None)
    assert any(
        "floor_hue leaves [0.0, 1.0]" in problem for problem in verify_dataset(folder, deep=True).problems
    )


def test_a_shard_of_another_recipe_is_noticed(folder: Path, tmp_path: Path) -> None:
    make_synthetic_dataset(tmp_path / "other", num_objects=14, num_views=3, image_size=16, seed=5)
    for suffix in (".tar", ".idx"):
        shutil.copy(tmp_path / "other" / f"{FIRST}{suffix}", folder / f"{FIRST}{suffix}")
    restate(folder, lambda table: None)
    problems = "\n".join(verify_dataset(folder, deep=True).problems)
    assert "rendered from another recipe" in problems
    assert "not the labels the recipe draws" in problems


def test_images_of_another_size_are_noticed(folder: Path) -> None:
    def resize(table: dict) -> None:
        table["image_size_px"] = table["recipe"]["image_size_px"] = 32
        table["recipe_digest"] = compute_json_sha256(table["recipe"])

    restate(folder, resize)
    report = verify_dataset(folder, deep=True)
    assert any("is 16 x 16, not 32 x 32" in problem for problem in report.problems)
    assert report.num_images == 0


def test_objects_of_a_shard_taken_twice_are_noticed(folder: Path) -> None:
    for suffix in (".tar", ".idx"):
        shutil.copy(folder / f"{FIRST}{suffix}", folder / f"{SECOND}{suffix}")

    def recount(table: dict) -> None:
        table["totals"]["bytes"] = sum(shard["bytes"] for shard in table["shards"])

    restate(folder, recount)
    problems = "\n".join(verify_dataset(folder).problems)
    assert "objects are there more than once: class" in problems
    assert "fingerprint is not that of the recipe, objects and labels" in problems


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda table: table["totals"].update(images=1), "totals is Totals(objects=14, images=1"),
        (lambda table: table.update(fingerprint="0" * 64), "fingerprint is not that of"),
        (lambda table: table.update(recipe_digest="0" * 64), "recipe_digest is 0000"),
        (lambda table: table["factors"][3].update(high=0.5), "factors is "),
        (lambda table: table.update(categories=["class00"]), "categories are ('class00',), but"),
    ],
)
def test_a_manifest_that_contradicts_itself_is_noticed(
    folder: Path, change: Callable[[dict], None], told: str
) -> None:
    restate(folder, change)
    assert any(told in problem for problem in verify_dataset(folder).problems)


def test_a_manifest_whose_recipe_is_none_is_noticed(folder: Path) -> None:
    restate(folder, lambda table: table["recipe"].update(views=0))
    assert "recipe in manifest.json: 1 error:\n  views: 0 is below 1" in only_problem(folder)


def test_a_table_that_lies_or_is_gone_is_noticed(folder: Path, tmp_path: Path) -> None:
    other = make_synthetic_dataset(
        tmp_path / "other", num_objects=14, num_views=3, image_size=16, seed=5
    ).path
    shutil.copy(other / "labels.parquet", folder / "labels.parquet")
    table, croissant = verify_dataset(folder).problems
    assert "labels.parquet: rotation_x_rad, " in table
    assert ": not those of the shards, first in train/shard-000000; run" in table
    assert "croissant.json: other files or digests than the data set has: labels.parquet" in croissant
    (folder / "labels.parquet").write_bytes(b"PAR1")
    assert "labels.parquet: cannot be read" in verify_dataset(folder).problems[0]
    (folder / "labels.parquet").unlink()
    assert "labels.parquet: missing" in verify_dataset(folder).problems[0]


@pytest.mark.parametrize(
    ("column", "value"), [("crc32", 1), ("shard", "train/x.tar"), ("licence", "MIT"), ("floor_hue", -0.0)]
)
def test_any_changed_column_of_the_table_is_named(folder: Path, column: str, value: object) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    path = folder / "labels.parquet"
    with parquet.ParquetFile(path) as file:
        groups = [file.read_row_group(number) for number in range(file.num_row_groups)]
    at = groups[-1].column_names.index(column)
    values = [value, *groups[-1][column].to_pylist()[1:]]
    kind = groups[-1].schema.field(at)
    groups[-1] = groups[-1].set_column(at, kind, pa.array(values).cast(kind.type))
    with parquet.ParquetWriter(path, groups[0].schema) as writer:
        for group in groups:
            writer.write_table(group, row_group_size=len(group))
    assert (
        f"labels.parquet: {column}: not those of the shards, first in val/"
        in verify_dataset(folder).problems[0]
    )


@pytest.mark.parametrize(
    "name", ["README.md", "croissant.json", "quarantine.jsonl", "warnings.jsonl", "contact-sheet.jpg"]
)
def test_files_beside_the_shards_must_be_there_and_whole(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"{}")
    problem = "\n".join(verify_dataset(folder, deep=True).problems)
    assert str(folder / name) in problem
    (folder / name).unlink()
    assert f"{name}: missing; run the command that made" in only_problem(folder)


def test_lists_that_contradict_the_data_set_are_noticed(folder: Path) -> None:
    (folder / "quarantine.jsonl").write_text('{"detail":"","object":"class00/0000","reason":"x"}\n')
    (folder / "warnings.jsonl").write_text('{"detail":"","object":"nobody","reason":"x"}\n')
    problems = "\n".join(verify_dataset(folder).problems)
    assert "quarantine.jsonl: 1 objects, the manifest says 0" in problems
    assert "quarantine.jsonl: names objects that are in the data set: class00/0000" in problems
    assert "warnings.jsonl: names objects that are not in the data set: nobody" in problems


def test_warnings_of_this_and_of_earlier_versions_are_as_they_were_written(folder: Path) -> None:
    lines = [
        '{"detail":"chair.fbx is not read","file":"chair.fbx","kind":"format-unsupported","object":"",'
        '"shown":"it is passed over"}',
        '{"detail":"a.mtl: texture wood.png is missing","object":"class00/0000","reason":"incomplete"}',
    ]
    (folder / "warnings.jsonl").write_text("".join(f"{line}\n" for line in lines))
    assert verify_dataset(folder).ok
    (folder / "warnings.jsonl").write_text("".join(f"{line}\n" for line in reversed(lines)))
    assert "not as it was written" in only_problem(folder)
    (folder / "warnings.jsonl").write_text('{"object":"class00/0000"}\n')
    assert "line 1: not a warning" in only_problem(folder)


def test_a_card_may_be_added_to(folder: Path) -> None:
    card = folder / "README.md"
    card.write_text("---\ntags: [mine]\n---\n" + card.read_text())
    assert verify_dataset(folder).ok


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("train/.shard-000007.tar.4711.tmp", "left by a process that was killed; remove it"),
        (".manifest.json.1.tmp", "left by a process that was killed; remove it"),
        ("val/shard-000009.tar", "not in the manifest; remove it"),
        ("train/notes.txt", "not in the manifest; remove it"),
    ],
)
def test_stray_files_are_named(folder: Path, name: str, hint: str) -> None:
    (folder / name).write_bytes(b"x")
    problem = only_problem(folder)
    assert name in problem
    assert hint in problem


def test_files_of_other_programs_beside_the_data_are_no_problem(folder: Path) -> None:
    (folder / "notes").mkdir()
    (folder / "notes" / "mine.txt").write_bytes(b"x")
    assert verify_dataset(folder).ok
    assert read_manifest(FolderFiles(folder)).name == "synthetic"


def test_a_long_text_in_every_row_is_not_written_out() -> None:
    """A table of a few kilobytes can name a text of a megabyte in any number of rows."""
    rows = 3_000_000
    numbers = pa.array(np.zeros(rows, np.int32))
    long, short = (
        pa.chunked_array([pa.DictionaryArray.from_arrays(numbers, [text])]) for text in ("x" * 10**6, "y")
    )
    expected = pa.chunked_array([pa.array(["y"] * rows)])
    before = pa.total_allocated_bytes()
    assert not _is_same_column(long, expected)
    assert _is_same_column(short, expected)
    assert _is_same_column(short, pa.chunked_array([pa.DictionaryArray.from_arrays(numbers, ["y", "z"])]))
    assert pa.total_allocated_bytes() - before < 10**8
