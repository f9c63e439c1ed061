"""Tests of what varies over a surface: vertex colors, continued textures, emission, and cutoffs."""

from dataclasses import replace
from typing import Any, Literal, get_args

import numpy as np
import pytest
from numpy.typing import NDArray

from turntable.renderer.backends import Backend
from turntable.renderer.meshes import Material, Mesh, Texture, Wrap
from turntable.renderer.scene import DEFAULT_CAMERA, display_from_linear
from turntable.testing.backends.base import BackendTests, MaskedViews
from turntable.testing.backends.masks import dilate, erode
from turntable.testing.backends.photometry import linear_from_display
from turntable.testing.backends.views import ALL_OUTPUTS, SIZE, STANDARD, Array, make_label, make_scenes

HALF = 0.4
"""Half of the width of the square that faces the camera."""
SUNLIT = make_label(power=0.0, sun=3.0)
"""View in which the square has the same light everywhere."""
DARK = make_label(power=0.0, sun=0.0)
"""View with the faint light of the world alone."""
LIT_FROM_ABOVE = make_label(theta=0.15, phi=0.6)
"""View in which the square casts a shadow on the floor beside it."""

TextureField = Literal["texture", "emission_texture"]
Pixels = NDArray[np.uint8]


def make_square(**material: Any) -> Mesh:
    """Return a square that faces the default camera, with texture coordinates from 0 to 1.

    Its vertices, as the camera sees them, are lower left, lower right, upper left and upper right.
    """
    right, down = DEFAULT_CAMERA.world_to_camera[:2, :3]
    places = np.array([[-1, -1], [1, -1], [-1, 1], [1, 1]])
    positions = HALF * (places[:, :1] * right - places[:, 1:] * down)
    towards = -DEFAULT_CAMERA.world_to_camera[2, :3]
    return Mesh(
        positions.astype(np.float32),
        np.array([[0, 1, 2], [2, 1, 3]], dtype=np.int32),
        np.tile(towards, (4, 1)).astype(np.float32),
        ((places + 1) / 2).astype(np.float32),
        np.zeros(2, dtype=np.int32),
        (Material(specular=0.0, **material),),
    )


def with_colors(mesh: Mesh, lower_left: Any, lower_right: Any, upper_left: Any, upper_right: Any) -> Mesh:
    """Return a square with these linear colors and opacities of its vertices."""
    return replace(
        mesh, colors=np.array([lower_left, lower_right, upper_left, upper_right], dtype=np.float32)
    )


def compute_places(size: int) -> Array:
    """Compute the texture coordinates [S, S, 2] of the square at the pixels' centers, also beside it."""
    focal = DEFAULT_CAMERA.compute_intrinsics(size)[0, 0]
    along = (np.arange(size) + 0.5 - size / 2) / focal * DEFAULT_CAMERA.distance / HALF
    u, v = np.meshgrid(along, -along)
    return np.stack([u, v], axis=-1) / 2 + 0.5


def encode_srgb(linear: Any) -> Pixels:
    """Return the sRGB values from 0 to 255 of linear light from 0 to 1."""
    light = np.asarray(linear, dtype=np.float64)
    encoded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.rint(255 * encoded).astype(np.uint8)


def make_random_texture() -> Pixels:
    """Return a texture [4, 6, 3] of random colors."""
    return np.random.default_rng(3).integers(0, 256, (4, 6, 3), dtype=np.uint8)


def make_painted_square(field: TextureField, texture: Texture) -> Mesh:
    """Return a square whose color, or whose light, is that of a texture."""
    if field == "texture":
        return make_square(texture=texture)
    return make_square(base_color=(0.0, 0.0, 0.0), emission=(0.6, 0.6, 0.6), emission_texture=texture)


