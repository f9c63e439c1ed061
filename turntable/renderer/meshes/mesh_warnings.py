"""Warnings about meshes: what their files say and the renderer shows otherwise, by kind."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

WarningKind = Literal[
    "file-missing",
    "file-outside",
    "file-elsewhere",
    "file-ambiguous",
    "file-unreadable",
    "image-cut",
    "image-limit",
    "material-missing",
    "face-skipped",
    "polygon-approximated",
    "reference-skipped",
    "number-repaired",
    "statement-skipped",
    "header-repaired",
    "color-approximated",
    "texcoords-approximated",
    "map-skipped",
    "surface-approximated",
    "transparency-approximated",
    "points-skipped",
    "node-skipped",
    "motion-skipped",
    "extension-skipped",
    "folder-unreadable",
    "folder-outside",
    "name-undecodable",
    "format-unsupported",
]
"""Kind of a warning. ``WARNING_KINDS`` says what each means."""

WARNING_KINDS: dict[WarningKind, str] = {
    "file-missing": "a file that the mesh names does not exist",
    "file-outside": "a file that the mesh names lies outside --meshes and is not opened",
    "file-elsewhere": "a file does not lie where the mesh says, and one of the same name is used",
    "file-ambiguous": "a file does not lie where the mesh says, and several have its name, so none is used",
    "file-unreadable": "a file that the mesh names cannot be read",
    "image-cut": "an image is cut off, and is used as far as it goes",
    "image-limit": "an image is too large, or one too many, and is not used",
    "material-missing": "a material is used and not defined",
    "face-skipped": "faces cannot be drawn: fewer than three corners, or corners that do not exist",
    "polygon-approximated": "polygons cross themselves or are far from flat, so their triangles are a guess",
    "reference-skipped": "corners refer to texture coordinates, normals or colors that do not exist",
    "number-repaired": "numbers are NaN, infinite or out of range, and others stand in for them",
    "statement-skipped": "a statement or option of the file is not known or not applied",
    "header-repaired": "the header of a file contradicts its content, which is believed",
    "color-approximated": "colors are drawn otherwise than the file says",
    "texcoords-approximated": "texture coordinates are drawn otherwise than the file says",
    "map-skipped": "a texture of another kind than color, opacity or emission is not drawn",
    "surface-approximated": "metal, clear coat, sheen and other surfaces are drawn as a plain one",
    "transparency-approximated": "glass and other refraction is drawn as plain transparency",
    "points-skipped": "points and lines are not drawn",
    "node-skipped": "a part of the scene is invalid and is left out",
    "motion-skipped": "motion that is not rigid, such as scaling, morphing and bending, is left out",
    "extension-skipped": "an optional extension of the file is not known",
    "folder-unreadable": "a folder or file below --meshes cannot be read",
    "folder-outside": "a link below --meshes leads outside it and is not followed",
    "name-undecodable": "a file name is in no known encoding or clashes with another",
    "format-unsupported": "a file of meshes is in a format that is not read",
}
"""The meaning of each kind of warning, in the order of the documentation."""
FOLDER_KINDS: tuple[WarningKind, ...] = (
    "folder-unreadable",
    "folder-outside",
    "name-undecodable",
    "format-unsupported",
)
"""Kinds of the warnings about the folder of the meshes, which belong to no object."""


@dataclass(frozen=True, slots=True)
class MeshWarning:
    """One thing that is shown otherwise than the files of an object say."""

    kind: WarningKind
    """Kind of the warning."""
    file: str
    """Name of the file that says it, relative to the folder of the meshes where it lies there."""
    detail: str
    """Text about what is wrong or not supported: "texture wood.png is missing"."""
    shown: str
    """Text about what is shown instead: "the material's own color is used"."""

    def __str__(self) -> str:
        return f"{self.file}: {self.detail}; {self.shown}"


@dataclass(slots=True)
class WarningLog:
    """A collector of the warnings about one object. Each is kept once, and of each kind only so many."""

    file: str
    """Name of the object's main file, for warnings that name no other."""
    max_per_kind: int = 100
    """Number of warnings kept of a kind. The rest are counted in one more warning."""
    _kept: dict[MeshWarning, None] = field(default_factory=dict)
    """Warnings in the order in which they were added."""
    _counts: Counter[WarningKind] = field(default_factory=Counter)
    """Number of different warnings of each kind."""
    _dropped: set[MeshWarning] = field(default_factory=set)
    """Warnings beyond the limit, up to a second limit, so that each is counted once."""

    def add(self, kind: WarningKind, detail: str, shown: str, file: str = "") -> None:
        """Add a warning, unless it was added before.

        Args:
            kind: Kind of the warning.
            detail: Text about what is wrong or not supported; escape words of the file with ``format_text``.
            shown: Text about what is shown instead.
            file: Name of the file; the object's main file if empty.
        """
        warning = MeshWarning(kind, file or self.file, detail, shown)
        if warning in self._kept or warning in self._dropped:
            return
        self._counts[kind] += 1
        if self._counts[kind] <= self.max_per_kind:
            self._kept[warning] = None
        elif len(self._dropped) < self.max_per_kind:
            self._dropped.add(warning)

    @property
    def warnings(self) -> tuple[MeshWarning, ...]:
        """Warnings in the order in which they were added, then one for each kind that has too many."""
        more = (
            MeshWarning(kind, self.file, f"and {count - self.max_per_kind:,} more", "likewise")
            for kind, count in self._counts.items()
            if count > self.max_per_kind
        )
        return (*self._kept, *more)
