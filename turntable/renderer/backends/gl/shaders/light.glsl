// Light that arrives at a point: the sun through the mesh's own depth maps, the spot through its maps a view.

uniform sampler2DShadow spot_maps;
uniform int spot_samples;
uniform int spot_columns;
uniform ivec2 spot_grid;
uniform float spot_margin;
uniform float spot_bias;

uniform sampler2D sun_frames;
uniform sampler2DShadow sun_maps;
uniform int sun_taps;
uniform int sun_columns;
uniform ivec2 sun_grid;
uniform float sun_margin;
uniform float sun_bias;

uniform sampler2D spot_pool;        // irradiance by distance from the axis and depth along it
uniform vec3 pool_range;            // largest distance; least and largest depth
uniform sampler2D sun_irradiance;   // by n_z
uniform float world_radiance;
uniform float floor_z;

#include spot

// Irradiance face on from the spot, without shadow and colour.
float spot_power(vec3 p, vec3 light) {
    vec3 axis = -normalize(light);
    vec3 d = p - light;
    float depth = dot(d, axis);
    float radius = length(d - depth * axis);
    vec2 size = vec2(textureSize(spot_pool, 0));
    vec2 at = vec2(radius / pool_range.x, (depth - pool_range.y) / (pool_range.z - pool_range.y));
    if (at.x > 1.0 || at.y < 0.0) return 0.0;
    return texture(spot_pool, (at * (size - 1.0) + 0.5) / size).r;
}

// The share of the spot's emitter that point p sees.
float spot_visibility(int view, vec3 p) {
    float seen = 0.0;
    for (int s = 0; s < spot_samples; ++s) {
        int row = view * spot_samples + s;
        vec4 clip = spot_clip(row, p);
        vec3 ndc = clip.xyz / clip.w;
        if (max(abs(ndc.x), abs(ndc.y)) > 1.0) { seen += 1.0; continue; }
        vec2 at = (vec2(tile_of(row, spot_columns)) + 0.5 + 0.5 * spot_margin * ndc.xy) / vec2(spot_grid);
        seen += texture(spot_maps, vec3(at, min(0.5 + 0.5 * ndc.z, 1.0) - spot_bias));
    }
    return seen / float(spot_samples);
}

// Where q (in the mesh's own frame) lies in the atlas of map number `map`; false beyond the mesh's sphere.
bool sun_place(int map, vec3 q, float radius, out vec2 at) {
    vec3 u = texelFetch(sun_frames, ivec2(0, map), 0).xyz;
    vec3 v = texelFetch(sun_frames, ivec2(1, map), 0).xyz;
    vec2 inside = vec2(dot(q, u), dot(q, v)) / radius;
    at = (vec2(tile_of(map, sun_columns)) + 0.5 + 0.5 * sun_margin * inside) / vec2(sun_grid);
    return max(abs(inside.x), abs(inside.y)) <= 1.0;
}

// Whether the mesh leaves the way free from q (in its own frame) along direction number `map`.
float free_way(int map, vec3 q, float radius) {
    vec2 at;
    if (!sun_place(map, q, radius, at)) return 1.0;
    vec3 d = texelFetch(sun_frames, ivec2(2, map), 0).xyz;
    float depth = 0.5 - 0.5 * dot(q, d) / radius;
    return texture(sun_maps, vec3(at, min(depth, 1.0) - sun_bias));
}

float sun_table(float n_z) {
    float size = float(textureSize(sun_irradiance, 0).x);
    return texture(sun_irradiance, vec2(((0.5 * n_z + 0.5) * (size - 1.0) + 0.5) / size, 0.5)).r;
}
