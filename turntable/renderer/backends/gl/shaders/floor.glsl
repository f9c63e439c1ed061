// Light on the floor, on a grid as coarse as its soft shadows allow. Beyond the horizon it goes on as it is far away:
// the picture cuts it off there.

#include view
#include light
#include shadow

uniform sampler2D sun_cover;      // silhouettes of the mesh along the directions of its depth maps, with mipmaps
uniform float sun_spread;         // tangent of the half-angle of the cone that one direction stands for
uniform float sun_map_px;
uniform vec2 sun_grid;            // tiles across and down
uniform float sun_margin;
uniform float floor_z;
uniform ivec2 tile;               // first texel of the view
uniform float step_px;            // pixels a texel

// The share of tap k's cone that the object leaves free, from a point that lies behind all of it.
float free_cone(int k, vec4 p, float distance) {
    int at = SUN + 4 * k;
    vec2 place = vec2(dot(row[at], p), dot(row[at + 1], p));
    float map = row[at + 3].w, columns = sun_grid.x;
    vec2 middle = vec2(mod(map, columns), floor(map / columns)) + 0.5;
    vec2 inside = (place * sun_grid - middle) / (0.5 * sun_margin);
    // The cone's width where it meets the object, in texels.
    float width = 1.5 * distance * sun_spread / row[SPHERE].w * sun_map_px;
    float lod = clamp(log2(max(width, 1.0)), 0.0, 4.0);
    float cover = textureLod(sun_cover, place, lod).r;
    return max(abs(inside.x), abs(inside.y)) > 1.0 ? 1.0 : 1.0 - cover;
}

float sun_on_floor(vec4 p) {
    float distance = length(row[SPHERE].xyz - p.xyz);
    float seen = 0.0, plain = 1e-6;
    for (int k = 0; k < SUN_TAPS; ++k) {
        float weight = row[SUN + 4 * k + 3].z;
        plain += weight;
        seen += weight * free_cone(k, p, distance);
    }
    return sun_table(1.0) * seen / plain;
}

float spot_on_floor(vec4 p) {
    vec3 l = normalize(row[LIGHT].xyz - p.xyz);
    float seen = 0.0;
    for (int s = 0; s < SPOT_SAMPLES; ++s) seen += spot_free_beyond(s, p);
    return max(l.z, 0.0) * spot_power(p.xyz) * seen / float(SPOT_SAMPLES);
}

const float LEAST_DOWN = 1e-4;    // of rays, a unit of depth: no pixel is as narrow

vec4 shade(ivec2 at) {
    vec3 origin = camera_place();
    vec3 ray = camera_ray((vec2(at - tile) + 0.5) * step_px);
    ray.z = min(ray.z, -LEAST_DOWN);
    vec4 p = vec4(origin + ray * ((floor_z - origin.z) / ray.z), 1.0);
    vec3 light = row[LIGHT_COLOR].rgb * spot_on_floor(p) + sun_on_floor(p);
    return vec4(row[FLOOR].rgb * (light / PI + world_radiance), 1.0);
}
