"""Shader programs from the files beside this one, and how their inputs are bound."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import moderngl

HEADER = "#version 330 core\n"

# Name: vertex file, fragment file. The files each one builds on are named in their first lines (`#include`).
PROGRAMS = {
    "geometry": ("geometry", "geometry"),
    "outputs": ("geometry", "outputs"),
    "sun_map": ("sun_map", "shadow"),
    "spot_map": ("spot_map", "shadow"),
    "lighting": ("lighting", "lighting"),
    "resolve": ("screen", "resolve"),
}
TRANSPARENT_VARIANTS = ("sun_map", "spot_map")


def build_all(context: "moderngl.Context") -> dict[str, "moderngl.Program"]:
    """Every program by name; depth maps have a second one for meshes that one can see through."""
    programs = {name: _build(context, *pair) for name, pair in PROGRAMS.items()}
    for name in TRANSPARENT_VARIANTS:
        programs[transparent(name)] = _build(context, *PROGRAMS[name], "TRANSPARENT")
    return programs


def transparent(name: str) -> str:
    """The name of a program's variant for meshes that one can see through."""
    return f"{name}_transparent"


def bind(program: "moderngl.Program", inputs: Mapping[str, Any]) -> None:
    """Set uniforms and textures by name; what the compiler found unused is passed over."""
    unit = 0
    for name, value in inputs.items():
        if name not in program:
            continue
        if hasattr(value, "use"):
            value.use(unit)
            program[name] = unit
            unit += 1
        else:
            program[name] = value


def _build(context: "moderngl.Context", vertex: str, fragment: str, *defines: str) -> "moderngl.Program":
    header = HEADER + "".join(f"#define {define}\n" for define in defines)
    return context.program(
        vertex_shader=header + _text(f"{vertex}.vert"), fragment_shader=header + _text(f"{fragment}.frag")
    )


@cache
def _text(name: str) -> str:
    source = (files("turntable.renderer.backends.gl") / "shaders" / f"{name}.glsl").read_text("utf-8")
    return re.sub(r"^#include (\w+)$", lambda found: _text(found[1]), source, flags=re.MULTILINE)
