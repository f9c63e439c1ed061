"""Warnings of a run, from the folder's problems to ``--strict``, which leaves objects out by kind."""

import json
from dataclasses import replace

import pytest

from tests.support.quick_run import TINY, InProcess, contents
from turntable import cli
from turntable.datasets import open_dataset, verify_dataset
from turntable.datasets.objects import WarningRecord, read_quarantine, read_warnings
from turntable.datasets.writing import PLAN_NAME, Job
from turntable.errors import InvalidInputError
from turntable.renderer import generate, generate_share, merge
from turntable.renderer.meshes import FOLDER_KINDS, WARNING_KINDS, Limits
from turntable.renderer.meshes.sources import FolderSource, load_mesh
from turntable.renderer.runs.strict_kinds import check_strict_kinds

pytestmark = pytest.mark.gl

RECIPE = TINY.replace(source="folder", val_fraction=0, objects_per_shard=2)
TRIANGLE = "v 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nf 1/1 2/1 3/1\n"


@pytest.fixture
def meshes(tmp_path):
    """Four objects: a good one, one whose material file is missing, one whose image is not one, and both."""
    folder = tmp_path / "meshes/cat"
    folder.mkdir(parents=True)
    (folder / "noise.png").write_bytes(b"noise")
    (folder / "m.mtl").write_text("newmtl m\nmap_Kd noise.png\n")
    (folder / "good.obj").write_text(TRIANGLE)
    (folder / "no-mtl.obj").write_text("mtllib gone.mtl\n" + TRIANGLE)
    (folder / "no-image.obj").write_text("mtllib m.mtl\nusemtl m\n" + TRIANGLE)
    (folder / "neither.obj").write_text("mtllib gone.mtl\nmtllib m.mtl\nusemtl m\n" + TRIANGLE)
    return FolderSource(tmp_path / "meshes")


def render(source, folder, **how):
    generate(RECIPE, source, folder, engine=InProcess(), **how)
    assert verify_dataset(folder).problems == ()
    left_out = {item.object: item.reason for item in read_quarantine(folder / "quarantine.jsonl")}
    warned = {(item.object, item.kind) for item in read_warnings(folder / "warnings.jsonl")}
    return left_out, warned


def test_every_warning_has_a_kind_an_object_and_no_path_of_this_machine(meshes, tmp_path):
    left_out, warned = render(meshes, tmp_path / "set")
    assert left_out == {}
    assert warned == {
        ("cat/no-mtl", "file-missing"),
        ("cat/no-image", "file-unreadable"),
        ("cat/neither", "file-missing"),
        ("cat/neither", "file-unreadable"),
    }
    text = (tmp_path / "set/warnings.jsonl").read_text()
    assert str(tmp_path) not in text
    assert all(set(json.loads(line)) == set(WarningRecord.__slots__) for line in text.splitlines())
    card = (tmp_path / "set/README.md").read_text()
    assert "Objects shown otherwise than their files say: 3 " in card
    assert f"| file-missing | 2 | 2 | {WARNING_KINDS['file-missing']} |" in card


def test_warnings_about_files_that_are_too_large_name_no_path_of_this_machine(meshes, tmp_path):
    (tmp_path / "meshes/cat/m.mtl").write_text("newmtl m\n" + "# more\n" * 100)
    (tmp_path / "meshes/cat/big.mtl").write_text("newmtl b\nmap_Kd big.png\n")
    (tmp_path / "meshes/cat/big.png").write_bytes(bytes(1000))
    (tmp_path / "meshes/cat/big.obj").write_text("mtllib big.mtl\nusemtl b\n" + TRIANGLE)
    source = replace(meshes, limits=Limits(file_bytes=500))
    texts = [str(item) for name in ("cat/no-image", "cat/big") for item in load_mesh(source, name).warnings]
    assert any("m.mtl has more than 500 bytes" in text for text in texts)
    assert any("big.png has more than 500 bytes" in text for text in texts)
    assert not any(str(tmp_path) in text for text in texts)


def test_objects_with_a_strict_kind_are_left_out_with_the_kind_as_the_reason(meshes, tmp_path):
    left_out, warned = render(meshes, tmp_path / "set", strict=("file-missing",))
    assert left_out == {"cat/no-mtl": "file-missing", "cat/neither": "file-missing"}
    assert warned == {("cat/no-image", "file-unreadable")}
    assert open_dataset(tmp_path / "set").manifest.source["strict"] == ["file-missing"]
    left_out, warned = render(meshes, tmp_path / "all", strict=("all", "image-cut"))
    assert set(left_out) == {"cat/no-mtl", "cat/no-image", "cat/neither"}
    assert warned == set()


def test_a_run_is_not_resumed_with_other_strict_kinds(meshes, tmp_path):
    render(meshes, tmp_path / "set")
    assert "strict" not in json.loads((tmp_path / "set" / PLAN_NAME).read_text())["source"]
    before = contents(tmp_path / "set")
    with pytest.raises(
        InvalidInputError, match=r'strict: nothing there, \["image-cut"\] now\); give the arg'
    ):
        render(meshes, tmp_path / "set", strict=("image-cut",))
    assert contents(tmp_path / "set") == before
    render(meshes, tmp_path / "strict", strict=("image-cut", "file-missing"))
    render(meshes, tmp_path / "strict", strict=("file-missing", "image-cut", "image-cut"))
    with pytest.raises(InvalidInputError, match=r"strict: .* there, nothing now"):
        render(meshes, tmp_path / "strict")


