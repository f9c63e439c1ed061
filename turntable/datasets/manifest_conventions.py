"""The conventions that all data sets follow, as texts for the manifest."""

from turntable.datasets.recipes import Recipe

CONVENTIONS: dict[str, str] = {
    "world": "right-handed, +z up; the object's bounding-box centre at the origin",
    "camera": "OpenCV axes (x right, y down, z forward); K in pixels, pixel i covers [i, i+1)",
    "euler": "extrinsic x, y, z in radians: R = Rz(rz) Ry(ry) Rx(rx); scipy from_euler('xyz'), Blender 'XYZ'",
    "pose": "object_to_world = R @ T(t): t acts in the object's frame, in bounding-box diagonals",
    "quaternion_order": "xyzw",
    "relative_rotation": "R1^T R2, in the object's frame",
    "quaternion_sign": (
        "product: conj(q1) q2 of the half-angle products q = qz qy qx, as it falls; canonical: w >= 0"
    ),
    "hue": "turns in [0, 1]; HSV, taken as linear Rec.709",
    "labels": "float32, little-endian; the very numbers that were rendered",
    "draws": "Philox 4x64, key = first 128 bits of sha256(label digest, NUL, object id), counter = 8 * view",
}
"""The conventions of every data set. The texts are stored in manifests, so they must not change."""


SPLIT_CONVENTION = "split"
"""The entry on how the objects were divided into splits. Manifests of earlier versions have none."""


def describe_conventions(recipe: Recipe, split_text: str = "") -> dict[str, str]:
    """Return the conventions of a recipe's data sets: the common ones and those of the recipe's draws.

    Args:
        recipe: Recipe of the data set.
        split_text: Text on how the objects were divided into splits.
    """
    stated = CONVENTIONS | ({SPLIT_CONVENTION: split_text} if split_text else {})
    if recipe.draws != "philox":
        stated["draws"] = _DRAWS_CONVENTIONS[recipe.draws]
    if recipe.rotation is not None:
        stated["rotation"] = f"{recipe.rotation}; a Philox key of its own, a stretch of the counter a try"
    if recipe.sequence is not None:
        stated["sequence"] = _SEQUENCE_CONVENTION.format(length=recipe.sequence.length)
    if recipe.joints is not None:
        rule = recipe.joints.describe(in_sequences=recipe.sequence is not None)
        stated["joints"] = f"{rule}; a Philox key of its own, a block of the counter a joint"
    if recipe.scene is not None:
        stated["scene"] = _SCENE_CONVENTION
    if recipe.meters_per_unit:
        stated["meters_per_unit"] = _METERS_CONVENTION.format(scale=f"{recipe.meters_per_unit:g}")
    if recipe.street is not None:
        stated["street"] = _STREET_CONVENTION
    if recipe.scan is not None:
        stated["scanner"] = _SCAN_CONVENTION
    if recipe.mirrored:
        stated["twins"] = _TWINS_CONVENTION
    if recipe.pose_bank:
        stated["pose_bank"] = _POSE_BANK_CONVENTION.format(size=recipe.pose_bank)
    if recipe.environment:
        names = ", ".join(item.name for item in recipe.environment)
        stated["environment"] = f"number of {names}, by a hash of the recipe's seed and the object's id"
    if recipe.coupling:
        stated["coupling"] = "; ".join(map(str, recipe.coupling))
    return stated


_DRAWS_CONVENTIONS = {
    "imported": "none: the labels came with the pictures, rounded to float32",
    "numpy-legacy": (
        "np.random.seed, then scalar np.random.uniform along the list of objects, per view: floor hue, light "
        "theta, phi and hue, translations, angles; meta.json has an object's seed and index as stream"
    ),
}
"""The text "draws" of the recipes that do not draw with Philox."""
_TWINS_CONVENTION = (
    "object ID~mirrored is the mirror image of object ID, x to -x in the object's frame, drawn by the id ID"
)
_POSE_BANK_CONVENTION = (
    "pose_index is the number of the view's rotation in one list of {size} that all objects share; each "
    "object goes through the list in an order of its own"
)
_SEQUENCE_CONVENTION = (
    "view v is step v % {length} of sequence v // {length}; twist = (omega, v) in the object's frame, "
    "pose_t = pose_(t-1) exp(twist_t) with pose = R @ T(t); zeros at step 0"
)
_METERS_CONVENTION = (
    "a unit of the world is {scale} m; numbers in meters are in the frame {scale} (p + (0, 0, 1)), whose "
    "ground z = 0 is the floor of the pictures"
)
_STREET_CONVENTION = (
    "an object is a street: its first parts are objects of true length, each with x ahead, y to the left and "
    "the center of its bounding box at its origin; the others are walls and poles, which stand still"
)
_SCAN_CONVENTION = (
    "rays in columns that begin ahead and turn to the left, in each from the lowest beam up; the nearest "
    "surface of opacity 0.5 or more, or the ground, returns; intensity is the absolute cosine of incidence; "
    "noise is along the ray; flow is where the same material point is in the sensor's next frame, "
    "less where it is in this one, and 0 in the last view of a sequence; coordinates in steps of 2^-14 m"
)
_SCENE_CONVENTION = (
    "an object is a scene, its parts are objects; its frame is the world's before the rotation R; every part "
    "is scaled to its size, with the center of its bounding box at its origin"
)
