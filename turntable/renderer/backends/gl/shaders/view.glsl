// The numbers of one view, in the order in which `build_view_blocks` in `projections.py` packs them.

const float PI = 3.14159265358979;

const int TO_WORLD = 0;      // 3 rows of the 3x4 matrix from the centered object to the world
const int FLOOR = 3;         // rgb: albedo of the floor; a: strength of the sun relative to its table
const int LIGHT = 4;         // xyz: position of the spot
const int LIGHT_COLOR = 5;   // rgb: color of the spot times its strength relative to its table;
                             // a: radiance of the unlit floor per unit of albedo
const int SPHERE = 6;        // xyz: center of the object's sphere in the world; w: its radius
const int CAMERA = 7;        // 3 rows of world_to_camera
const int LENS = 10;         // xy: shift of the principal point from the middle of the picture, in pixels
const int SUN = 11;          // 4 rows per tap: from the world to u, v and depth of its map; direction times weight (xyz)
                             // and number of the map (w)
const int SPOT = SUN + 4 * SUN_TAPS;   // 5 rows per point of the emitter: from the world to u, v and depth, each times w;
                                       // to w; place of the map in the atlas

layout(std140) uniform View { vec4 row[SPOT + 5 * SPOT_SAMPLES]; };

uniform float focal;         // focal length in units of half the image size
uniform float image_px;

// The position of the camera in the world: the inverse of a rigid motion, applied to the origin.
vec3 camera_place() {
    vec4 right = row[CAMERA], down = row[CAMERA + 1], forward = row[CAMERA + 2];
    return -(right.xyz * right.w + down.xyz * down.w + forward.xyz * forward.w);
}

// The direction in the world, of depth 1, from the camera through a position in the picture (in pixels).
vec3 camera_ray(vec2 pixel) {
    vec2 inside = ((pixel - row[LENS].xy) / image_px * 2.0 - 1.0) / focal;
    return row[CAMERA].xyz * inside.x + row[CAMERA + 1].xyz * inside.y + row[CAMERA + 2].xyz;
}