@pytest.mark.slow
def test_jobs_with_strict_kinds_merge_to_the_same_files(meshes, tmp_path):
    (tmp_path / "meshes/chair.fbx").write_bytes(b"Kaydara FBX Binary")
    render(meshes, tmp_path / "whole", strict=("file-unreadable",))
    shares = [
        generate_share(Job(number, 2), RECIPE, meshes, tmp_path / "set", strict=("file-unreadable",))
        for number in (1, 2)
    ]
    merge(tmp_path / "set")
    assert sum(len(share.warnings) for share in shares) == 2  # of the folder, and of one object
    for name in ("warnings.jsonl", "quarantine.jsonl", "README.md", "manifest.json"):
        assert (tmp_path / "set" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_a_journal_of_an_earlier_version_is_resumed(meshes, tmp_path):
    render(meshes, tmp_path / "set")
    journal = tmp_path / "set/journal.jsonl"
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    for line in lines:
        line["warnings"] = [
            {"object": item["object"], "reason": "incomplete", "detail": item["detail"]}
            for item in line["warnings"]
        ]
    # All shards but that of one object were made by the earlier version.
    kept = [line for line in lines if "cat/neither" not in {item["object"] for item in line["warnings"]}]
    assert 0 < len(kept) < len(lines)
    journal.write_text("".join(json.dumps(line) + "\n" for line in kept))
    (tmp_path / "set/manifest.json").unlink()
    _, warned = render(meshes, tmp_path / "set")
    kinds = {kind for _, kind in warned}
    assert "incomplete" in kinds
    assert kinds & set(WARNING_KINDS)
    assert {name for name, _ in warned} == {"cat/no-mtl", "cat/no-image", "cat/neither"}


def test_an_unknown_kind_is_refused_with_the_nearest(meshes, tmp_path):
    with pytest.raises(InvalidInputError, match=r"'file-mising' is not a kind .* did you mean file-missing"):
        render(meshes, tmp_path / "set", strict=("file-mising",))
    with pytest.raises(InvalidInputError, match=r"the kinds are file-missing, file-outside, .*, and all"):
        check_strict_kinds(["x\x1b[2J"])
    assert not (tmp_path / "set").exists()


def test_kinds_come_in_one_order_whatever_the_order_they_are_given_in():
    assert check_strict_kinds(()) == ()
    assert check_strict_kinds(["image-cut", "file-missing", "image-cut"]) == ("file-missing", "image-cut")
    assert check_strict_kinds(["face-skipped", "all"]) == ("all",)
    assert check_strict_kinds(["all", FOLDER_KINDS[0]]) == ("all", FOLDER_KINDS[0])


def test_problems_of_the_folder_are_told_and_recorded_and_refuse_a_strict_run(meshes, tmp_path):
    (tmp_path / "meshes/chair.fbx").write_bytes(b"Kaydara FBX Binary")
    told = []
    _, warned = render(meshes, tmp_path / "set", strict=("all",), warn=told.append)
    assert warned == {("", "format-unsupported")}
    (text,) = [text for text in told if text.startswith("format-unsupported")]
    assert "1 warning" in text
    assert "chair.fbx" in text
    with pytest.raises(
        InvalidInputError, match=r"--strict format-unsupported: .* chair\.fbx.*mend the folder"
    ):
        render(meshes, tmp_path / "other", strict=("format-unsupported",))
    assert not (tmp_path / "other" / PLAN_NAME).exists()


def test_a_set_without_any_object_names_the_reasons(meshes, tmp_path):
    (tmp_path / "meshes/cat/good.obj").unlink()
    with pytest.raises(InvalidInputError, match="every object was left out") as error:
        render(meshes, tmp_path / "set", strict=("all",))
    assert "file-missing: 2 (" in str(error.value)
    assert "file-unreadable: 1 (" in str(error.value)
    assert len(read_quarantine(tmp_path / "set/quarantine.jsonl")) == 3


@pytest.mark.slow
def test_the_command_sums_warnings_by_kind_at_its_end(meshes, tmp_path, capsys):
    recipe = ["--views", 1, "--image-size", 16, "--quality", "fast", "--workers", 1, "--source", "folder"]
    command = ["render", "3diebench", "--meshes", tmp_path / "meshes", "--out", tmp_path / "set", *recipe]
    with pytest.raises(SystemExit) as ended:
        cli.main([str(item) for item in [*command, "--strict", "file-unreadable, image-cut"]])
    out = capsys.readouterr().out
    assert ended.value.code == 0
    assert "2 objects were left out, for the reasons in" in out
    lines = out.splitlines()
    (number,) = [number for number, line in enumerate(lines) if "otherwise than their files say" in line]
    assert lines[number].startswith("1 objects are shown")
    assert lines[number].endswith("set/warnings.jsonl:")
    meaning = WARNING_KINDS["file-missing"]
    assert lines[number + 1] == f"  file-missing: 1 warning of 1 object: {meaning}"
    assert lines[number + 2].startswith("fingerprint")
