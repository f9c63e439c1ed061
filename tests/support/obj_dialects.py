"""Random scenes, and OBJ and MTL files that say the same scene in one dialect or another."""

import codecs
from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st
from PIL import Image

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16-le-mark", "utf-16-be-mark", "utf-16-le", "utf-16-be")


@dataclass(frozen=True)
class Polygon:
    """One face, in a plane of its own."""

    flat: np.ndarray
    points: np.ndarray
    texcoords: np.ndarray
    normal: np.ndarray
    colors: np.ndarray
    material: int

    @property
    def area(self) -> float:
        """The area by the shoelace formula."""
        x, y = self.flat.T
        return abs((x * np.roll(y, -1) - y * np.roll(x, -1)).sum()) / 2


@dataclass(frozen=True)
class Paint:
    """One material."""

    name: str
    color: tuple[float, float, float]
    emission: tuple[float, float, float] = (0.0, 0.0, 0.0)
    opacity: float = 1.0
    texture: str = ""
    scale: tuple[float, float] = (1.0, 1.0)
    offset: tuple[float, float] = (0.0, 0.0)
    range: tuple[float, float] = (0.0, 1.0)


@dataclass(frozen=True)
class Scene:
    """Faces and materials."""

    polygons: tuple[Polygon, ...]
    paints: tuple[Paint, ...]
    pixels: dict[str, np.ndarray] = field(default_factory=dict)


