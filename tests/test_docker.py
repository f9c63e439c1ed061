"""The images: pinned, for a user who is not root, with a health check, and of files that are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
IMAGES = ("render", "serve", "train")


def text_of(name):
    return (ROOT / "docker" / f"{name}.Dockerfile").read_text("utf-8")


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_is_pinned_checked_and_not_roots(name):
    text = text_of(name)
    for base in re.findall(r"^FROM (\S+)", text, re.MULTILINE):
        assert re.fullmatch(r"[\w/]+:\d+\.\d+\.\d+-\S+", base), base
    last = text.split("\nFROM ")[-1]
    assert re.search(r"^USER turntable$", last, re.MULTILINE)
    assert "HEALTHCHECK" in last
    assert re.search(r'^ENTRYPOINT \["turntable"', last, re.MULTILINE)
    assert f'"/src[{name}]"' in text
    for line in (ROOT / "docker" / f"{name}.txt").read_text("utf-8").splitlines():
        assert re.fullmatch(r"[\w.-]+==[\w.]+", line), line


@pytest.mark.parametrize("name", IMAGES)
def test_what_is_copied_is_there_and_let_in(name):
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", text_of(name), re.MULTILINE):
        for source in sources.split():
            assert (ROOT / source).exists(), source
            assert f"!{source}" in ignored or f"!{source.split('/')[0]}/*.txt" in ignored, source


def test_pins_satisfy_what_the_package_asks_for():
    metadata = pytest.importorskip("packaging.requirements")
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for name in IMAGES:
        lines = (ROOT / "docker" / f"{name}.txt").read_text("utf-8").splitlines()
        pins = {line.split("==")[0].lower().replace("_", "-"): line.split("==")[1] for line in lines}
        for wanted in [*project["dependencies"], *project["optional-dependencies"][name]]:
            requirement = metadata.Requirement(wanted)
            pinned = pins[requirement.name.lower().replace("_", "-")]
            assert requirement.specifier.contains(pinned), (name, wanted, pinned)


def test_the_compose_file_fits_together():
    yaml = pytest.importorskip("yaml")
    compose = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text("utf-8"))
    services = compose["services"]
    for name, service in services.items():
        if "image" in service:
            assert re.search(r":RELEASE\.\d{4}-\d\d-\d\d", service["image"]), name
        else:
            assert (ROOT / service["build"]["dockerfile"]).exists()
        for needed, how in service.get("depends_on", {}).items():
            assert needed in services
            if how["condition"] == "service_healthy":
                image = services[needed].get("build", {}).get("dockerfile")
                checked = "HEALTHCHECK" in (ROOT / image).read_text("utf-8") if image else False
                assert checked or "healthcheck" in services[needed]
        for volume in service.get("volumes", ()):
            assert volume.split(":")[0] in compose["volumes"]


def test_its_commands_are_commands():
    """Those of the compose file are read by the command line as they stand."""
    yaml = pytest.importorskip("yaml")
    from turntable.cli import app

    services = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text("utf-8"))["services"]
    for name, first in [
        ("render", ["render"]),
        ("publish", ["publish"]),
        ("serve", ["serve"]),
        ("train", []),
    ]:
        command, bound, *_ = app.parse_args([*first, *services[name]["command"]], exit_on_error=False)
        assert command.__name__.startswith(first[0] if first else "train")
        assert bound.args or bound.kwargs
