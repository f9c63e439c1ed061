// One view in numbers: `projections.py` packs them in this order.

const float PI = 3.14159265358979;

const int TO_WORLD = 0;      // 3 rows of the 3x4 matrix from the centred object to the world
const int FLOOR = 3;         // floor albedo
const int LIGHT = 4;         // position of the spot
const int LIGHT_COLOR = 5;
const int SPHERE = 6;        // centre in the world and radius: a sphere around the object
const int SUN = 7;           // 4 rows a tap: world to u, v and depth of its map; direction times weight; place
const int SPOT = SUN + 4 * SUN_TAPS;     // 5 rows a point of the emitter: world to u, v and depth times w; w; place

layout(std140) uniform View { vec4 row[SPOT + 5 * SPOT_SAMPLES]; };

uniform vec4 camera[3];      // rows of world_to_camera
uniform float focal;         // in half image sizes
uniform float image_px;

vec3 camera_place() {
    return -(camera[0].xyz * camera[0].w + camera[1].xyz * camera[1].w + camera[2].xyz * camera[2].w);
}

// From the camera through a place of the picture (in pixels), of unit depth, in the world.
vec3 camera_ray(vec2 pixel) {
    vec2 inside = (pixel / image_px * 2.0 - 1.0) / focal;
    return camera[0].xyz * inside.x + camera[1].xyz * inside.y + camera[2].xyz;
}