@st.composite
def scenes(draw) -> Scene:
    """Scenes of a few faces: triangles, quads and stars, in the coordinates of a part or of a map."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    center = np.array(draw(st.sampled_from([(0, 0, 0), (0, 0, 0), (498_312.0, 212.0, -4_620_118.0)])), float)
    names = draw(
        st.lists(
            st.sampled_from(["a", "A", "my wood", "Material #25", "grønn", "木", "x/y", "a  b", "-s"]),
            min_size=1,
            max_size=3,
            unique_by=lambda name: " ".join(name.split()),
        )
    )
    paints = tuple(draw(paint(name, number)) for number, name in enumerate(names))
    polygons = tuple(
        make_polygon(rng, center, draw(st.integers(3, 9)), draw(st.integers(0, len(paints) - 1)))
        for _ in range(draw(st.integers(1, 6)))
    )
    pixels = {p.texture: rng.integers(0, 256, (3, 5, 3), dtype=np.uint8) for p in paints if p.texture}
    return Scene(polygons, paints, pixels)


WHITE = (1.0, 1.0, 1.0)
"""Color of a material that leaves the color to the vertices."""


@st.composite
def paint(draw, name: str, number: int) -> Paint:
    """One material; numbers of few digits, so that every way to write them says the same."""
    color = st.tuples(*[st.integers(0, 64).map(lambda n: n / 64)] * 3)
    factor = st.integers(-16, 16).filter(bool).map(lambda n: n / 4)
    textured = draw(st.booleans())
    return Paint(
        name,
        draw(st.one_of(color, st.just(WHITE))),
        draw(st.sampled_from([(0.0, 0.0, 0.0), (0.5, 0.25, 1.0)])),
        draw(st.sampled_from([1.0, 1.0, 0.5])),
        draw(st.sampled_from([f"tex{number}.png", f"my wood {number}.png", f"3 träd{number}.png"]))
        if textured
        else "",
        draw(st.tuples(factor, factor)) if textured else (1.0, 1.0),
        draw(st.tuples(factor, factor)) if textured else (0.0, 0.0),
        draw(st.sampled_from([(0.0, 1.0), (0.25, 0.5), (1.0, -1.0)])) if textured else (0.0, 1.0),
    )


def make_polygon(rng, center, corners: int, material: int) -> Polygon:
    """A simple polygon, often concave: each ray from its center meets its outline once."""
    angles = np.linspace(0, 2 * np.pi, corners, endpoint=False) + rng.uniform(0, 6)
    radii = rng.uniform(0.2, 2, corners) if corners > 3 else np.ones(3)
    flat = np.stack([np.cos(angles), np.sin(angles)], axis=1) * radii[:, None]
    axes = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    # Whole numbers of 2**-20, which a decimal number says exactly.
    points = np.round((flat @ axes[:2] + rng.uniform(-3, 3, 3)) * 2**20) / 2**20 + center
    texcoords = rng.integers(-64, 64, (corners, 2)) / 32
    normal = np.cross(axes[0], axes[1])
    return Polygon(flat, points, texcoords, normal, rng.integers(0, 256, (corners, 3)) / 255, material)


@st.composite
def dialects(draw) -> dict[str, object]:
    """Choices among the ways to write an OBJ file with its MTL file."""
    choose = lambda *values: draw(st.sampled_from(values))  # noqa: E731
    return {
        "texcoords": choose(True, True, False),
        "normals": choose(True, True, False),
        "colors": choose("", "", "unit", "bytes", "paint", "weight"),
        "negative": choose(False, True),
        "vertices_first": choose(False, True),
        "gap": choose(" ", " ", "  ", "\t", " \t ", "\v"),
        "indent": choose("", "", "  ", "\t"),
        "case": choose(str, str, str.upper),
        "end": choose("\n", "\n", "\r\n", "\r", "mixed"),
        "last": choose(True, False),
        "encoding": choose("utf-8", "utf-8", *ENCODINGS),
        "mtl_encoding": choose("utf-8", "utf-8", *ENCODINGS),
        "mtl_end": choose("\n", "\r\n", "\r"),
        "number": choose("plain", "plain", "exponent", "fortran", "comma"),
        "comment": choose("", "", "own line", "behind"),
        "continued": choose(False, False, True),
        "others": choose((), ("o a b", "g x y", "s off", "mg 1 2", ""), ("usemtl", "g", "vp 0 1")),
        "library": choose("plain", "plain", "several", "quoted", "blanks", "behind"),
        "quote": choose("", "", '"'),
        "options": draw(
            st.permutations(["-s", "-o", "-mm", "-blendu", "-clamp", "-bm", "-texres", "-imfchan"])
        ),
        "third": choose(True, False),
    }


def write_scene(folder, scene: Scene, how: dict) -> None:
    """Write ``mesh.obj``, its MTL file and textures."""
    library = {"blanks": "my paints.mtl", "quoted": "my paints.mtl"}.get(how["library"], "paints.mtl")
    named = {"several": f"empty.mtl {library}", "quoted": f'"{library}"'}.get(how["library"], library)
    gap, case = how["gap"], how["case"]
    lines = ["# made for a test", f"mtllib{gap}{named}"] if how["library"] != "behind" else []
    vertices: list[str] = []
    faces: list[str] = []
    texcoords: list[str] = []
    count = sum(len(polygon.points) for polygon in scene.polygons)
    start = 1
    for number, polygon in enumerate(scene.polygons):
        v, vt, vn = (_statements(polygon, word, how) for word in ("v", "vt", "vn"))
        face = _face(polygon, start, number + 1, how, count, len(scene.polygons))
        material = f"usemtl{gap}{scene.paints[polygon.material].name}"
        if how["vertices_first"]:
            vertices, texcoords = [*vertices, *v], [*texcoords, *vt, *vn]
            faces += [material, *how["others"][:4], material, face]
        else:
            faces += [*v, *vt, *vn, *how["others"], material, face]
        start += len(polygon.points)
    body = [how["indent"] + line for line in [*vertices, *texcoords, *faces]]
    if how["comment"] == "own line":
        body = [line for pair in zip(body, ["   # v 1 2 3"] * len(body), strict=True) for line in pair]
    if how["library"] == "behind":
        body.append(f"mtllib{gap}{named}")
    lines += body
    if case is str.upper:
        lines = [_upper(line) for line in lines]
    (folder / "mesh.obj").write_bytes(_encode(_join(lines, how["end"], how["last"]), how["encoding"]))
    text = _join([line for paint in scene.paints for line in _block(paint, how)], how["mtl_end"], last=True)
    (folder / library).write_bytes(_encode(text, how["mtl_encoding"]))
    (folder / "empty.mtl").write_text("newmtl other\nKd 1 0 0\n")
    for name, pixels in scene.pixels.items():
        Image.fromarray(pixels).save(folder / name)


def _statements(polygon: Polygon, word: str, how: dict) -> list[str]:
    """The lines of numbers of a face."""
    if word == "vt":
        third = [0.0] if how["third"] else []
        rows = [[*row, *third] for row in polygon.texcoords] if how["texcoords"] else []
    elif word == "vn":
        rows = [polygon.normal] if how["normals"] else []
    else:
        colors = {
            "unit": polygon.colors,
            "bytes": np.round(polygon.colors * 255),
            "weight": np.concatenate([np.ones((len(polygon.colors), 1)), polygon.colors], axis=1),
        }.get(how["colors"])
        rows = polygon.points if colors is None else np.concatenate([polygon.points, colors], axis=1)
    behind = "  # behind" if how["comment"] == "behind" else ""
    lines = [how["gap"].join([word, *(_number(x, how) for x in row)]) + behind for row in rows]
    if word == "v" and how["colors"] == "paint":
        codes = "".join(
            "ff" + bytes(np.round(color * 255).astype(np.uint8)).hex() for color in polygon.colors
        )
        lines.append(f"#MRGB {codes}")
    return lines


def _number(x: float, how: dict) -> str:
    text = repr(float(x))
    if how["number"] == "exponent":
        return f"{float(x):.17e}"
    if how["number"] == "fortran":
        return f"{float(x):.17E}".replace("E", "D")
    return text.replace(".", ",") if how["number"] == "comma" and "e" not in text else text


def _face(polygon: Polygon, start: int, number: int, how: dict, count: int, num_faces: int) -> str:
    """The line of a face; ``count`` and ``num_faces`` are the numbers of all vertices and normals."""
    size = len(polygon.points)
    defined = count if how["vertices_first"] else start + size - 1
    normals = num_faces if how["vertices_first"] else number
    corners = []
    for k in range(size):
        place = start + k
        v = place - defined - 1 if how["negative"] else place
        vn = number - normals - 1 if how["negative"] else number
        vt = str(v) if how["texcoords"] else ""
        corner = f"{v}/{vt}/{vn}" if how["normals"] else f"{v}/{vt}" if vt else f"{v}"
        corners.append(corner)
    gap = " \\\n" if how["continued"] else how["gap"]
    return how["gap"].join(["f", gap.join(corners)]) + ("  # behind" if how["comment"] == "behind" else "")


def _block(paint: Paint, how: dict) -> list[str]:
    """The lines of a material."""
    gap = how["gap"].replace("\v", " ")
    color = lambda rgb: gap.join(_number(x, how) for x in rgb)  # noqa: E731
    lines = [
        f"newmtl{gap}{paint.name}  ",
        f"Kd{gap}{color(paint.color)}",
        f"Ke{gap}{color(paint.emission)}",
        f"Ks{gap}0 0 0",
        f"d{gap}{_number(paint.opacity, how)}",
    ]
    if paint.texture:
        written = {
            "-s": f"-s {paint.scale[0]} {paint.scale[1]}" + (" 1" if how["third"] else ""),
            "-o": f"-o {paint.offset[0]} {paint.offset[1]}" + (" 0" if how["third"] else ""),
            "-mm": f"-mm {paint.range[0]} {paint.range[1]}",
            "-blendu": "-blendu on",
            "-clamp": "-clamp off",
            "-bm": "-bm 0.5",
            "-texres": "-texres 256",
            "-imfchan": "-imfchan l",
        }
        options = " ".join(written[option] for option in how["options"])
        # A name that begins with a number is only clear in quotes or behind another option.
        quote = '"' if paint.texture[0].isdigit() else how["quote"]
        lines.append(f"map_Kd{gap}{options} {quote}{paint.texture}{quote}")
    lines = [how["indent"] + line for line in lines]
    return ["", "# a material", *(_upper(line) if how["case"] is str.upper else line for line in lines)]


def _upper(line: str) -> str:
    """The line with its keyword in capitals, but for ``newmtl`` and comments."""
    words = line.split(None, 1)
    if not words or words[0].startswith("#") or words[0] == "newmtl":
        return line
    return line.replace(words[0], words[0].upper(), 1)


def _join(lines: list[str], end: str, last: bool) -> str:
    if end == "mixed":
        ends = ["\n", "\r\n", "\r"]
        text = "".join(line.replace("\n", "\r\n") + ends[k % 3] for k, line in enumerate(lines))
        return text if last else text.rstrip("\r\n")
    return end.join(line.replace("\n", end) for line in lines) + (end if last else "")


def _encode(text: str, encoding: str) -> bytes:
    if encoding.endswith("-mark"):
        mark = codecs.BOM_UTF16_LE if "le" in encoding else codecs.BOM_UTF16_BE
        return mark + text.encode(encoding.removesuffix("-mark"))
    return text.encode(encoding)