def make_left_half(square: Mesh) -> Mesh:
    """Return the left half of a square; triangles without area keep its bounding box."""
    positions, texcoords = square.positions.copy(), square.texcoords.copy()
    for left, right in ((0, 1), (2, 3)):
        positions[right] = (square.positions[left] + square.positions[right]) / 2
        texcoords[right] = (square.texcoords[left] + square.texcoords[right]) / 2
    return replace(
        square,
        positions=np.concatenate([positions, square.positions]),
        texcoords=np.concatenate([texcoords, square.texcoords]),
        normals=np.concatenate([square.normals] * 2),
        triangles=np.concatenate([square.triangles, [[4, 7, 7], [5, 6, 6]]]).astype(np.int32),
        material_index=np.zeros(4, dtype=np.int32),
    )


class SurfaceTests(BackendTests):
    """Tests of colors of vertices, textures, emission and cutoffs, on a square that faces the camera."""

    def render_square(
        self, backend: Backend, mesh: Mesh, view: list[float], size: int = SIZE
    ) -> tuple[Array, MaskedViews]:
        """Render one view, and return its picture [S, S, 3] as numbers, and the view."""
        drawn = self.render(backend, mesh, view, size=size)
        return drawn.rgb[0].astype(float), drawn

    def test_colors_of_vertices_run_smoothly(self, backend: Backend) -> None:
        """From black vertices to white ones the light grows evenly, as it does with a texture of the ramp."""
        size = 256
        black, white = (0.0, 0.0, 0.0, 1.0), (1.0, 1.0, 1.0, 1.0)
        plain = make_square(base_color=(1.0, 1.0, 1.0))
        picture, drawn = self.render_square(
            backend, with_colors(plain, black, white, black, white), SUNLIT, size
        )
        inside = erode(drawn.mask[0], 3)
        row = size // 2
        levels = len(np.unique(picture[row, inside[row], 1]))
        assert levels >= 60, (
            "vertex colors run smoothly: a ramp has at least 60 levels of gray, without bands"
        )
        share = compute_places(size)[row, inside[row], 0]
        light = linear_from_display(picture[row, inside[row], 1])
        slope, least = np.polyfit(share, light, 1)
        rule = "between vertices the light is proportional to the color, which is linear"
        assert slope > 0.1, rule
        assert abs(least) < 0.1 * slope, rule
        assert np.abs(light - slope * share - least).max() < 0.03 * slope, rule
        ramp = encode_srgb(np.tile((np.arange(1024) + 0.5)[None, :, None] / 1024, (2, 1, 3)))
        textured, _ = self.render_square(
            backend, make_square(texture=Texture(ramp, ("clamp", "clamp"))), SUNLIT, size
        )
        error = np.abs(picture - textured)[inside]
        assert np.quantile(error, 0.99) <= 3, "a ramp of vertex colors looks like a texture with this ramp"

    def test_encoded_colors_run_in_their_own_values(self, backend: Backend) -> None:
        """Between vertices whose colors are sRGB values, these grow evenly, not the light."""
        size, black, white = 256, (0.0, 0.0, 0.0, 1.0), (1.0, 1.0, 1.0, 1.0)
        plain = with_colors(make_square(base_color=(1.0, 1.0, 1.0)), black, white, black, white)
        encoded = replace(plain, has_encoded_colors=True)
        picture, drawn = self.render_square(backend, encoded, SUNLIT, size)
        ramp = np.rint(np.tile((np.arange(1024) + 0.5)[None, :, None] / 1024 * 255, (2, 1, 3)))
        texture = Texture(ramp.astype(np.uint8), ("clamp", "clamp"))
        textured, _ = self.render_square(backend, make_square(texture=texture), SUNLIT, size)
        error = np.abs(picture - textured)[erode(drawn.mask[0], 3)]
        assert np.quantile(error, 0.99) <= 3, "encoded colors run like the sRGB values of a texture"

    def test_colors_multiply_the_texture_and_the_base_color(self, backend: Backend) -> None:
        """Color of the vertices times that of texture or material is the color of the surface."""
        gray, tint = np.full((4, 4, 3), 188, dtype=np.uint8), (0.9, 0.5, 0.2)
        linear = ((188 / 255 + 0.055) / 1.055) ** 2.4
        expected, drawn = self.render_square(
            backend, make_square(base_color=tuple(linear * x for x in tint)), SUNLIT
        )
        inside = erode(drawn.mask[0], 3)
        for mesh in (make_square(texture=Texture(gray)), make_square(base_color=(linear,) * 3)):
            picture, _ = self.render_square(backend, with_colors(mesh, *[(*tint, 1.0)] * 4), SUNLIT)
            error = np.abs(picture - expected)[inside]
            assert np.quantile(error, 0.99) <= 2, (
                "vertex colors multiply the texture's color or the base color"
            )

    def test_colors_leave_emission_alone(self, backend: Backend) -> None:
        """A surface with black vertices emits as much light as one with white ones."""
        square = make_square(base_color=(0.0, 0.0, 0.0), emission=(0.3, 0.3, 0.3))
        expected, drawn = self.render_square(backend, square, DARK)
        picture, _ = self.render_square(backend, with_colors(square, *[(0.0, 0.0, 0.0, 1.0)] * 4), DARK)
        error = np.abs(picture - expected)[erode(drawn.mask[0], 3)]
        assert error.max() <= 2, "vertex colors multiply the color of the surface, not its emission"

    def test_transparent_vertices_let_through_what_is_behind(self, backend: Backend) -> None:
        """Opacity falls from right to left: the floor shows through, and the mask ends where it is 0.5."""
        square = make_square(base_color=(1.0, 1.0, 1.0))
        clear, solid = (1.0, 1.0, 1.0, 0.0), (1.0, 1.0, 1.0, 1.0)
        picture, drawn = self.render_square(backend, with_colors(square, clear, solid, clear, solid), SUNLIT)
        whole, opaque = self.render_square(backend, square, SUNLIT)
        inside, u = erode(opaque.mask[0], 2), compute_places(SIZE)[..., 0]
        rule = "the mask has what is at least half opaque: the opacity of vertices is interpolated"
        np.testing.assert_array_equal(drawn.mask[0][inside & (u > 0.52)], True, err_msg=rule)
        np.testing.assert_array_equal(drawn.mask[0][inside & (u < 0.48)], False, err_msg=rule)
        nothing, _ = self.render_square(backend, with_colors(square, *[(1.0, 1.0, 1.0, 0.002)] * 4), SUNLIT)
        rule = "the more transparent the vertices, the more of what is behind is visible"
        row = slice(SIZE // 2 - 4, SIZE // 2 + 4)
        change = np.abs(whole - nothing)[row].mean(axis=(0, 2))
        shown = np.abs(whole - picture)[row].mean(axis=(0, 2)) / np.maximum(change, 1)
        column = u[SIZE // 2]
        assert change[(column > 0.1) & (column < 0.9)].min() > 20, rule
        assert shown[(column > 0.02) & (column < 0.1)].min() > 0.7, rule
        assert shown[(column > 0.9) & (column < 0.98)].max() < 0.3, rule
        assert np.all(np.diff(shown[(column > 0.1) & (column < 0.9)]) < 0.02), rule

    @pytest.mark.parametrize("field", get_args(TextureField))
    @pytest.mark.parametrize("wrap", [("repeat", "mirror"), ("mirror", "clamp"), ("clamp", "repeat")])
    def test_textures_are_continued_as_they_say(
        self, backend: Backend, wrap: tuple[Wrap, Wrap], field: TextureField
    ) -> None:
        """A texture over coordinates from -1 to 2 looks like one that NumPy has continued in the same way."""
        pixels = make_random_texture()
        height, width = pixels.shape[:2]
        modes: dict[Wrap, Literal["wrap", "symmetric", "edge"]] = {
            "repeat": "wrap",
            "mirror": "symmetric",
            "clamp": "edge",
        }
        wide = np.pad(pixels, ((0, 0), (width, width), (0, 0)), mode=modes[wrap[0]])
        wide = np.pad(wide, ((height, height), (0, 0), (0, 0)), mode=modes[wrap[1]])
        expected, drawn = self.render_square(backend, make_painted_square(field, Texture(wide)), SUNLIT)
        square = make_painted_square(field, Texture(pixels, wrap))
        picture, _ = self.render_square(backend, replace(square, texcoords=3 * square.texcoords - 1), SUNLIT)
        # The outermost half texel of the continued texture is interpolated with its opposite side.
        error = np.abs(picture - expected)[erode(drawn.mask[0], 7)]
        rule = f"a texture is continued along u and v as its wrap says: {wrap[0]}, {wrap[1]}"
        assert expected[erode(drawn.mask[0], 7)].std() > 20
        assert np.quantile(error, 0.99) <= 3, rule

    @pytest.mark.parametrize("field", get_args(TextureField))
    def test_magnified_texels_are_squares_or_interpolated(
        self, backend: Backend, field: TextureField
    ) -> None:
        """Magnified by the filter "nearest", each texel is one color; else there are colors between them."""
        chess = np.indices((4, 4)).sum(axis=0) % 2
        pixels = np.repeat(255 * chess[..., None], 3, axis=2).astype(np.uint8)
        place = np.clip(compute_places(SIZE) * 4, 0, 3.999)
        bright = chess[3 - place[..., 1].astype(int), place[..., 0].astype(int)] > 0
        between = np.abs(place - np.round(place)).min(axis=-1) < 0.12
        shares = {}
        for filter_ in ("nearest", "linear"):
            texture = Texture(pixels, ("clamp", "clamp"), filter_)
            picture, drawn = self.render_square(backend, make_painted_square(field, texture), SUNLIT)
            inside = erode(drawn.mask[0], 3) & ~between
            gray = picture[..., 1]
            low, high = np.quantile(gray[inside], [0.1, 0.9])
            expected = np.where(bright, high, low)
            assert high > low + 60, "a texture's black and white texels differ"
            shares[filter_] = (np.abs(gray - expected)[inside] < 0.15 * (high - low)).mean()
        assert shares["nearest"] > 0.95, 'with "nearest", a magnified texel has one color'
        assert shares["linear"] < 0.8, 'with "linear", there are colors between those of texels'

    @pytest.mark.parametrize("alpha", [1.0, 0.6])
    def test_emission_textures_say_where_light_is_emitted(self, backend: Backend, alpha: float) -> None:
        """In a dark scene each band of the texture has the light of emission times texture."""
        bands = np.repeat([0, 188, 255], 8).astype(np.uint8)
        texture = Texture(np.repeat(np.tile(bands, (2, 1))[..., None], 3, axis=2), ("clamp", "clamp"))
        emission = np.array([0.6, 0.3, 0.1])
        square = make_square(
            base_color=(0.0, 0.0, 0.0), alpha=alpha, emission=tuple(emission), emission_texture=texture
        )
        picture, drawn = self.render_square(backend, square, DARK)
        u = compute_places(SIZE)[..., 0]
        inside = erode(drawn.mask[0], 4)
        linear = [0.0, ((188 / 255 + 0.055) / 1.055) ** 2.4, 1.0]
        for number, strength in enumerate(linear):
            band = inside & (np.abs(u - (number + 0.5) / 3) < 0.12)
            plain, _ = self.render_square(
                backend,
                make_square(base_color=(0.0, 0.0, 0.0), alpha=alpha, emission=tuple(strength * emission)),
                DARK,
            )
            rule = "a surface emits its emission times its emission texture, in linear light"
            assert np.abs(picture - plain)[band].max() <= 3, rule
            if alpha == 1:
                expected = 255 * display_from_linear(strength * emission)
                assert np.abs(picture[band].mean(axis=0) - expected).max() <= 4, rule

    def test_very_strong_emission_is_white(self, backend: Backend) -> None:
        """Light of any strength is white, not black, and gray where its texture is dark."""
        pixels = np.zeros((2, 16, 3), dtype=np.uint8)
        pixels[:, 8:] = 255
        for field in ({}, {"emission_texture": Texture(pixels)}):
            square = make_square(base_color=(0.0, 0.0, 0.0), emission=(1e7, 1e7, 1e7), **field)
            picture, drawn = self.render_square(backend, square, DARK)
            right = erode(drawn.mask[0], 4) & (compute_places(SIZE)[..., 0] > 0.6)
            left = erode(drawn.mask[0], 4) & (np.abs(compute_places(SIZE)[..., 0] - 0.25) < 0.1)
            assert picture[right].min() > 225, "very strong emission is white"
            if field:
                assert picture[left].max() < 60, "emission is dark where its texture is black, however strong"

    @pytest.mark.parametrize("source", ["texture", "vertices", "product"])
    def test_below_its_cutoff_a_surface_is_absent(self, backend: Backend, source: str) -> None:
        """The left half is opaque, the right half absent: picture, shadow and outputs are those of a half."""
        square = make_square(base_color=(0.7, 0.7, 0.7), alpha_cutoff=0.5)
        material = square.materials[0]
        if source != "texture":
            solid, clear = (1.0, 1.0, 1.0, 1.0), (1.0, 1.0, 1.0, 0.0)
            square = with_colors(square, solid, clear, solid, clear)
        if source != "vertices":
            pixels = np.full((4, 64, 4), [*encode_srgb([0.7, 0.7, 0.7]), 204], dtype=np.uint8)
            pixels[:, 32:, 3] = 77 if source == "texture" else 204
            material = replace(material, texture=Texture(pixels, ("clamp", "clamp")))
        if source == "product":
            material = replace(material, alpha=0.9, alpha_cutoff=0.36)
        self.check_half(backend, replace(square, materials=(material,)))

    def check_half(self, backend: Backend, mesh: Mesh) -> None:
        """Check that a square looks like its left half, opaque."""
        whole = make_square(base_color=(0.7, 0.7, 0.7))
        half = make_left_half(whole)
        ours, theirs, opaque = (self.render_all(backend, it, LIT_FROM_ABOVE) for it in (mesh, half, whole))
        rule = "a surface is opaque where its alpha is at least the cutoff, and absent elsewhere: "
        differing = ours["mask"] != theirs["mask"]
        assert differing.mean() < 0.01, f"{rule}its mask"
        same = ~differing & np.isfinite(theirs["depth"])
        for name in ("depth", "normals", "coordinates"):
            error = np.abs(ours[name] - theirs[name])[same]
            assert (error > 1e-3).mean() < 0.01, f"{rule}its {name}"
        error = np.abs(ours["rgb"] - theirs["rgb"]).max(axis=-1)
        assert np.quantile(error, 0.97) <= 6, f"{rule}its picture"
        beside = ~dilate(opaque["mask"] > 0, 2)
        shadow = beside & (np.abs(opaque["rgb"] - theirs["rgb"]).max(axis=-1) > 15)
        assert shadow.sum() > 50, "the right half of an opaque square casts a shadow beside it"
        assert np.quantile(error[shadow], 0.9) <= 12, f"{rule}its shadow"

    def render_all(self, backend: Backend, mesh: Mesh, view: list[float]) -> dict[str, Array]:
        """Render one view with all outputs, and return them by name as numbers."""
        pixels = backend.render(mesh, make_scenes(view), SIZE, STANDARD, ALL_OUTPUTS)
        return {name: np.asarray(getattr(pixels, name)[0], dtype=np.float64) for name in ALL_OUTPUTS}
