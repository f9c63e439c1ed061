"""Suffixes of mesh files: those of the formats that are read, and those of formats that are not."""

SUFFIXES = (".obj", ".glb", ".gltf", ".ply", ".stl", ".off")
"""Suffixes of the files that can be loaded, in lower case."""
UNSUPPORTED_SUFFIXES = (
    *(".3dm", ".3ds", ".3mf", ".ac", ".amf", ".b3d", ".blend", ".bvh", ".c4d", ".ctm", ".dae", ".drc"),
    *(".dwg", ".dxf", ".fbx", ".ifc", ".iges", ".igs", ".lwo", ".lws", ".ma", ".max", ".mb", ".md2", ".md3"),
    *(".ms3d", ".nff", ".ogex", ".pcd", ".pmx", ".q3o", ".skp", ".smd", ".step", ".stp", ".urdf", ".usd"),
    *(".usda", ".usdc", ".usdz", ".vox", ".vrm", ".vrml", ".vtk", ".vtp", ".wrl", ".wrz", ".x3d", ".x3db"),
    *(".x3dv", ".xgl", ".xyz", ".zae"),
    *(f"{suffix}{packed}" for suffix in SUFFIXES for packed in (".gz", ".bz2", ".xz", ".zst", ".zip")),
)
"""Suffixes of files of meshes in formats that are not read, and of packed ones, in lower case."""


def is_mesh_name(name: str) -> bool:
    """Return True if a file of this name is a mesh, whether its format is read or not."""
    # macOS leaves files such as "._model.obj" beside the real ones on foreign disks and in archives.
    return name.lower().endswith(SUFFIXES + UNSUPPORTED_SUFFIXES) and not name.startswith(".")
