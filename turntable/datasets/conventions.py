"""The conventions every data set follows, in the words its manifest carries."""

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
