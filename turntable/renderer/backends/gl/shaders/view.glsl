// One view in numbers: `projections.py` packs them in this order.

const float PI = 3.14159265358979;

const int TO_WORLD = 0;      // 3 rows of the 3x4 matrix from the centred object to the world
const int FLOOR = 3;         // floor albedo; how many times as strong as in its table the sun is
const int LIGHT = 4;         // position of the spot
const int LIGHT_COLOR = 5;   // times the spot's strength over that of its table; radiance of the unlit floor over its albedo
const int SPHERE = 6;        // centre in the world and radius: a sphere around the object
const int CAMERA = 7;        // rows of world_to_camera
const int SUN = 10;          // 4 rows a tap: world to u, v and depth of its map; direction times weight; place
const int SPOT = SUN + 4 * SUN_TAPS;     // 5 rows a point of the emitter: world to u, v and depth times w; w; place

layout(std140) uniform View { vec4 row[SPOT + 5 * SPOT_SAMPLES]; };

uniform float focal;         // in half image sizes
uniform float image_px;

vec3 camera_place() {
    vec4 right = row[CAMERA], down = row[CAMERA + 1], forward = row[CAMERA + 2];
    return -(right.xyz * right.w + down.xyz * down.w + forward.xyz * forward.w);
}

// From the camera through a place of the picture (in pixels), of unit depth, in the world.
vec3 camera_ray(vec2 pixel) {
    vec2 inside = (pixel / image_px * 2.0 - 1.0) / focal;
    return row[CAMERA].xyz * inside.x + row[CAMERA + 1].xyz * inside.y + row[CAMERA + 2].xyz;
}
