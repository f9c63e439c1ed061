// Computes the light on the floor, on a grid as coarse as its soft shadows allow. Pixels beyond the horizon get the
// light of a floor that is far away; resolve.glsl cuts the floor off there, and interpolation needs values on both
// sides of the cut.

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
uniform float step_px;            // width of a texel in pixels
uniform vec2 floor_start;         // pixel at which the first texel begins

// The share of tap k's cone of light that passes the object, for a point behind all of the object.
// From such a point, everything in the cone casts its shadow, so no depth has to be compared: the silhouette along
// the tap's direction is enough. The mean of the silhouette over the width that the cone has at the object is one read
// from the mipmap level whose texels are that wide.
float free_cone(int k, vec4 p, float distance) {
    int at = SUN + 4 * k;
    vec2 place = vec2(dot(row[at], p), dot(row[at + 1], p));
    float map = row[at + 3].w, columns = sun_grid.x;
    vec2 middle = vec2(mod(map, columns), floor(map / columns)) + 0.5;
    vec2 inside = (place * sun_grid - middle) / (0.5 * sun_margin);
    // The width of the cone at the object, in texels of the map (row[SPHERE].w is the object's radius).
    float width = 1.5 * distance * sun_spread / row[SPHERE].w * sun_map_px;
    float lod = clamp(log2(max(width, 1.0)), 0.0, 4.0);
    float cover = textureLod(sun_cover, place, lod).r;
    return max(abs(inside.x), abs(inside.y)) > 1.0 ? 1.0 : 1.0 - cover;
}

float sun_on_floor(vec4 p) {
    float distance = length(row[SPHERE].xyz - p.xyz);
    float free = 0.0, total = 1e-6;
    for (int k = 0; k < SUN_TAPS; ++k) {
        float weight = row[SUN + 4 * k + 3].z;   // the tap's weight times its cosine to the floor's normal +z
        total += weight;
        free += weight * free_cone(k, p, distance);
    }
    return sun_table(1.0) * free / total;
}

float spot_on_floor(vec4 p) {
    vec3 l = normalize(row[LIGHT].xyz - p.xyz);
    float free = 0.0;
    for (int s = 0; s < SPOT_SAMPLES; ++s) free += spot_free_beyond(s, p);
    return max(l.z, 0.0) * spot_power(p.xyz) * free / float(SPOT_SAMPLES);
}

// Smallest descent of rays, per unit of depth. Rays above the horizon are bent down to it, so that they too meet the
// floor; it is less than the width of any pixel.
const float MIN_DESCENT = 1e-4;

vec4 shade(ivec2 at) {
    vec3 origin = camera_place();
    vec3 ray = camera_ray((vec2(at - tile) + 0.5) * step_px + floor_start);
    ray.z = min(ray.z, -MIN_DESCENT);
    vec4 p = vec4(origin + ray * ((floor_z - origin.z) / ray.z), 1.0);
    vec3 light = row[LIGHT_COLOR].rgb * spot_on_floor(p) + sun_on_floor(p);
    return vec4(row[FLOOR].rgb * (light / PI + world_radiance), 1.0);
}
